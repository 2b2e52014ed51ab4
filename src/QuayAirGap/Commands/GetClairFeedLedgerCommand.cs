using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairFeedLedger.</summary>
[Cmdlet(VerbsCommon.Get, "ClairFeedLedger", DefaultParameterSetName = "Objects")]
[OutputType(typeof(ClairFeedLedgerEntry), ParameterSetName = ["Objects"])]
[OutputType(typeof(string), ParameterSetName = ["JsonLines"])]
public sealed class GetClairFeedLedgerCommand : ClairFeedCmdlet
{
    /// <summary>Only these events; wildcards are allowed.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Event { get; set; } = [];

    /// <summary>Only what happened after this time.</summary>
    [Parameter]
    public DateTimeOffset After { get; set; } = DateTimeOffset.MinValue;

    /// <summary>Only so many of the newest ones.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Last { get; set; } = int.MaxValue;

    /// <summary>Holds the whole chain first, and fails where it does not hold.</summary>
    [Parameter]
    public SwitchParameter Verify { get; set; }

    /// <summary>Writes the lines as they stand in the file.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "JsonLines")]
    public SwitchParameter AsJsonLines { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        var ledger = new Ledger(OpenSite(), TimeProvider.System);
        if (Verify)
        {
            ledger.ThrowIfBroken();
        }

        WildcardPattern[] wanted = [.. Event.Select(e => new WildcardPattern(e, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant))];
        foreach (LedgerLineText line in ledger.ReadLines()
            .Where(l => l.Entry.Time > After && (wanted.Length == 0 || wanted.Any(w => w.IsMatch(l.Entry.Event)))).TakeLast(Last))
        {
            WriteObject(AsJsonLines ? line.Text : OutputMapper.LedgerEntry(line));
        }
    }
}

using System.Management.Automation;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Test-ClairFeedStore.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ClairFeedStore", DefaultParameterSetName = "Objects")]
[OutputType(typeof(ClairFeedStoreFault), ParameterSetName = ["Objects"])]
[OutputType(typeof(bool), ParameterSetName = ["Quiet"])]
public sealed class TestClairFeedStoreCommand : ClairFeedCmdlet
{
    /// <summary>Only True or False: whether everything is there and whole.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Quiet")]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        Site site = OpenSite();
        StoreCheck check = Await((progress, token) => Task.FromResult(new StoreChecker(site, TimeProvider.System).Check(repair: false, progress, token)));
        StoreReport.Write(this, check, "Run Repair-ClairFeedStore, then import the newest full bundle.");
        if (Quiet)
        {
            WriteObject(check.Faults.Count == 0);
            return;
        }

        foreach (StoreFault fault in check.Faults)
        {
            WriteObject(OutputMapper.StoreFault(fault));
        }
    }
}

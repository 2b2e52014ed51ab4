using System.Management.Automation;
using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairFeed.</summary>
[Cmdlet(VerbsCommon.Get, "ClairFeed")]
[OutputType(typeof(ClairFeedGeneration))]
public sealed class GetClairFeedCommand : ClairFeedCmdlet
{
    /// <summary>The generations' numbers; all that are kept where none is named.</summary>
    [Parameter(Position = 0)]
    public int[]? Generation { get; set; }

    /// <summary>Only the generation that is served.</summary>
    [Parameter]
    public SwitchParameter Current { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        var store = new GenerationStore(OpenSite());
        int? current = store.CurrentNumber;
        IEnumerable<int> numbers = Generation ?? store.Numbers();
        foreach (int number in Current ? numbers.Where(n => n == current) : numbers)
        {
            ForOne(() => WriteObject(OutputMapper.Generation(store.Load(number), number == current)));
        }
    }
}

using System.Management.Automation;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Repair-ClairFeedStore.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "ClairFeedStore", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedStoreFault))]
public sealed class RepairClairFeedStoreCommand : ClairFeedCmdlet
{
    /// <summary>Writes what was wrong to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        Site site = OpenSite();
        if (!ShouldProcess(site.Root, "Check the store and remove damaged contents, so that the next import writes them anew"))
        {
            return;
        }

        StoreCheck check = Await((progress, token) => Task.FromResult(new StoreChecker(site, TimeProvider.System).Check(repair: true, progress, token)));
        StoreReport.Write(this, check, "Import the newest full bundle to bring them back.");
        if (PassThru)
        {
            foreach (StoreFault fault in check.Faults)
            {
                WriteObject(OutputMapper.StoreFault(fault));
            }
        }
    }
}

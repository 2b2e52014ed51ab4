using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Import-ClairFeed.</summary>
[Cmdlet(VerbsData.Import, "ClairFeed", SupportsShouldProcess = true, DefaultParameterSetName = "Path")]
[OutputType(typeof(ClairFeedImportResult))]
public sealed class ImportClairFeedCommand : PathCmdlet
{
    /// <summary>Writes what was done to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Takes the bundle's sequence as it comes, lower or far higher than the last one; recorded in the ledger.</summary>
    [Parameter]
    public SwitchParameter ResetSequence { get; set; }

    /// <inheritdoc/>
    protected override void ProcessFile(string path)
    {
        Site site = OpenSite();
        var importer = new FeedImporter(site, SiteSettings.Load(site), TimeProvider.System);
        ImportPlan plan;
        try
        {
            plan = importer.Plan(path, ResetSequence);
        }
        catch (FeedException e) when (FeedImporter.IsRefusal(e))
        {
            if (ShouldProcess(site.LedgerFile, $"Record that '{path}' is refused"))
            {
                importer.RecordRefusal(path, e);
            }

            throw;
        }

        if (!ShouldProcess(site.Root, $"Import '{path}', sequence {plan.Snapshot.Sequence}"))
        {
            return;
        }

        ImportResult result = Await((progress, token) => importer.ImportAsync(path, progress, token, ResetSequence));
        ImportReport.Write(this, result);
        if (PassThru)
        {
            WriteObject(OutputMapper.Import(result, path));
        }
    }
}

using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Restore-ClairFeed.</summary>
[Cmdlet(VerbsData.Restore, "ClairFeed", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedImportResult))]
public sealed class RestoreClairFeedCommand : ClairFeedCmdlet
{
    /// <summary>The generation whose content is published again.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateRange(1, int.MaxValue)]
    public int Generation { get; set; }

    /// <summary>Writes what was done to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        Site site = OpenSite();
        if (!ShouldProcess(site.Root, string.Create(CultureInfo.InvariantCulture, $"Publish the content of generation {Generation} again")))
        {
            return;
        }

        var importer = new FeedImporter(site, SiteSettings.Load(site), TimeProvider.System);
        ImportResult result = Await((progress, token) => importer.RestoreAsync(Generation, progress, token));
        ImportReport.Write(this, result);
        if (PassThru)
        {
            WriteObject(OutputMapper.Import(result, path: null));
        }
    }
}

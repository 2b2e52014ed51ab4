using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>Get-ClairFeedSource.</summary>
[Cmdlet(VerbsCommon.Get, "ClairFeedSource")]
[OutputType(typeof(ClairFeedSource))]
public sealed class GetClairFeedSourceCommand : ClairFeedCmdlet
{
    /// <summary>The sources; wildcards are allowed; all where none is named.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SourceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void Process()
    {
        // The catalogue is worth seeing before there is a site; a site that was named must be there.
        bool named = MyInvocation.BoundParameters.ContainsKey(nameof(SitePath)) || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Site.EnvironmentVariable));
        Site? site = named || Site.Exists(ResolvedSitePath) ? OpenSite() : null;
        var settings = SiteSettings.LoadOrDefault(site);
        IReadOnlyList<SourceSnapshot> captured = site is null ? [] : Captured(site);
        foreach (string name in Name)
        {
            ForOne(() =>
            {
                foreach (SourceDefinition source in SourceNames.Matching(name))
                {
                    WriteObject(OutputMapper.Source(settings.Sources.First(s => s.Name == source.Name), captured.FirstOrDefault(c => c.Name == source.Name)));
                }
            });
        }
    }

    /// <summary>What was captured last: as it is served, else as it was collected. Settings can be looked at although it cannot be read.</summary>
    private IReadOnlyList<SourceSnapshot> Captured(Site site)
    {
        try
        {
            var generations = new GenerationStore(site);
            return generations.CurrentNumber is { } number
                ? Generation.LoadIndex(generations.FolderOf(number)).Sources
                : new SnapshotStore(site).LoadNewest()?.Sources ?? [];
        }
        catch (FeedException e)
        {
            WriteVerbose(e.Message);
            return [];
        }
    }
}

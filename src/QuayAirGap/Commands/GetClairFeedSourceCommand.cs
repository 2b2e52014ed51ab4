using System.Management.Automation;
using QuayAirGap.Core.Sites;
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
        var settings = SiteSettings.LoadOrDefault(named || Site.Exists(ResolvedSitePath) ? OpenSite() : null);
        foreach (string name in Name)
        {
            ForOne(() =>
            {
                foreach (SourceDefinition source in SourceNames.Matching(name))
                {
                    WriteObject(OutputMapper.Source(settings.Sources.First(s => s.Name == source.Name)));
                }
            });
        }
    }
}

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
        var settings = SiteSettings.Load(OpenSite());
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

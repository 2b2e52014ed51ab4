using System.Management.Automation;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>Test-ClairFeedFreshness.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ClairFeedFreshness", DefaultParameterSetName = "Objects")]
[OutputType(typeof(ClairFeedFreshness), ParameterSetName = ["Objects"])]
[OutputType(typeof(bool), ParameterSetName = ["Quiet"])]
public sealed class TestClairFeedFreshnessCommand : ClairFeedCmdlet
{
    /// <summary>The sources; wildcards are allowed; all where none is named.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(SourceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Only True or False: whether every required source is fresh.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Quiet")]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        Site site = OpenSite();
        HashSet<string> names = [.. Name.SelectMany(SourceNames.Matching).Select(s => s.Name)];
        var settings = SiteSettings.Load(site);
        SourceFreshness[] found = [.. SiteFreshness.Of(site, settings, AskClair(site, settings), TimeProvider.System).Where(f => names.Contains(f.Name))];
        if (Quiet)
        {
            foreach (SourceFreshness source in found.Where(f => !f.Required || f.Level != FreshnessLevel.Ok))
            {
                WriteVerbose($"{source.Name}: {source.Level}: {source.Reason}");
            }

            WriteObject(SiteFreshness.IsGood(found));
            return;
        }

        foreach (SourceFreshness source in found)
        {
            WriteObject(OutputMapper.Freshness(source));
        }
    }

    /// <summary>Asks the Clair that the settings name, and keeps what it says for whoever does not ask.</summary>
    private ClairRecord? AskClair(Site site, SiteSettings settings)
    {
        if (settings.Clair is not { } clair)
        {
            return null;
        }

        ClairRecord record = Await((_, token) => ClairWatch.AskAsync(site, clair, TimeProvider.System, token));
        KnownClair.Keep(this, site, record);
        return record;
    }
}

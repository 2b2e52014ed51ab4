using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Quay;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Test-ClairAirGap.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ClairAirGap", DefaultParameterSetName = "Standalone")]
[OutputType(typeof(ClairAirGapFinding), typeof(bool))]
public sealed class TestClairAirGapCommand : ClairFeedCmdlet
{
    /// <summary>The configuration of Clair, with the drop-ins beside it.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Standalone")]
    [ValidateNotNullOrEmpty]
    public string ConfigPath { get; set; } = "";

    /// <summary>The manifest of the operator's config bundle secret.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Operator")]
    [ValidateNotNullOrEmpty]
    public string ConfigBundleSecret { get; set; } = "";

    /// <summary>The manifest of the QuayRegistry.</summary>
    [Parameter(ParameterSetName = "Operator")]
    [ValidateNotNullOrEmpty]
    public string? QuayRegistry { get; set; }

    /// <summary>4.9.0 or main.</summary>
    [Parameter]
    [ValidateSet("4.9.0", "main")]
    public string ClairRelease { get; set; } = Core.Clair.ClairRelease.Default;

    /// <summary>How Clair is meant to get its feeds; without it, the configuration decides.</summary>
    [Parameter]
    [ValidateSet("Mirror", "Upstream", "Offline")]
    public string? Mode { get; set; }

    /// <summary>The mirror's address, to hold the configuration against what it serves.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? MirrorUri { get; set; }

    /// <summary>Asks the mirror as each updater would, from here.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <summary>Only True or False: whether there is neither an error nor a warning.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        int year = TimeProvider.System.GetUtcNow().Year;
        List<AirGapFinding> found = [];
        string target = ParameterSetName == "Standalone" ? $"-ConfigPath '{FilePath(ConfigPath)}'" : $"-ConfigBundleSecret '{FilePath(ConfigBundleSecret)}'";
        string mirror = MirrorUri?.AbsoluteUri ?? "<mirror>";
        ClairConfiguration configuration = ParameterSetName == "Standalone" ? ClairConfiguration.Load(FilePath(ConfigPath)) : OfSecret(found);
        var release = Core.Clair.ClairRelease.Get(ClairRelease);
        AirGapMode? mode = Mode is null ? null : Enum.Parse<AirGapMode>(Mode, ignoreCase: true);
        found.AddRange(AirGapLint.Check(new LintContext
        {
            Configuration = configuration,
            Release = release,
            Mode = mode,
            Served = Served(year),
            Year = year,
            Command = $"Set-ClairAirGap -Mode {Mode ?? "Mirror"} -MirrorUri {mirror} {target}",
        }));
        if (Probe)
        {
            using var probe = new MirrorProbe(configuration, release, year);
            found.AddRange(Await((progress, token) => probe.AskAsync(set => progress.Report(new FeedProgress(set, "Asking the mirror")), token)));
        }

        if (Quiet)
        {
            foreach (AirGapFinding finding in found)
            {
                WriteVerbose($"{finding.Severity}: {finding.Where}: {finding.What}");
            }

            WriteObject(!found.Any(f => f.Severity >= FindingSeverity.Warning));
            return;
        }

        foreach (AirGapFinding finding in found.OrderByDescending(f => f.Severity))
        {
            WriteObject(new ClairAirGapFinding
            {
                Id = finding.Id,
                Severity = finding.Severity.ToString(),
                Where = finding.Where,
                What = finding.What,
                Why = finding.Why,
                Remedy = finding.Remedy,
            });
        }
    }

    private ClairConfiguration OfSecret(List<AirGapFinding> found)
    {
        string path = FilePath(ConfigBundleSecret);
        QuayRegistry? registry = QuayRegistry is null ? null : Core.Quay.QuayRegistry.Parse(FilePath(QuayRegistry), Read(FilePath(QuayRegistry)));
        (ClairConfiguration configuration, IReadOnlyList<AirGapFinding> own) = OperatorClair.Read(path, Read(path), registry);
        found.AddRange(own);
        return configuration;
    }

    private static string Read(string path) => ConfigFile.ReadIfThere(path) ?? throw new FeedException(
        ErrorIds.ClairConfigNotFound, $"There is no file '{path}'.", path, "Check the name.");

    private ServedFeeds? Served(int year)
    {
        bool named = MyInvocation.BoundParameters.ContainsKey(nameof(SitePath));
        if (named || Site.Exists(ResolvedSitePath))
        {
            Site site = OpenSite();
            var store = new GenerationStore(site);
            return store.CurrentNumber is { } number ? ServedFeeds.Of(Generation.LoadIndex(store.FolderOf(number)), site.Store) : null;
        }

        return MirrorUri is null ? null : Await((_, token) => ServedFeeds.AskAsync(MirrorUri, year, token));
    }
}

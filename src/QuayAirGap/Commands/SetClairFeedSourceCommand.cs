using System.Globalization;
using System.Management.Automation;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>Set-ClairFeedSource: changes what is named, and leaves everything else in sources.yaml alone.</summary>
[Cmdlet(VerbsCommon.Set, "ClairFeedSource", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedSource))]
public sealed class SetClairFeedSourceCommand : ClairFeedCmdlet
{
    private static readonly string[] s_settings =
        [nameof(Enabled), nameof(Uri), nameof(MirrorUri), nameof(UpstreamRoot), nameof(Include), nameof(Exclude), nameof(MaxShrink), nameof(WarnAfter), nameof(CriticalAfter), nameof(ExpireAfter)];

    /// <summary>The sources; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SourceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>Whether the source is collected and required.</summary>
    [Parameter]
    public bool Enabled { get; set; }

    /// <summary>Where to fetch from; $null for the upstream's own address.</summary>
    [Parameter]
    public Uri? Uri { get; set; }

    /// <summary>Where to fetch the source's second part from; $null for the upstream's own address.</summary>
    [Parameter]
    public Uri? MirrorUri { get; set; }

    /// <summary>A cache that has https://host/path as root/host/path; $null for none.</summary>
    [Parameter]
    public Uri? UpstreamRoot { get; set; }

    /// <summary>The parts to carry (ecosystems, releases); wildcards are allowed; $null for the source's default.</summary>
    [Parameter]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyCollection]
    public string[]? Include { get; set; }

    /// <summary>The parts to leave out; wildcards are allowed; $null for none.</summary>
    [Parameter]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyCollection]
    public string[]? Exclude { get; set; }

    /// <summary>By how many per cent the number of advisories may fall from one capture to the next.</summary>
    [Parameter]
    [ValidateRange(0, 100)]
    public int MaxShrink { get; set; }

    /// <summary>The age from which the source is stale.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan WarnAfter { get; set; }

    /// <summary>The age from which its staleness is critical.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan CriticalAfter { get; set; }

    /// <summary>The age from which the source must not be relied on.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan ExpireAfter { get; set; }

    /// <summary>Writes the changed sources to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        foreach (string name in Name)
        {
            ForOne(() =>
            {
                foreach (SourceDefinition source in SourceNames.Matching(name))
                {
                    ForOne(() => Change(source));
                }
            });
        }
    }

    private void Change(SourceDefinition source)
    {
        if (!ShouldProcess(ResolvedSitePath, $"Change the settings of '{source.Name}'"))
        {
            return;
        }

        var site = Site.OpenOrCreate(ResolvedSitePath);
        using SiteLock held = site.Lock();
        bool changed = SourceSettingsEditor.Apply(site, source.Name, new SourceSettingsChange
        {
            Enabled = IsBound(nameof(Enabled)) ? Enabled : null,
            Uri = Uri,
            ClearUri = IsBound(nameof(Uri)) && Uri is null,
            MirrorUri = MirrorUri,
            ClearMirrorUri = IsBound(nameof(MirrorUri)) && MirrorUri is null,
            UpstreamRoot = UpstreamRoot,
            ClearUpstreamRoot = IsBound(nameof(UpstreamRoot)) && UpstreamRoot is null,
            Include = IsBound(nameof(Include)) ? Include ?? [] : null,
            Exclude = IsBound(nameof(Exclude)) ? Exclude ?? [] : null,
            MaxShrink = IsBound(nameof(MaxShrink)) ? MaxShrink : null,
            WarnAfter = IsBound(nameof(WarnAfter)) ? WarnAfter : null,
            CriticalAfter = IsBound(nameof(CriticalAfter)) ? CriticalAfter : null,
            ExpireAfter = IsBound(nameof(ExpireAfter)) ? ExpireAfter : null,
        });
        if (changed)
        {
            LedgerLine.Append(
                site, LedgerEvents.SettingsChanged,
                [("source", source.Name), .. s_settings.Where(IsBound).Select(p => (p, ValueText(MyInvocation.BoundParameters[p])))]);
        }

        SourceSettings now = SiteSettings.Load(site).Sources.First(s => s.Name == source.Name);
        if ((IsBound(nameof(Include)) || IsBound(nameof(Exclude)))
            && SelectionAdvice.Uncovered(source, now.Selection, SelectionAdvice.KnownParts(site, source)) is { } uncovered)
        {
            WriteWarning(uncovered);
        }

        WriteVerbose(changed ? $"'{source.Name}' is changed in '{site.SettingsFile}'." : $"'{site.SettingsFile}' already says so of '{source.Name}'.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Source(now));
        }
    }

    private static string ValueText(object? value) => value switch
    {
        null => "",
        string[] parts => string.Join(", ", parts),
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private bool IsBound(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
}

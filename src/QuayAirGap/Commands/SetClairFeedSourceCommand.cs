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
        [nameof(Enabled), nameof(Uri), nameof(MirrorUri), nameof(UpstreamRoot), nameof(WarnAfter), nameof(CriticalAfter), nameof(ExpireAfter)];

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
                bool many = WildcardPattern.ContainsWildcardCharacters(name);
                foreach (SourceDefinition source in many ? SourceNames.Collectable(name) : SourceNames.Matching(name))
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

        WriteVerbose(changed ? $"'{source.Name}' is changed in '{site.SettingsFile}'." : $"'{site.SettingsFile}' already says so of '{source.Name}'.");
        if (PassThru)
        {
            WriteObject(OutputMapper.Source(SiteSettings.Load(site).Sources.First(s => s.Name == source.Name)));
        }
    }

    private static string ValueText(object? value) => value switch
    {
        null => "",
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private bool IsBound(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
}

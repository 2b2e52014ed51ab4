using System.Globalization;
using System.Management.Automation;
using System.Text.Json;
using QuayAirGap.Core;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Commands;

/// <summary>Set-ClairFeedSource: changes what is named, and leaves everything else in sources.yaml alone.</summary>
[Cmdlet(VerbsCommon.Set, "ClairFeedSource", DefaultParameterSetName = NameSet, SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedSource))]
public sealed class SetClairFeedSourceCommand : ClairFeedCmdlet
{
    private const string NameSet = "Name";
    private const string NeedSet = "Need";

    private static readonly string[] s_settings =
        [nameof(Enabled), nameof(Uri), nameof(MirrorUri), nameof(UpstreamRoot), nameof(Include), nameof(Exclude), nameof(MaxShrink), nameof(WarnAfter), nameof(CriticalAfter), nameof(ExpireAfter)];

    /// <summary>The sources; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = NameSet)]
    [ArgumentCompleter(typeof(SourceNameCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>Whether the source is collected and required.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public bool Enabled { get; set; }

    /// <summary>Where to fetch from; $null for the upstream's own address.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public Uri? Uri { get; set; }

    /// <summary>Where to fetch the source's second part from; $null for the upstream's own address.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public Uri? MirrorUri { get; set; }

    /// <summary>A cache that has https://host/path as root/host/path; $null for none.</summary>
    [Parameter(ParameterSetName = NameSet)]
    public Uri? UpstreamRoot { get; set; }

    /// <summary>The parts to carry (ecosystems, releases); wildcards are allowed; $null for the source's default.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyCollection]
    public string[]? Include { get; set; }

    /// <summary>The parts to leave out; wildcards are allowed; $null for none.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyCollection]
    public string[]? Exclude { get; set; }

    /// <summary>By how many per cent the number of advisories may fall from one capture to the next.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [ValidateRange(0, 100)]
    public int MaxShrink { get; set; }

    /// <summary>The age from which the source is stale.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [DurationTransformation]
    public TimeSpan WarnAfter { get; set; }

    /// <summary>The age from which its staleness is critical.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [DurationTransformation]
    public TimeSpan CriticalAfter { get; set; }

    /// <summary>The age from which the source must not be relied on.</summary>
    [Parameter(ParameterSetName = NameSet)]
    [DurationTransformation]
    public TimeSpan ExpireAfter { get; set; }

    /// <summary>The list of what images need, of Get-ClairFeedNeed: what it names is selected.</summary>
    [Parameter(Mandatory = true, ParameterSetName = NeedSet)]
    [ValidateNotNullOrEmpty]
    public string Need { get; set; } = "";

    /// <summary>With -Need: what nobody needs is left out from now on.</summary>
    [Parameter(ParameterSetName = NeedSet)]
    public SwitchParameter DisableUnneeded { get; set; }

    /// <summary>Writes the changed sources to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void Process()
    {
        if (ParameterSetName == NeedSet)
        {
            SelectNeeded();
            return;
        }

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

    private void SelectNeeded()
    {
        string path = FilePath(Need);
        var needs = FeedNeedList.Load(path);
        Site? site = Site.Exists(ResolvedSitePath) ? Site.Open(ResolvedSitePath) : null;
        var settings = SiteSettings.LoadOrDefault(site);
        bool narrow = DisableUnneeded;
        if (narrow && needs.Unindexed > 0)
        {
            narrow = false;
            WriteError(ErrorRecordFactory.Create(new FeedException(
                ErrorIds.NeedIncomplete, $"Of {needs.Unindexed} of the {needs.Images} images in '{path}' nothing is known: nothing is left out by such a list.", path,
                "Have those images indexed and make the list again, or leave sources out by name. What is needed is selected all the same.")));
        }

        foreach (SourceSettings source in settings.Sources)
        {
            if (NeedSelection.ChangeFor(source, needs, narrow, SelectionAdvice.KnownParts(site, source.Definition)) is { } change)
            {
                ForOne(() => Change(source.Definition, change));
            }
        }

        // As it is now: with -WhatIf, and after an error, as it would stay.
        foreach (UnmetNeed unmet in NeedSelection.LeftOut(needs, SiteSettings.LoadOrDefault(Site.Exists(ResolvedSitePath) ? Site.Open(ResolvedSitePath) : null)))
        {
            WriteWarning(unmet.Message);
        }
    }

    private void Change(SourceDefinition source) => Change(source, new SourceSettingsChange
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

    private void Change(SourceDefinition source, SourceSettingsChange change)
    {
        if (!ShouldProcess(ResolvedSitePath, ParameterSetName == NeedSet ? $"Change '{source.Name}': {ChangeText(change)}" : $"Change the settings of '{source.Name}'"))
        {
            return;
        }

        var site = Site.OpenOrCreate(ResolvedSitePath);
        using SiteLock held = site.Lock();
        bool changed = SourceSettingsEditor.Apply(site, source.Name, change);
        if (changed)
        {
            LedgerLine.Append(site, LedgerEvents.SettingsChanged, [("source", source.Name), .. Recorded(change).Select(d => (JsonNamingPolicy.CamelCase.ConvertName(d.Key), d.Value))]);
        }

        SourceSettings now = SiteSettings.Load(site).Sources.First(s => s.Name == source.Name);
        if ((change.Include is not null || change.Exclude is not null)
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

    /// <summary>For the ledger: the parameters as they were given, or what a list of needs made of them.</summary>
    private IEnumerable<(string Key, string Value)> Recorded(SourceSettingsChange change) => ParameterSetName == NeedSet
        ? [.. Selected(change), (nameof(Need), FilePath(Need))]
        : s_settings.Where(IsBound).Select(p => (p, ValueText(MyInvocation.BoundParameters[p])));

    private static IEnumerable<(string Key, string Value)> Selected(SourceSettingsChange change)
    {
        if (change.Enabled is { } enabled)
        {
            yield return (nameof(Enabled), ValueText(enabled));
        }

        if (change.Include is { } include)
        {
            yield return (nameof(Include), string.Join(", ", include));
        }

        if (change.Exclude is { } exclude)
        {
            yield return (nameof(Exclude), string.Join(", ", exclude));
        }
    }

    private static string ChangeText(SourceSettingsChange change) => string.Join("; ", Selected(change).Select(c => $"{c.Key} {(c.Value.Length == 0 ? "none" : c.Value)}"));

    private static string ValueText(object? value) => value switch
    {
        null => "",
        string[] parts => string.Join(", ", parts),
        TimeSpan time => time.ToString("c", CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    private bool IsBound(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);
}

using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Sites;

/// <summary>What sources.yaml says of one source, defaults filled in.</summary>
public sealed record SourceSettings
{
    public required SourceDefinition Definition { get; init; }

    public string Name => Definition.Name;

    public bool Enabled { get; init; } = true;

    /// <summary>Where to fetch from instead of <see cref="SourceDefinition.Uri"/>; null for the default.</summary>
    public Uri? Uri { get; init; }

    /// <summary>Where to fetch from instead of <see cref="SourceDefinition.MirrorUri"/>; null for the default.</summary>
    public Uri? MirrorUri { get; init; }

    /// <summary>A cache that has https://host/path as root/host/path; null for none.</summary>
    public Uri? UpstreamRoot { get; init; }

    /// <summary>The hosts that a collector asks with these settings.</summary>
    public IEnumerable<string> Hosts => UpstreamRoot is { } root
        ? [root.Host]
        : new[] { Uri ?? Definition.Uri, MirrorUri ?? Definition.MirrorUri }.OfType<Uri>().Select(u => u.Host).Concat(Definition.OtherHosts).Distinct();

    /// <summary>The parts that are carried, names or patterns; empty for the source's default.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>The parts that are left out, names or patterns; goes before <see cref="Include"/>.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Which parts of the source are carried.</summary>
    public SourceSelection Selection => new(Include.Count > 0 ? Include : Definition.DefaultParts, Exclude);

    /// <summary>By how many per cent the number of advisories may fall from one capture to the next; more than that is held back.</summary>
    public int MaxShrink { get; init; } = 10;

    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromDays(3);

    public TimeSpan CriticalAfter { get; init; } = TimeSpan.FromDays(5);

    public TimeSpan ExpireAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary>What an age means; one that is not known is critical.</summary>
    public FreshnessLevel LevelAt(TimeSpan? age) => age switch
    {
        null => FreshnessLevel.Critical,
        { } a when a >= ExpireAfter => FreshnessLevel.Expired,
        { } a when a >= CriticalAfter => FreshnessLevel.Critical,
        { } a when a >= WarnAfter => FreshnessLevel.Warning,
        _ => FreshnessLevel.Ok,
    };

    /// <summary>By what they mean: the order and the case of parts mean nothing.</summary>
    public bool Equals(SourceSettings? other) =>
        other is not null && Definition == other.Definition && Enabled == other.Enabled && Uri == other.Uri && MirrorUri == other.MirrorUri
        && UpstreamRoot == other.UpstreamRoot && MaxShrink == other.MaxShrink
        && (WarnAfter, CriticalAfter, ExpireAfter) == (other.WarnAfter, other.CriticalAfter, other.ExpireAfter)
        && SameParts(Include, other.Include) && SameParts(Exclude, other.Exclude);

    public override int GetHashCode() => HashCode.Combine(Definition.Name, Enabled, Uri, MirrorUri, UpstreamRoot, WarnAfter, CriticalAfter, ExpireAfter);

    private static bool SameParts(IReadOnlyList<string> one, IReadOnlyList<string> other) =>
        new HashSet<string>(one, StringComparer.OrdinalIgnoreCase).SetEquals(other);
}

/// <summary>The site's sources.yaml.</summary>
public sealed partial class SiteSettings
{
    /// <summary>Every source of the catalogue, in its order.</summary>
    public required IReadOnlyList<SourceSettings> Sources { get; init; }

    /// <summary>How many generations and snapshots are kept, the current one included. At least 2.</summary>
    public int KeepGenerations { get; init; } = 7;

    public NetworkSettings Network { get; init; } = new();

    /// <summary>How long a bundle may be imported after it was made.</summary>
    public TimeSpan BundleValidity { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Whom to warn, and how.</summary>
    public WarningSettings Warnings { get; init; } = new();

    /// <summary>The Clair that reads this site's mirror; null where nobody named it, so that nobody asks it.</summary>
    public ClairSettings? Clair { get; init; }

    /// <summary>The release of Clair that judges the images here: releases differ in what they know.</summary>
    public ClairRelease ClairRelease { get; init; } = ClairRelease.V490;
}

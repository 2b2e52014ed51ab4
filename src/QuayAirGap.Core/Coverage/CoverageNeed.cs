using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Coverage;

/// <summary>A feed, or a part of one, that an image needs, and how it stands at this site. Times are UTC.</summary>
public sealed record CoverageNeed
{
    /// <summary>The source's name in the catalogue ("debian", "osv").</summary>
    public required string Source { get; init; }

    /// <summary>The part of it, named as the source's releases are in a snapshot ("bookworm", "v3.20", "pypi"); null for the source as a whole.</summary>
    public string? Part { get; init; }

    /// <summary>What needs it, for people ("Debian GNU/Linux 12 (bookworm)", "Python packages").</summary>
    public required string Subject { get; init; }

    /// <summary>The updaters of Clair that bring it; empty for a mapping of the indexer.</summary>
    public IReadOnlyList<string> Updaters { get; init; } = [];

    public required FeedState State { get; init; }

    public required FreshnessLevel Level { get; init; }

    /// <summary>When the content that is served was last confirmed against its upstream; null without content.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>
    /// Whether the verdict depends on it. False for what only adds scores to findings (clair.cvss), and for the indexer's mappings where no
    /// package is Red Hat's: an image that is indexed has had its mapping.
    /// </summary>
    public bool Decides { get; init; } = true;

    /// <summary>How many of the image's packages are judged from it.</summary>
    public int PackageCount { get; init; }
}

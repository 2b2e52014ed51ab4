namespace QuayAirGap;

/// <summary>What the feeds of a site can say of an image. Times are UTC.</summary>
public sealed class ClairImageCoverage
{
    /// <summary>The image's name in Quay, the report's file, or the digest.</summary>
    public required string Image { get; init; }

    /// <summary>"sha256:…", as Clair names the image.</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>All its tags in that repository; empty where the image does not come from Quay.</summary>
    public required string[] Tags { get; init; }

    /// <summary>"Covered", "Stale", "EndOfLife", "Unsupported", "Incomplete" or "Unindexed", rising: the later, the more likely is a clean result to be false.</summary>
    public required string Verdict { get; init; }

    /// <summary>One line for people, the verdict first.</summary>
    public required string Summary { get; init; }

    /// <summary>How many packages Clair found.</summary>
    public required int PackageCount { get; init; }

    /// <summary>How many of them a feed speaks for that is there, however old.</summary>
    public required int PackagesSpokenFor { get; init; }

    public required string[] Distributions { get; init; }

    /// <summary>Why a clean-looking result cannot be relied on, the worst first; empty only where the verdict is "Covered".</summary>
    public required ClairCoverageGap[] Gaps { get; init; }

    /// <summary>Every feed that the image needs.</summary>
    public required ClairCoverageNeed[] Needs { get; init; }

    /// <summary>What else is worth knowing and does not change the verdict.</summary>
    public required string[] Notes { get; init; }

    /// <summary>The release of Clair whose rules were used.</summary>
    public required string ClairRelease { get; init; }

    /// <summary>
    /// What the verdict knows of Clair itself: "NotAsked" (judged by what the mirror serves), "Silent" (it does not say what it has), "Updaters" (which
    /// updaters it ever ran), "Answered" (what it has, proved).
    /// </summary>
    public required string ClairAsked { get; init; }

    /// <summary>When the image was made at the latest; null where that is not known.</summary>
    public DateTimeOffset? ImageCreatedAt { get; init; }

    /// <summary>The generation that the site serves; null where it serves none.</summary>
    public int? Generation { get; init; }

    public required DateTimeOffset EvaluatedAt { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Image}: {Verdict}";
}

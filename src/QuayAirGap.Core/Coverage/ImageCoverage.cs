namespace QuayAirGap.Core.Coverage;

/// <summary>What the feeds of a site can say of one image. Times are UTC.</summary>
public sealed record ImageCoverage
{
    /// <summary>The manifest digest ("sha256:…"), as Clair names the image.</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>The worst of <see cref="Gaps"/>; <see cref="CoverageVerdict.Covered"/> only without any.</summary>
    public required CoverageVerdict Verdict { get; init; }

    /// <summary>The worst first; empty only for <see cref="CoverageVerdict.Covered"/>.</summary>
    public IReadOnlyList<CoverageGap> Gaps { get; init; } = [];

    /// <summary>Every feed that the image needs, in the catalogue's order.</summary>
    public IReadOnlyList<CoverageNeed> Needs { get; init; } = [];

    /// <summary>What else is worth knowing and does not change the verdict.</summary>
    public IReadOnlyList<CoverageNote> Notes { get; init; } = [];

    /// <summary>The distributions of the image, by the names that the indexer gives them; empty for an image without one.</summary>
    public IReadOnlyList<string> Distributions { get; init; } = [];

    /// <summary>How many packages the index report lists.</summary>
    public int PackageCount { get; init; }

    /// <summary>How many of them a feed speaks for that is there, however old.</summary>
    public int PackagesSpokenFor { get; init; }

    public required DateTimeOffset EvaluatedAt { get; init; }

    /// <summary>The release of Clair whose rules were used: "4.9.0".</summary>
    public string ClairRelease { get; init; } = "";

    /// <summary>Whether Clair itself was asked what it has.</summary>
    public ClairAsked ClairAsked { get; init; }

    /// <summary>When the image was made at the latest; null where that is not known, so that no mapping is known to be older.</summary>
    public DateTimeOffset? ImageCreatedAt { get; init; }

    /// <summary>One line for people, the verdict first: "Incomplete: debian trixie is missing (84 of 84 packages not judged)".</summary>
    public required string Summary { get; init; }
}

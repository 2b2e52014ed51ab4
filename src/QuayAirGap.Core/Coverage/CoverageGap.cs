namespace QuayAirGap.Core.Coverage;

/// <summary>One reason why a clean-looking result of an image cannot be relied on. Times are UTC.</summary>
public sealed record CoverageGap
{
    /// <summary>Never <see cref="CoverageVerdict.Covered"/>.</summary>
    public required CoverageVerdict Verdict { get; init; }

    /// <summary>For programs and for the title on a scan page: one of <see cref="CoverageCodes"/> ("FEED-STALE", "FEED-MISSING", "UNSUPPORTED"); never changes its meaning.</summary>
    public required string Code { get; init; }

    /// <summary>The source's name in the catalogue; null where no feed could help.</summary>
    public string? Source { get; init; }

    /// <summary>As <see cref="CoverageNeed.Part"/>.</summary>
    public string? Part { get; init; }

    /// <summary>As <see cref="CoverageNeed.Subject"/>.</summary>
    public required string Subject { get; init; }

    /// <summary>What is wrong and what it means for the image, one or two sentences for people.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it, and whose it is to do.</summary>
    public required string Remedy { get; init; }

    /// <summary>Since when, where that is known.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>How old the content is, where there is content.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>How many of the image's packages it concerns; 0 where that cannot be told.</summary>
    public int PackageCount { get; init; }
}

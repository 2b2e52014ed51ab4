namespace QuayAirGap;

/// <summary>One reason why a clean-looking result of an image cannot be relied on. Times are UTC.</summary>
public sealed class ClairCoverageGap
{
    /// <summary>"FEED-STALE", "FEED-MISSING", "UNSUPPORTED", …: never changes its meaning.</summary>
    public required string Code { get; init; }

    /// <summary>As of <see cref="ClairImageCoverage.Verdict"/>; never "Covered".</summary>
    public required string Verdict { get; init; }

    /// <summary>Null where no feed could help.</summary>
    public string? Source { get; init; }

    /// <summary>The release or ecosystem; null for the whole source.</summary>
    public string? Part { get; init; }

    public required string Subject { get; init; }

    public required string Message { get; init; }

    public required string Remedy { get; init; }

    public DateTimeOffset? Since { get; init; }

    public TimeSpan? Age { get; init; }

    /// <summary>How many of the image's packages it concerns; 0 where that cannot be told.</summary>
    public required int PackageCount { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Code}: {Message}";
}

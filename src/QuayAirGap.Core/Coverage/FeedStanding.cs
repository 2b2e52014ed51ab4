using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Coverage;

/// <summary>How a feed, or a part of one, stands for whoever needs it. Times are UTC.</summary>
internal sealed record FeedStanding
{
    public required FeedState State { get; init; }

    public required FreshnessLevel Level { get; init; }

    /// <summary>As <see cref="CoverageGap.Code"/>; null where nothing is wrong.</summary>
    public string? Code { get; init; }

    /// <summary>"is missing", "is 16 days old": after the feed's name, in a summary.</summary>
    public string Brief { get; init; } = "";

    /// <summary>Why, one sentence or two.</summary>
    public string Reason { get; init; } = "";

    public string Remedy { get; init; } = "";

    /// <summary>Whether the generation that is served has the content, however old it is.</summary>
    public bool HasContent { get; init; }

    public DateTimeOffset? CapturedAt { get; init; }

    public TimeSpan? Age { get; init; }

    public DateTimeOffset? Since { get; init; }

    public bool IsMet => Code is null;

    /// <summary>Content that is old is a lesser evil than content that is missing, failed or left out.</summary>
    public CoverageVerdict Verdict => Code is null ? CoverageVerdict.Covered : State == FeedState.Stale ? CoverageVerdict.Stale : CoverageVerdict.Incomplete;
}

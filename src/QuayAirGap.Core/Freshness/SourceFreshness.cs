namespace QuayAirGap.Core.Freshness;

/// <summary>How old one source is, and what that means. Times are UTC.</summary>
public sealed record SourceFreshness
{
    public required string Name { get; init; }

    public required FeedState State { get; init; }

    /// <summary>Never <see cref="FreshnessLevel.Ok"/> for a required source that is not fresh.</summary>
    public required FreshnessLevel Level { get; init; }

    /// <summary>Whether results without it are incomplete: it is enabled here, or an image needs it that this site knows of (needs.json).</summary>
    public required bool Required { get; init; }

    /// <summary>Whether this site's settings want it.</summary>
    public required bool Enabled { get; init; }

    /// <summary>When the content was last confirmed against its upstream.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>The newest modification time that the upstream gave.</summary>
    public DateTimeOffset? UpstreamModified { get; init; }

    /// <summary>When this site last published it; null outside the gap, and for what was never published.</summary>
    public DateTimeOffset? PublishedAt { get; init; }

    /// <summary>What the Clair that reads the mirror has of it.</summary>
    public ClairHolding ClairHolding { get; init; }

    /// <summary>
    /// When Clair was first seen to have all that was served then, by its fingerprints; where it has since fallen behind, when it last had.
    /// Null where it never had, where nobody asks, and where it cannot be told.
    /// </summary>
    public DateTimeOffset? IngestedAt { get; init; }

    /// <summary>The generation whose content Clair has at least; null where that is not known.</summary>
    public int? IngestedGeneration { get; init; }

    /// <summary>When what Clair has was last confirmed against its upstream; null where that is not known.</summary>
    public DateTimeOffset? IngestedCapturedAt { get; init; }

    /// <summary>Since when something is served that Clair lacks, or may lack; null where it lacks nothing, and where nobody asks.</summary>
    public DateTimeOffset? ClairBehindSince { get; init; }

    /// <summary>
    /// Now − <see cref="CapturedAt"/>; where this machine's clock is known to be behind, the least that it can be. Null without content,
    /// and where the capture lies in the future.
    /// </summary>
    public TimeSpan? Age { get; init; }

    public required TimeSpan WarnAfter { get; init; }

    public required TimeSpan CriticalAfter { get; init; }

    public required TimeSpan ExpireAfter { get; init; }

    /// <summary>Since when it is older than <see cref="WarnAfter"/>; null where it is not, and where that is not known.</summary>
    public DateTimeOffset? StaleSince { get; init; }

    /// <summary>
    /// <see cref="UpstreamModified"/> where that was already longer ago than the upstream's rhythm allows when it was captured: the content
    /// is what the upstream has, but the upstream may have stopped. Else null.
    /// </summary>
    public DateTimeOffset? SilentSince { get; init; }

    /// <summary>Where its age comes from.</summary>
    public FeedCause Cause { get; init; }

    /// <summary><see cref="Cause"/> in words, with whose it is to mend; empty for none.</summary>
    public string CauseText => FeedCauses.Text(Cause);

    /// <summary>Why it is in its state, one sentence for people.</summary>
    public required string Reason { get; init; }

    /// <summary>What to do about it; null where nothing is to be done.</summary>
    public string? Remedy { get; init; }
}

namespace QuayAirGap;

/// <summary>How old a source is at this site, and what that means. Times are UTC.</summary>
public sealed class ClairFeedFreshness
{
    public required string Source { get; init; }

    /// <summary>
    /// "Ok", "Warning", "Critical" or "Expired" for a required source, never "Ok" where it is not fresh; "None" for one that is not required.
    /// </summary>
    public required string Level { get; init; }

    /// <summary>"Fresh", "Stale", "Missing", "Failed", "Deselected" or "Unsupported".</summary>
    public required string State { get; init; }

    /// <summary>Whether results without it are incomplete, so that the site's verdict depends on it.</summary>
    public required bool Required { get; init; }

    /// <summary>
    /// The time since it was last confirmed against its upstream; where this machine's clock is known to be behind, the least that it can
    /// be. Null where it never was, and where that lies in the future.
    /// </summary>
    public TimeSpan? Age { get; init; }

    /// <summary>When it was last confirmed against its upstream.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>The newest modification time that the upstream gave.</summary>
    public DateTimeOffset? UpstreamModified { get; init; }

    /// <summary>When it was published here; null outside the gap.</summary>
    public DateTimeOffset? PublishedAt { get; init; }

    /// <summary>
    /// "Current" (what is served, proved by fingerprint), "Older", "Unproven" (from elsewhere), "Missing" (not all of it), "Unknown" (Clair does
    /// not answer), "Untellable" (Clair shows nothing of it) or "NotAsked" (the site's settings name no Clair).
    /// </summary>
    public required string ClairState { get; init; }

    /// <summary>When Clair was first seen to have all that was served then; null where it never had, and where that is not known.</summary>
    public DateTimeOffset? IngestedAt { get; init; }

    /// <summary>The generation whose content Clair has at least; null where that is not known.</summary>
    public int? IngestedGeneration { get; init; }

    /// <summary>When what Clair has was last confirmed against its upstream; null where that is not known.</summary>
    public DateTimeOffset? IngestedCapturedAt { get; init; }

    public required TimeSpan WarnAfter { get; init; }

    public required TimeSpan CriticalAfter { get; init; }

    public required TimeSpan ExpireAfter { get; init; }

    /// <summary>Since when it is older than <see cref="WarnAfter"/>; null where it is not, and where that is not known.</summary>
    public DateTimeOffset? StaleSince { get; init; }

    /// <summary>Since when the upstream itself has published nothing new, where that is longer than it usually takes; else null.</summary>
    public DateTimeOffset? UpstreamSilentSince { get; init; }

    /// <summary>
    /// "None", "WrongClock", "NotCollected", "CollectionFailed", "PublicationFailed", "CourierLate", "NothingImported", "NotIngested",
    /// "ClairSilent", "Restored", "Deselected" or "Unsupported".
    /// </summary>
    public required string Cause { get; init; }

    /// <summary>The cause in words, with whose it is to mend; empty for none.</summary>
    public required string CauseText { get; init; }

    /// <summary>Why it is in its state, for people.</summary>
    public required string Reason { get; init; }

    /// <summary>What to do about it; null where nothing is to be done.</summary>
    public string? Remedy { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Source}: {Level}";
}

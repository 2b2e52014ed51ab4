namespace QuayAirGap.Core.Freshness;

/// <summary>How content came to a site. Times are UTC.</summary>
/// <param name="CreatedAt">When the newest bundle that came was made; null before the first.</param>
/// <param name="PublishedAt">When it was published here; null outside the gap.</param>
/// <param name="IsRestored">Whether an older state than the newest is served.</param>
internal sealed record FeedWay(DateTimeOffset? CreatedAt, DateTimeOffset? PublishedAt, bool IsRestored)
{
    /// <summary>Who took the most of an age: the collector, the courier, or whoever did nothing since.</summary>
    public FeedCause LongestPart(DateTimeOffset capturedAt, DateTimeOffset now)
    {
        DateTimeOffset published = PublishedAt ?? now;
        DateTimeOffset created = CreatedAt ?? published;
        (FeedCause Cause, TimeSpan Part)[] parts =
        [
            (FeedCause.NothingImported, now - published),
            (FeedCause.CourierLate, published - created),
            (FeedCause.NotCollected, created - capturedAt),
        ];
        return parts.MaxBy(p => p.Part).Cause;
    }
}

namespace QuayAirGap.Core.Freshness;

/// <summary>How content came to a site. Times are UTC.</summary>
/// <param name="CreatedAt">When the newest bundle that came was made; null before the first.</param>
/// <param name="PublishedAt">When it was published here; null outside the gap.</param>
/// <param name="IsRestored">Whether an older state than the newest is served.</param>
internal sealed record FeedWay(DateTimeOffset? CreatedAt, DateTimeOffset? PublishedAt, bool IsRestored)
{
    /// <summary>Who took the most of an age: the collector, the courier, Clair, or whoever did nothing since.</summary>
    /// <param name="capturedAt">When the content was captured.</param>
    /// <param name="now">UTC.</param>
    /// <param name="clairBehindSince">Since when Clair lacks something that is served; null where it lacks nothing, or nobody asked.</param>
    public FeedCause LongestPart(DateTimeOffset capturedAt, DateTimeOffset now, DateTimeOffset? clairBehindSince = null)
    {
        DateTimeOffset published = PublishedAt ?? now;
        DateTimeOffset created = CreatedAt ?? published;
        (FeedCause Cause, TimeSpan Part)[] parts =
        [
            (FeedCause.NotIngested, now - (clairBehindSince ?? now)),
            (FeedCause.NothingImported, now - published),
            (FeedCause.CourierLate, published - created),
            (FeedCause.NotCollected, created - capturedAt),
        ];
        return parts.MaxBy(p => p.Part).Cause;
    }
}

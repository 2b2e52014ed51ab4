namespace QuayAirGap.Core.Collecting;

/// <summary>How the collector treats upstreams. The defaults are what a polite client that nobody watches needs.</summary>
public sealed record UpstreamOptions
{
    /// <summary>Requests under way at one host at once.</summary>
    public int RequestsPerHost { get; init; } = 8;

    /// <summary>Tries of one request, the first included.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The first pause between two tries; it doubles, with jitter, and a Retry-After header replaces it.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a source is taken whose upstream changes underneath, the first time included.</summary>
    public int Takes { get; init; } = 3;

    /// <summary>The pause before a source is taken again, and again as long before each further time: upstreams publish for minutes.</summary>
    public TimeSpan RetakeDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest Retry-After that is waited for.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long an upstream may take to answer, and how long it may pause within a body.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The largest file taken, in bytes: far above every feed, far below a disk.</summary>
    public long LargestFile { get; init; } = 8L << 30;
}

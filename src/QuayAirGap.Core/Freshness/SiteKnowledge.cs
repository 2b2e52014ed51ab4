using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Core.Freshness;

/// <summary>What a site knows besides its content, and judges the content by. Times are UTC.</summary>
internal sealed record SiteKnowledge
{
    /// <summary>The newest time that anything signed, or this clock itself, ever told this site: the clock must not be before it.</summary>
    public DateTimeOffset? NewestTime { get; init; }

    /// <summary>What the clock should say by the time that the machine has run; null where that is not known.</summary>
    public DateTimeOffset? Expected { get; init; }

    /// <summary>Modification times that each source's upstream had, rising: its rhythm, as far as it is known.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<DateTimeOffset>> Upstreams { get; init; } = new Dictionary<string, IReadOnlyList<DateTimeOffset>>();

    /// <summary>What is known of the Clair that reads the mirror; null where nobody asks it.</summary>
    public ClairView? Clair { get; init; }

    /// <summary>What the images here need; null where nobody has said.</summary>
    public FeedNeedList? Needs { get; init; }
}

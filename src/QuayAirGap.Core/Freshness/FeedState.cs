namespace QuayAirGap.Core.Freshness;

/// <summary>What is known of a source's content. A source is in exactly one of these states.</summary>
public enum FeedState
{
    /// <summary>Captured, and younger than its warning threshold.</summary>
    Fresh,

    /// <summary>Captured, but too old, or of an age that cannot be trusted.</summary>
    Stale,

    /// <summary>Needed here, and never captured or never brought in.</summary>
    Missing,

    /// <summary>The last capture or publication failed; what is there is of the one before.</summary>
    Failed,

    /// <summary>Left out by a decision, outside or here.</summary>
    Deselected,

    /// <summary>A program on the way cannot collect or publish it.</summary>
    Unsupported,
}

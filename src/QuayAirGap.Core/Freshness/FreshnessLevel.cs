namespace QuayAirGap.Core.Freshness;

/// <summary>How much a source's state matters, rising.</summary>
public enum FreshnessLevel
{
    Ok,
    Warning,
    Critical,

    /// <summary>So old that its results must not be relied upon.</summary>
    Expired,
}

namespace QuayAirGap.Core.Coverage;

/// <summary>What the feeds of a site can say of one image. The later, the more likely is a clean-looking result to be false.</summary>
public enum CoverageVerdict
{
    /// <summary>Every package that Clair can judge is judged from fresh feeds.</summary>
    Covered,

    /// <summary>Every feed that the image needs is there, but at least one is older than its warning threshold.</summary>
    Stale,

    /// <summary>A distribution release that its upstream no longer publishes advisories for: no finding does not mean no vulnerability.</summary>
    EndOfLife,

    /// <summary>Something in the image that Clair never judges, whatever feeds are there (Rocky Linux, npm).</summary>
    Unsupported,

    /// <summary>A feed that the image needs is missing, failed, quarantined or deselected.</summary>
    Incomplete,

    /// <summary>Clair has no finished index report of it, or found nothing in it that it could judge.</summary>
    Unindexed,
}

namespace QuayAirGap.Core.Coverage;

/// <summary>The codes of gaps and notes. A code is never renamed and never used for another meaning.</summary>
public static class CoverageCodes
{
    /// <summary>There, and older than its warning threshold; or of an age that a wrong clock hides.</summary>
    public const string FeedStale = "FEED-STALE";

    /// <summary>Never captured, never brought in, or without the release that is needed.</summary>
    public const string FeedMissing = "FEED-MISSING";

    /// <summary>Its last capture or publication failed.</summary>
    public const string FeedFailed = "FEED-FAILED";

    /// <summary>Its last capture had lost so much that it was not taken.</summary>
    public const string FeedQuarantined = "FEED-QUARANTINED";

    /// <summary>Left out by a decision, here or where the feeds are collected.</summary>
    public const string FeedDeselected = "FEED-DESELECTED";

    /// <summary>A program on the way is too old to carry it.</summary>
    public const string FeedUnsupported = "FEED-UNSUPPORTED";

    /// <summary>Served here, and the Clair that was asked has never ingested it.</summary>
    public const string FeedNotIngested = "FEED-NOT-INGESTED";

    /// <summary>Served here, and Clair is known to lack what is new in it for longer than it may.</summary>
    public const string ClairBehind = "CLAIR-BEHIND";

    /// <summary>Served here, and whether Clair has it is not known: it does not answer, or nobody asked the Clair that the settings name.</summary>
    public const string ClairSilent = "CLAIR-SILENT";

    /// <summary>A mapping of the indexer is old: repositories that are newer than it are unknown to Clair.</summary>
    public const string MappingStale = "MAPPING-STALE";

    /// <summary>The image is newer than the mapping that it is indexed with.</summary>
    public const string MappingOlderThanImage = "MAPPING-OLDER-THAN-IMAGE";

    /// <summary>Red Hat packages of no repository that Clair knows: nothing is ever found for them.</summary>
    public const string RhelNoRepository = "RHEL-NO-REPOSITORY";

    /// <summary>Clair never judges it.</summary>
    public const string Unsupported = "UNSUPPORTED";

    /// <summary>Its upstream publishes no more advisories for it.</summary>
    public const string EndOfLife = "END-OF-LIFE";

    /// <summary>Clair has no report of the image.</summary>
    public const string NotIndexed = "NOT-INDEXED";

    /// <summary>Clair's indexer failed, or has not come to its end.</summary>
    public const string IndexUnfinished = "INDEX-UNFINISHED";

    /// <summary>Clair found no package at all.</summary>
    public const string NoPackages = "NO-PACKAGES";

    /// <summary>Clair found a distribution, and not one of its packages.</summary>
    public const string NoDistributionPackages = "NO-DISTRIBUTION-PACKAGES";

    /// <summary>A note: single advisories of a feed are not published.</summary>
    public const string FeedPartial = "FEED-PARTIAL";

    /// <summary>A note: severities and scores, not findings, are concerned.</summary>
    public const string ScoresIncomplete = "SCORES-INCOMPLETE";

    /// <summary>A note: the image has more than one distribution.</summary>
    public const string SeveralDistributions = "SEVERAL-DISTRIBUTIONS";
}

using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Scanning;

/// <summary>What is reported of one image or of many. Times are UTC.</summary>
public sealed record ScanReport
{
    public required string Site { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The release of Clair whose rules were taken.</summary>
    public required string ClairRelease { get; init; }

    /// <summary>Whether Clair itself was asked what it has.</summary>
    public ClairAsked ClairAsked { get; init; }

    /// <summary>When Clair last answered; null where it never did, or nobody asked.</summary>
    public DateTimeOffset? ClairAnsweredAt { get; init; }

    /// <summary>The generation that the site serves; null where it serves none.</summary>
    public int? Generation { get; init; }

    /// <summary>How every feed of the site stands.</summary>
    public required IReadOnlyList<SourceFreshness> Sources { get; init; }

    /// <summary>By the risk that a clean-looking result is false, the highest first.</summary>
    public required IReadOnlyList<ScannedImage> Images { get; init; }

    public CoverageVerdict Worst => Images.Count == 0 ? CoverageVerdict.Unindexed : Images[0].Coverage.Verdict;

    /// <param name="site">What messages call it.</param>
    /// <param name="feeds">What it serves.</param>
    /// <param name="evaluator">What judged the images by it.</param>
    /// <param name="images">In any order.</param>
    public static ScanReport Of(string site, SiteFeeds feeds, CoverageEvaluator evaluator, IEnumerable<ScannedImage> images) => new()
    {
        Site = site,
        MadeAt = feeds.Now.ToUniversalTime(),
        ClairRelease = evaluator.Release.Name,
        ClairAsked = evaluator.ClairAsked,
        ClairAnsweredAt = feeds.ClairAnsweredAt,
        Generation = feeds.Generation,
        Sources = feeds.Sources,
        Images =
        [
            .. images.OrderByDescending(i => i.Coverage.Verdict).ThenByDescending(i => i.Coverage.PackageCount - i.Coverage.PackagesSpokenFor)
                .ThenByDescending(i => i.Counts.Keys.Append(ScanSeverity.Unknown).Max()).ThenBy(i => i.Name, StringComparer.Ordinal),
        ],
    };

    /// <summary>When the content was captured that a finding rests on; null where that is not known.</summary>
    public DateTimeOffset? CapturedAt(string? source) => source is null ? null : Sources.FirstOrDefault(s => s.Name == source)?.CapturedAt;
}

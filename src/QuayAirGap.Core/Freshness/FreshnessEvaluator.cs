using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Freshness;

/// <summary>Says of every source of the catalogue how old it is. It doubts in one direction only: what is not known to be fresh is not.</summary>
public static class FreshnessEvaluator
{
    /// <param name="settings">Of the site that asks: what it needs, and its thresholds.</param>
    /// <param name="snapshot">The newest that the site has, or null before the first.</param>
    /// <param name="publishedAt">When it was published here, UTC; null where nothing is published.</param>
    /// <param name="newestKnownTime">The newest time that anything signed ever told this site, UTC: the clock must not be before it.</param>
    /// <param name="now">This machine's clock, UTC.</param>
    /// <returns>Every source of the catalogue once, in its order.</returns>
    public static IReadOnlyList<SourceFreshness> Evaluate(
        SiteSettings settings, Snapshot? snapshot, DateTimeOffset? publishedAt, DateTimeOffset? newestKnownTime, DateTimeOffset now) =>
        Evaluate(settings, snapshot, publishedAt, now, new SiteKnowledge { NewestTime = newestKnownTime });

    /// <summary>As the other, of what is published: a source whose publication failed counts as it is served, not as it was carried in.</summary>
    /// <param name="settings">Of the site that asks.</param>
    /// <param name="generation">The one that is served, or null before the first.</param>
    /// <param name="newestKnownTime">The newest time that anything signed ever told this site, UTC; the generation's own is known already.</param>
    /// <param name="now">This machine's clock, UTC.</param>
    public static IReadOnlyList<SourceFreshness> Evaluate(
        SiteSettings settings, Generation? generation, DateTimeOffset? newestKnownTime, DateTimeOffset now) =>
        Evaluate(settings, generation, now, new SiteKnowledge { NewestTime = newestKnownTime });

    /// <summary>As the public one, with everything that a site knows.</summary>
    internal static IReadOnlyList<SourceFreshness> Evaluate(
        SiteSettings settings, Snapshot? snapshot, DateTimeOffset? publishedAt, DateTimeOffset now, SiteKnowledge known) => Evaluate(
        settings, snapshot?.Sources, new FeedWay(snapshot?.Created, publishedAt, IsRestored: false), snapshot?.Created ?? publishedAt,
        new FreshnessClock(now, Later(Later(known.NewestTime, snapshot?.Created), publishedAt), known.Expected, snapshot?.Created), known with { Clair = null });

    /// <summary>As the public one, with everything that a site knows.</summary>
    internal static IReadOnlyList<SourceFreshness> Evaluate(SiteSettings settings, Generation? generation, DateTimeOffset now, SiteKnowledge known) => Evaluate(
        settings, generation?.Sources,
        new FeedWay(generation?.NewestSnapshot, generation?.PublishedAt, generation is not null && generation.Sequence < generation.HighestSequence),
        generation?.PublishedAt,
        new FreshnessClock(
            now, Later(Later(known.NewestTime, generation?.NewestSnapshot), generation?.PublishedAt), known.Expected, generation?.NewestSnapshot),
        known);

    internal static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b : a;

    /// <param name="clock">Captures are not among its known times: one that claims to be from the future must not make the others look old.</param>
    private static IReadOnlyList<SourceFreshness> Evaluate(
        SiteSettings settings, IReadOnlyList<SourceSnapshot>? sources, FeedWay way, DateTimeOffset? knownSince, FreshnessClock clock, SiteKnowledge known) =>
    [
        .. settings.Sources.Select(s =>
        {
            SourceSnapshot? source = sources?.FirstOrDefault(c => c.Name == s.Name);
            SourceFreshness judged = new SourceJudge(
                s, clock, sources is not null, source, way, knownSince, known.Upstreams.GetValueOrDefault(s.Name) ?? [], known.Clair).Judge();
            return known.Needs?.Of(s.Name) is { } need ? NeedJudge.Judge(judged, source, need, clock.Now) : judged;
        }),
    ];
}

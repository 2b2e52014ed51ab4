using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Freshness;

/// <summary>How old everything is that a site has.</summary>
public static class SiteFreshness
{
    /// <summary>What is served decides; a collecting site, which serves nothing, is judged by its newest capture.</summary>
    /// <returns>Every source of the catalogue once, in its order.</returns>
    public static IReadOnlyList<SourceFreshness> Of(Site site, SiteSettings settings, TimeProvider clock) =>
        Of(site, settings, WarningState.Load(site, out _), clock.GetUtcNow());

    /// <param name="kept">What earlier runs of the warnings saw: the clock's latest time, and the rhythm of the upstreams.</param>
    /// <param name="now">This machine's clock, UTC.</param>
    internal static IReadOnlyList<SourceFreshness> Of(Site site, SiteSettings settings, WarningState kept, DateTimeOffset now) =>
        new GenerationStore(site).LoadCurrent() is { } generation
            ? FreshnessEvaluator.Evaluate(settings, generation, kept.SeenAt, now, kept.Upstreams)
            : FreshnessEvaluator.Evaluate(settings, new SnapshotStore(site).LoadNewest(), publishedAt: null, kept.SeenAt, now, kept.Upstreams);

    /// <summary>
    /// Whether everything required is fresh, and something is: a source that nobody requires, or a site with none, has not been found good.
    /// </summary>
    public static bool IsGood(IReadOnlyCollection<SourceFreshness> sources) =>
        sources.Any(s => s.Required) && sources.All(s => !s.Required || s.Level == FreshnessLevel.Ok);
}

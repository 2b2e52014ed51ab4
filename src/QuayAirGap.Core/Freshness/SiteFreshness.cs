using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Freshness;

/// <summary>What was found at a site, and by which clock.</summary>
/// <param name="Sources">Every source of the catalogue once.</param>
/// <param name="Clock">The time, and what is known against it.</param>
internal sealed record SiteLook(IReadOnlyList<SourceFreshness> Sources, FreshnessClock Clock);

/// <summary>How old everything is that a site has.</summary>
public static class SiteFreshness
{
    /// <summary>
    /// What is served decides; a collecting site, which serves nothing, is judged by its newest capture. Nobody is asked: what is known of
    /// Clair is what <see cref="ClairWatch"/> last kept.
    /// </summary>
    /// <returns>Every source of the catalogue once, in its order.</returns>
    /// <exception cref="FeedException">
    /// The site cannot be judged; <see cref="ErrorIds.NeedFileInvalid"/>: what the images here need cannot be told.
    /// </exception>
    public static IReadOnlyList<SourceFreshness> Of(Site site, SiteSettings settings, TimeProvider clock) =>
        Of(site, settings, KnownClair(site, settings), clock);

    /// <param name="clair">What is known of Clair; null where nobody asks it.</param>
    public static IReadOnlyList<SourceFreshness> Of(Site site, SiteSettings settings, ClairRecord? clair, TimeProvider clock) =>
        Look(site, settings, WarningState.Load(site, out _), clair, clock.GetUtcNow(), MachineUptime.Beside(clock)).Sources;

    /// <summary>As the others, of a generation that the caller has at hand.</summary>
    /// <param name="generation">The one that is served; null for none.</param>
    public static IReadOnlyList<SourceFreshness> Of(Site site, SiteSettings settings, Generation? generation, TimeProvider clock) =>
        Look(
            site, settings, generation, WarningState.Load(site, out _), KnownClair(site, settings), clock.GetUtcNow(), MachineUptime.Beside(clock)).Sources;

    /// <summary>What was last kept of the Clair that the settings name; null where they name none.</summary>
    public static ClairRecord? KnownClair(Site site, SiteSettings settings) => settings.Clair is { } clair ? ClairRecord.Load(site, clair) : null;

    /// <param name="kept">What earlier runs of the warnings saw: the clock's latest time, and the rhythm of the upstreams.</param>
    /// <param name="clair">What is known of Clair; null where nobody asks it.</param>
    /// <param name="now">This machine's clock, UTC.</param>
    /// <param name="uptime">How long the machine has been running; null where it does not tell.</param>
    internal static SiteLook Look(Site site, SiteSettings settings, WarningState kept, ClairRecord? clair, DateTimeOffset now, MachineUptime? uptime) =>
        Look(site, settings, new GenerationStore(site).LoadCurrent(), kept, clair, now, uptime);

    /// <param name="clair">What is known of Clair; null where nobody asks it.</param>
    /// <param name="uptime">How long the machine has been running; null where it does not tell.</param>
    internal static SiteKnowledge Knowledge(
        SiteSettings settings, Generation? generation, WarningState kept, ClairRecord? clair, MachineUptime? uptime) => new()
        {
            NewestTime = kept.SeenAt,
            Expected = kept.Anchor?.ExpectedAt(uptime),
            Upstreams = kept.Upstreams,
            Clair = generation is not null && settings.Clair is { } asked && clair is not null ? new ClairView(asked, clair, generation.Number) : null,
        };

    /// <summary>As the other, of a generation that the caller has at hand; its tables of archive members need not be there.</summary>
    internal static SiteLook Look(
        Site site, SiteSettings settings, Generation? generation, WarningState kept, ClairRecord? clair, DateTimeOffset now, MachineUptime? uptime)
    {
        SiteKnowledge known = Knowledge(settings, generation, kept, clair, uptime) with { Needs = FeedNeedList.OfSite(site) };
        if (generation is null)
        {
            Snapshot? newest = new SnapshotStore(site).LoadNewest();
            return new SiteLook(
                FreshnessEvaluator.Evaluate(settings, newest, publishedAt: null, now, known),
                new FreshnessClock(now, known.NewestTime, known.Expected, newest?.Created));
        }

        return new SiteLook(
            FreshnessEvaluator.Evaluate(settings, StoreChecker.Judged(site, generation), now, known),
            new FreshnessClock(now, FreshnessEvaluator.Later(known.NewestTime, generation.NewestSnapshot), known.Expected, generation.NewestSnapshot));
    }

    /// <summary>
    /// Whether everything required is fresh, and something is: a source that nobody requires, or a site with none, has not been found good.
    /// </summary>
    public static bool IsGood(IReadOnlyCollection<SourceFreshness> sources) =>
        sources.Any(s => s.Required) && sources.All(s => !s.Required || s.Level == FreshnessLevel.Ok);
}

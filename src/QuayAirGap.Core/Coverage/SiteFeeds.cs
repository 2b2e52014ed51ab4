using System.Collections.Frozen;
using System.Globalization;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Coverage;

/// <summary>
/// What a site serves, as far as coverage asks for it. The content never changes; ages do, so that a view that is kept for long never
/// calls fresh what has become old meanwhile. Safe for concurrent use.
/// </summary>
public sealed class SiteFeeds
{
    /// <summary>Ages are told in days: nobody needs them to the second.</summary>
    private static readonly TimeSpan s_agesHold = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _clock;
    private readonly SiteSettings _settings;
    private readonly Generation? _generation;
    private readonly WarningState _kept;
    private readonly ClairRecord? _clair;
    private readonly FrozenDictionary<string, SourceSnapshot> _published;
    private readonly FrozenSet<string> _served;
    private readonly Lazy<IReadOnlyDictionary<string, SettingsDecision>> _decisions;
    private Ages _ages;

    private SiteFeeds(Site site, string stamp, SiteSettings settings, Generation? generation, WarningState kept, TimeProvider clock)
    {
        Stamp = stamp;
        _settings = settings;
        _generation = generation;
        _kept = kept;
        _clair = SiteFreshness.KnownClair(site, settings);
        _clock = clock;
        _published = (generation?.Sources ?? []).DistinctBy(s => s.Name).ToFrozenDictionary(s => s.Name, StringComparer.Ordinal);
        _served = (generation?.Entries ?? []).Select(e => e.Source).ToFrozenSet(StringComparer.Ordinal);
        _decisions = new Lazy<IReadOnlyDictionary<string, SettingsDecision>>(() => SettingsDecision.NewestOf(site));
        _ages = AgesAt(clock.GetUtcNow());
    }

    /// <summary>Differs where anything but the time has changed: as long as <see cref="StampOf"/> says the same, this view holds.</summary>
    public string Stamp { get; }

    /// <summary>The number of the generation that is served; null where none is.</summary>
    public int? Generation => _generation?.Number;

    /// <summary>When that was published, UTC.</summary>
    public DateTimeOffset? PublishedAt => _generation?.PublishedAt;

    /// <summary>Every source of the catalogue, as old as it is now.</summary>
    public IReadOnlyList<SourceFreshness> Sources => Current().Sources;

    /// <summary>What of the upstreams' content is not published.</summary>
    public IReadOnlyList<HeldBackItem> HeldBack => _generation?.HeldBack ?? [];

    /// <summary>The release of Clair whose rules this site's settings name.</summary>
    public ClairRelease Release => _settings.ClairRelease;

    /// <summary>Whether the ages know of Clair itself; never <see cref="ClairAsked.Updaters"/>.</summary>
    public ClairAsked ClairAsked => _settings.Clair is null ? ClairAsked.NotAsked : Current().Clair is null ? ClairAsked.Silent : ClairAsked.Answered;

    /// <summary>When the Clair that the settings name last answered, UTC; null where it never did, or none is named.</summary>
    public DateTimeOffset? ClairAnsweredAt => _clair?.AnsweredAt;

    /// <summary>When the older of the indexer's mappings was captured, UTC; null where one is missing.</summary>
    public DateTimeOffset? MappingsCapturedAt
    {
        get
        {
            DateTimeOffset?[] captured =
            [
                .. new[] { CoverageRules.RepositoryMapping, CoverageRules.ContainerMapping }.Select(n => _served.Contains(n) ? _published.GetValueOrDefault(n)?.CapturedAt : null),
            ];
            return captured.Contains(null) ? null : captured.Min();
        }
    }

    /// <summary>This machine's clock, UTC.</summary>
    public DateTimeOffset Now => _clock.GetUtcNow();

    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.GenerationDamaged"/>, <see cref="ErrorIds.GenerationNotFound"/> or <see cref="ErrorIds.SettingsInvalid"/>
    /// </exception>
    public static SiteFeeds Load(Site site, TimeProvider clock)
    {
        // The stamp first: what changes while the rest is read makes the next look see another one.
        string stamp = StampOf(site);
        var settings = SiteSettings.Load(site);
        var store = new GenerationStore(site);
        Generation? generation = store.CurrentNumber is { } number ? StoreChecker.Judged(site, LoadIndex(store, number)) : null;
        return new SiteFeeds(site, stamp, settings, generation, WarningState.Load(site, out _), clock);
    }

    /// <summary>What <see cref="Stamp"/> would be now; costs a few calls to the file system.</summary>
    public static string StampOf(Site site)
    {
        static string Of(string file)
        {
            var info = new FileInfo(file);
            return info.Exists ? string.Create(CultureInfo.InvariantCulture, $"{info.Length}-{info.LastWriteTimeUtc.Ticks}") : "none";
        }

        return string.Join('|', new[] { site.CurrentFile, site.SettingsFile, WarningState.FileOf(site), ClairRecord.FileOf(site), site.Damage.Path }.Select(Of))
            + "|" + new GenerationStore(site).CurrentNumber?.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>How a feed stands for somebody who needs it.</summary>
    internal FeedStanding StandingOf(CoverageTarget target) => new FeedJudge(
        target,
        FreshnessOf(target),
        _generation is not null,
        _published.GetValueOrDefault(target.Source),
        _served.Contains(target.Source),
        _settings.Sources.FirstOrDefault(s => s.Name == target.Source),
        HeldBack,
        () => _decisions.Value.GetValueOrDefault(target.Source)).Judge();

    /// <summary>When what is known of Clair's part in a source stops to be good by itself, UTC; null where that decides nothing, or is over already.</summary>
    internal DateTimeOffset? ClairGoodUntil(string source)
    {
        Ages ages = Current();
        return ages.Clair is { } clair && ClairWatch.CanTell(source) && ages.BySource.GetValueOrDefault(source) is { } freshness && clair.GoodUntil(freshness) is var end && end > ages.At
            ? end : null;
    }

    /// <summary>The releases or ecosystems of a source that are served; empty for none, and for a source without parts.</summary>
    public IReadOnlyList<string> PartsOf(string source) =>
        _served.Contains(source) && _published.GetValueOrDefault(source) is { CapturedAt: not null } published ? published.Releases : [];

    /// <summary>Those of a target's updaters that are served.</summary>
    internal IEnumerable<string> ServedOf(CoverageTarget target) =>
        _published.GetValueOrDefault(target.Source) is { } published ? target.Updaters.Where(published.Updaters.Contains) : [];

    /// <summary>
    /// Of its source. Where Clair lacks something of the source and nothing of the target, the target stands as it is served: an image must not
    /// look incomplete for an ecosystem that it does not use.
    /// </summary>
    private SourceFreshness? FreshnessOf(CoverageTarget target)
    {
        Ages ages = Current();
        return ages.BySource.GetValueOrDefault(target.Source) is { Cause: FeedCause.NotIngested } behind
            ? ages.Clair?.HasAll(target.Source, [.. ServedOf(target)]) == true ? ages.Served[target.Source] : behind
            : ages.BySource.GetValueOrDefault(target.Source);
    }

    private static Generation LoadIndex(GenerationStore store, int number)
    {
        string folder = store.FolderOf(number);
        return Directory.Exists(folder) ? Publishing.Generation.LoadIndex(folder) : store.Load(number);
    }

    private Ages Current()
    {
        DateTimeOffset now = _clock.GetUtcNow();
        Ages ages = _ages;
        if ((now - ages.At).Duration() >= s_agesHold)
        {
            _ages = ages = AgesAt(now);
        }

        return ages;
    }

    private Ages AgesAt(DateTimeOffset now)
    {
        SiteKnowledge known = SiteFreshness.Knowledge(_settings, _generation, _kept, _clair, MachineUptime.Beside(_clock));
        IReadOnlyList<SourceFreshness> sources = FreshnessEvaluator.Evaluate(_settings, _generation, now, known);
        IReadOnlyList<SourceFreshness> served = known.Clair is null ? sources : FreshnessEvaluator.Evaluate(_settings, _generation, now, known with { Clair = null });
        return new Ages(
            now, sources, sources.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal), served.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal),
            known.Clair?.IsHeard(now) == true ? known.Clair : null);
    }

    /// <param name="BySource">As Clair has them, as far as that is known.</param>
    /// <param name="Served">As they are served.</param>
    /// <param name="Clair">Null where it is not known what it has.</param>
    private sealed record Ages(
        DateTimeOffset At, IReadOnlyList<SourceFreshness> Sources, FrozenDictionary<string, SourceFreshness> BySource,
        FrozenDictionary<string, SourceFreshness> Served, ClairView? Clair);
}

using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using Xunit;

namespace QuayAirGap.Core.Tests.Freshness;

public sealed class FreshnessEvaluatorTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(CaptureState.Captured, 0, FeedState.Fresh, FreshnessLevel.Ok)]
    [InlineData(CaptureState.Captured, 71, FeedState.Fresh, FreshnessLevel.Ok)]
    [InlineData(CaptureState.Captured, 72, FeedState.Stale, FreshnessLevel.Warning)]
    [InlineData(CaptureState.Captured, 119, FeedState.Stale, FreshnessLevel.Warning)]
    [InlineData(CaptureState.Captured, 120, FeedState.Stale, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Captured, 168, FeedState.Stale, FreshnessLevel.Expired)]
    [InlineData(CaptureState.Captured, 20000, FeedState.Stale, FreshnessLevel.Expired)]
    [InlineData(CaptureState.Captured, null, FeedState.Missing, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Failed, 0, FeedState.Failed, FreshnessLevel.Warning)]
    [InlineData(CaptureState.Failed, 72, FeedState.Failed, FreshnessLevel.Warning)]
    [InlineData(CaptureState.Failed, 120, FeedState.Failed, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Failed, 168, FeedState.Failed, FreshnessLevel.Expired)]
    [InlineData(CaptureState.Failed, null, FeedState.Failed, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Missing, null, FeedState.Missing, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Deselected, null, FeedState.Deselected, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Deselected, 1, FeedState.Deselected, FreshnessLevel.Critical)]
    [InlineData(CaptureState.Unsupported, null, FeedState.Unsupported, FreshnessLevel.Critical)]
    public void A_required_source_is_in_the_state_and_at_the_level_that_its_capture_deserves(
        CaptureState captured, int? hours, FeedState state, FreshnessLevel level)
    {
        SourceFreshness alpine = Alpine(Settings(), Snapshot(captured, hours));

        Assert.Equal((state, level), (alpine.State, alpine.Level));
        Assert.True(alpine.Required);
        Assert.Equal(hours is { } h ? TimeSpan.FromHours(h) : null, alpine.Age);
        Assert.EndsWith(".", alpine.Reason);
        Assert.Equal(state == FeedState.Fresh, alpine.Remedy is null);
    }

    [Fact]
    public void A_failure_is_told_with_its_reason_and_the_true_age_of_what_is_there()
    {
        SourceFreshness alpine = Alpine(Settings(), Snapshot(CaptureState.Failed, 50));

        Assert.Contains("the upstream was down", alpine.Reason);
        Assert.Contains("2 days 2 hours", alpine.Reason);
    }

    [Fact]
    public void A_source_disabled_here_is_deselected_and_nobody_is_warned()
    {
        SourceFreshness alpine = Alpine(Settings(s => s with { Enabled = false }), Snapshot(CaptureState.Captured, 10000));

        Assert.Equal((FeedState.Deselected, FreshnessLevel.Ok, false), (alpine.State, alpine.Level, alpine.Required));
    }

    [Fact]
    public void Without_a_snapshot_every_required_source_is_missing()
    {
        IReadOnlyList<SourceFreshness> all = FreshnessEvaluator.Evaluate(Settings(), snapshot: null, null, null, s_now);

        Assert.All(all.Where(s => s.Required), s => Assert.Equal((FeedState.Missing, FreshnessLevel.Critical), (s.State, s.Level)));
        Assert.Equal(SourceCatalog.All.Count(s => s.EnabledByDefault), all.Count(s => s.Required));
    }

    [Fact]
    public void A_source_that_the_snapshot_does_not_know_is_missing_and_expires_with_the_snapshot()
    {
        Snapshot without = Snapshot(CaptureState.Captured, 1) with { Sources = [] };

        Assert.Equal(FreshnessLevel.Critical, Alpine(Settings(), without).Level);
        SourceFreshness later = FreshnessEvaluator.Evaluate(Settings(), without, null, null, s_now.AddDays(8)).First(s => s.Name == "alpine");
        Assert.Equal((FeedState.Missing, FreshnessLevel.Expired), (later.State, later.Level));
    }

    [Theory]
    [InlineData(4, FeedState.Fresh, FreshnessLevel.Ok)]
    [InlineData(6, FeedState.Stale, FreshnessLevel.Critical)]
    [InlineData(60 * 24 * 365, FeedState.Stale, FreshnessLevel.Critical)]
    public void A_capture_from_the_future_never_looks_fresh(int minutes, FeedState state, FreshnessLevel level)
    {
        Snapshot snapshot = Snapshot(CaptureState.Captured, 0) with { Created = s_now };
        snapshot = snapshot with { Sources = [snapshot.Sources[0] with { CapturedAt = s_now.AddMinutes(minutes) }] };

        SourceFreshness alpine = Alpine(Settings(), snapshot);

        Assert.Equal((state, level), (alpine.State, alpine.Level));
        Assert.Equal(level == FreshnessLevel.Ok ? TimeSpan.Zero : null, alpine.Age);
        Assert.Equal(state == FeedState.Stale, alpine.Reason.Contains("clock", StringComparison.Ordinal));
    }

    [Fact]
    public void A_clock_that_was_set_back_never_makes_anything_fresh_and_the_age_is_the_least_that_it_can_be()
    {
        Snapshot snapshot = Snapshot(CaptureState.Captured, 1);

        SourceFreshness back = FreshnessEvaluator.Evaluate(Settings(), snapshot, null, s_now.AddDays(4), s_now)[0];
        SourceFreshness far = FreshnessEvaluator.Evaluate(Settings(), snapshot, null, s_now.AddDays(40), s_now)[0];
        SourceFreshness published = FreshnessEvaluator.Evaluate(Settings(), snapshot, s_now.AddMinutes(6), null, s_now)[0];

        Assert.Equal((FeedState.Stale, FreshnessLevel.Critical), (back.State, back.Level));
        Assert.Equal(new TimeSpan(4, 1, 0, 0), back.Age);
        Assert.Equal((FeedState.Stale, FreshnessLevel.Expired), (far.State, far.Level));
        Assert.Equal((FeedState.Stale, FreshnessLevel.Critical), (published.State, published.Level));
        Assert.All([back, far, published], s => Assert.Contains("the clock is wrong", s.Reason));
    }

    [Fact]
    public void What_counts_of_a_generation_is_what_it_serves()
    {
        var generation = new Generation
        {
            Number = 3,
            PublishedAt = s_now.AddHours(-1),
            Stream = Guid.Empty,
            Sequence = 1,
            HighestSequence = 1,
            NewestSnapshot = s_now.AddHours(-2),
            SnapshotSha256 = new string('0', 64),
            Sources = [new SourceSnapshot { Name = "alpine", State = CaptureState.Failed, CapturedAt = s_now.AddDays(-6), Error = "Not published: x" }],
            Entries = [],
        };

        SourceFreshness alpine = FreshnessEvaluator.Evaluate(Settings(), generation, null, s_now).First(s => s.Name == "alpine");
        SourceFreshness behind = FreshnessEvaluator.Evaluate(Settings(), generation, null, s_now.AddHours(-5)).First(s => s.Name == "alpine");

        Assert.Equal((FeedState.Failed, FreshnessLevel.Critical, generation.PublishedAt), (alpine.State, alpine.Level, alpine.PublishedAt));
        Assert.Contains("Not published: x", alpine.Reason);
        Assert.Contains("clock", behind.Reason);
    }

    [Fact]
    public void No_combination_lets_a_required_source_that_is_not_fresh_pass_for_good()
    {
        TimeSpan[] thresholds = [TimeSpan.FromMinutes(1), TimeSpan.FromDays(3), TimeSpan.FromDays(5), FeedDuration.Longest];
        double?[] ages = [null, -1e5, -6, -1, 0, 1, 60, 4319, 4320, 1e4, 1e6, 1e8];
        double?[] known = [null, -1e6, -1, 0, 4, 6, 1e6];
        int fresh = 0;
        var cases =
            from captured in Enum.GetValues<CaptureState>().Cast<CaptureState?>().Append(null)
            from age in ages
            from newest in known
            from publishedAge in known
            from warn in thresholds
            from enabled in new[] { true, false }
            from hasSnapshot in new[] { true, false }
            select (captured, age, newest, publishedAge, warn, enabled, hasSnapshot);
        foreach ((CaptureState? captured, double? age, double? newest, double? publishedAge, TimeSpan warn, bool enabled, bool hasSnapshot) in cases)
        {
            SiteSettings settings = Settings(s => s with
            {
                Enabled = enabled,
                WarnAfter = warn,
                CriticalAfter = warn * 2 > FeedDuration.Longest ? warn : warn * 2,
                ExpireAfter = FeedDuration.Longest,
            });
            DateTimeOffset? capturedAt = age is { } a ? s_now.AddMinutes(-a) : null;
            Snapshot snapshot = Snapshot(CaptureState.Captured, 1);
            snapshot = snapshot with
            {
                Sources = captured is { } state ? [new SourceSnapshot { Name = "alpine", State = state, CapturedAt = capturedAt }] : [],
            };

            SourceFreshness s = FreshnessEvaluator.Evaluate(
                settings, hasSnapshot ? snapshot : null, publishedAge is { } p ? s_now.AddMinutes(p) : null,
                newest is { } n ? s_now.AddMinutes(n) : null, s_now)[0];

            Assert.Equal("alpine", s.Name);
            Assert.True(Enum.IsDefined(s.State));
            Assert.Equal(enabled, s.Required);
            Assert.Equal(s.Required && s.State != FeedState.Fresh, s.Required && s.Level != FreshnessLevel.Ok);
            Assert.True(s.Age is null || s.Age >= TimeSpan.Zero);
            if (s.State == FeedState.Fresh)
            {
                fresh++;
                Assert.Equal(CaptureState.Captured, captured);
                Assert.True(hasSnapshot && age > -5.01 && TimeSpan.FromMinutes(Math.Max(0, age!.Value)) < warn, $"{age} {warn}");
                Assert.True(newest is null or < 5 && publishedAge is null or < 5, $"{newest} {publishedAge}");
            }
        }

        Assert.True(fresh > 100, $"{fresh}");
    }

    private static SourceFreshness Alpine(SiteSettings settings, Snapshot snapshot) =>
        FreshnessEvaluator.Evaluate(settings, snapshot, publishedAt: null, newestKnownTime: null, s_now).Single(s => s.Name == "alpine");

    private static SiteSettings Settings(Func<SourceSettings, SourceSettings>? alpine = null) => new()
    {
        Sources =
        [
            .. SiteSettings.LoadOrDefault(null).Sources.Select(s => s.Name == "alpine" && alpine is not null ? alpine(s) : s),
        ],
    };

    private static Snapshot Snapshot(CaptureState state, int? hours) => new()
    {
        Stream = Guid.Empty,
        Sequence = 1,
        Created = s_now,
        Expires = s_now.AddDays(30),
        Producer = "test",
        Sources =
        [
            new SourceSnapshot
            {
                Name = "alpine",
                State = state,
                CapturedAt = hours is { } h ? s_now.AddHours(-h) : null,
                Error = state == CaptureState.Failed ? "the upstream was down." : null,
            },
        ],
    };
}

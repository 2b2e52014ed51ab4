using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Notifying;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Core.Tests.Freshness;

/// <summary>The fourth clock: what Clair is proved to have counts, not what lies ready for it.</summary>
public sealed class ClairFreshnessTests : IDisposable
{
    private static readonly DateTimeOffset s_start = WarnedSite.Start;

    private readonly WarnedSite _site = new("") { Clair = "  url: http://clair.example:6060\n  pickUpWithin: 12h" };
    private readonly FakeTimeProvider _clock = new(s_start);

    public ClairFreshnessTests() => _site.Require("alpine");

    private SourceFreshness Alpine => _site.Freshness(_clock).Single(s => s.Name == "alpine");

    [Fact]
    public void Nobody_asks_where_no_Clair_is_named_and_that_is_said()
    {
        _site.Clair = null;
        _site.Require("alpine");
        Publish(0);
        Assert.Equal((ClairHolding.NotAsked, FreshnessLevel.Ok, null, null), (Alpine.ClairHolding, Alpine.Level, Alpine.IngestedAt, Alpine.ClairBehindSince));
    }

    [Fact]
    public void What_is_served_is_fresh_only_once_it_is_proved_to_be_in_Clair()
    {
        Publish(0);
        Assert.Equal((ClairHolding.Unknown, FreshnessLevel.Warning, FeedState.Stale, FeedCause.ClairSilent), Standing);
        Assert.Contains("never asked", Alpine.Reason, StringComparison.Ordinal);

        Hear();
        Assert.Equal((ClairHolding.Missing, FreshnessLevel.Warning, FeedState.Missing, FeedCause.NotIngested), Standing);
        _clock.Advance(TimeSpan.FromHours(13));
        Hear();
        Assert.Equal((ClairHolding.Missing, FreshnessLevel.Critical, FeedState.Missing, FeedCause.NotIngested), Standing);
        Assert.Contains("may look clean", Alpine.Reason, StringComparison.Ordinal);
        Assert.Contains("Clair's log", Alpine.Remedy, StringComparison.Ordinal);

        Hear(1);
        Assert.Equal((ClairHolding.Current, FreshnessLevel.Ok, FeedState.Fresh, FeedCause.None), Standing);
        Assert.Equal((_clock.GetUtcNow(), 1, s_start, null), (Alpine.IngestedAt!.Value, Alpine.IngestedGeneration!.Value, Alpine.IngestedCapturedAt!.Value, Alpine.ClairBehindSince));

        // The proof is as old as it is, however often it is looked at again.
        DateTimeOffset proved = _clock.GetUtcNow();
        _clock.Advance(TimeSpan.FromHours(5));
        Hear(1);
        Assert.Equal(proved, Alpine.IngestedAt);
    }

    [Fact]
    public void A_Clair_that_does_not_pick_it_up_is_late_and_then_as_old_as_what_it_has()
    {
        Publish(0);
        Hear(1);
        List<(FreshnessLevel Level, FeedCause Cause)> days = [];
        for (int day = 1; day <= 9; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            Publish(0);
            Hear(1); // it keeps the first day's
            SourceFreshness alpine = Alpine;
            days.Add((alpine.Level, alpine.Cause));
            Assert.Equal((s_start, s_start.AddDays(1), TimeSpan.Zero), (alpine.IngestedCapturedAt, alpine.ClairBehindSince!.Value, alpine.Age));
        }

        Assert.Equal(
            [
                FreshnessLevel.Ok, FreshnessLevel.Warning, FreshnessLevel.Warning, FreshnessLevel.Warning, FreshnessLevel.Critical, FreshnessLevel.Critical,
                FreshnessLevel.Expired, FreshnessLevel.Expired, FreshnessLevel.Expired,
            ],
            days.Select(d => d.Level));
        Assert.All(days.Skip(1), d => Assert.Equal(FeedCause.NotIngested, d.Cause));
        Assert.Contains("Clair lacks what is served since 2026-01-02 00:30 UTC (alpine-main-v3.20-updater); what it has was captured 9 days ago.", Alpine.Reason, StringComparison.Ordinal);

        // Generations come and go; what was once proved stays so while the fingerprint is the same.
        foreach (string folder in Directory.GetDirectories(_site.Site.GenerationsFolder).Where(d => Path.GetFileName(d) is not "10"))
        {
            Directory.Delete(folder, recursive: true);
        }

        Hear(1);
        Assert.Equal((ClairHolding.Older, FreshnessLevel.Expired, FeedState.Stale, FeedCause.NotIngested), Standing);
        Assert.Equal(s_start, Alpine.IngestedCapturedAt);
        Assert.Equal(s_start.AddDays(1), Alpine.ClairBehindSince);
        HearOf("\"elsewhere\"");
        Assert.Equal((ClairHolding.Unproven, FreshnessLevel.Expired, FeedState.Stale, FeedCause.NotIngested), Standing);
        Assert.Null(Alpine.IngestedCapturedAt);
    }

    [Fact]
    public void An_import_after_a_long_pause_makes_nothing_fresh_before_Clair_has_it()
    {
        Publish(0);
        Hear(1);
        _clock.Advance(TimeSpan.FromDays(8));
        Hear(1);
        Publish(0);
        Assert.Equal((ClairHolding.Older, FreshnessLevel.Expired, FeedState.Stale, FeedCause.NotIngested), Standing); // not asked since, and not needed to know
        Hear(2);
        Assert.Equal((ClairHolding.Current, FreshnessLevel.Ok, FeedState.Fresh, FeedCause.None), Standing);
    }

    [Fact]
    public void The_same_content_captured_again_is_in_Clair_already()
    {
        Publish(0);
        Hear(1);
        _clock.Advance(TimeSpan.FromDays(4));
        _site.Publish(_clock.GetUtcNow(), _clock.GetUtcNow(), content: "1", WarnedSite.Alpine(_clock.GetUtcNow()));
        Hear(1);
        Assert.Equal((ClairHolding.Current, FreshnessLevel.Ok, FeedState.Fresh, FeedCause.None), Standing);
        Assert.Equal(_clock.GetUtcNow(), Alpine.IngestedCapturedAt);
    }

    [Fact]
    public async Task A_Clair_that_does_not_answer_is_never_green_and_nothing_that_was_known_is_forgotten()
    {
        await using ClairServer server = await ClairServer.StartAsync("c2hvcnQ=", "quay");
        _site.Clair = $"  url: {server.Uri}\n  pskFile: {_site["psk"]}";
        _site.Require("alpine");
        Publish(0);
        await AskAsync();
        Assert.Equal((ClairHolding.Unknown, FreshnessLevel.Warning, FeedState.Stale, FeedCause.ClairSilent), Standing);
        Assert.Contains("psk' cannot be read", Alpine.Reason, StringComparison.Ordinal);

        await File.WriteAllTextAsync(_site["psk"], "c2hvcnQ=\n", TestContext.Current.CancellationToken);
        server.Operations.Add(new(WarnedSite.Updater, WarnedSite.Fingerprint("1"), s_start));
        await AskAsync();
        Assert.Equal((ClairHolding.Current, FreshnessLevel.Ok, FeedState.Fresh, FeedCause.None), Standing);

        await File.WriteAllTextAsync(_site["psk"], "b3RoZXI=\n", TestContext.Current.CancellationToken);
        await AskAsync();
        Assert.Equal((ClairHolding.Unknown, FreshnessLevel.Warning, FeedState.Stale, FeedCause.ClairSilent), Standing);
        Assert.Equal((s_start, 1), (Alpine.IngestedAt!.Value, Alpine.IngestedGeneration!.Value));
        Assert.Contains("refuses the key", Alpine.Reason, StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromDays(6));
        Publish(0);
        await AskAsync();
        Assert.Equal((ClairHolding.Unknown, FreshnessLevel.Critical, FeedState.Stale, FeedCause.NotIngested), Standing);
    }

    [Fact]
    public void What_was_heard_a_day_ago_proves_nothing_any_more_nor_does_what_another_Clair_said()
    {
        Publish(0);
        Hear(1);
        _clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal((ClairHolding.Unknown, FreshnessLevel.Warning, FeedState.Stale, FeedCause.ClairSilent), Standing);
        Hear(1);
        Assert.Equal(FreshnessLevel.Ok, Alpine.Level);
        _site.Clair = "  url: http://another.example:6060";
        _site.Require("alpine");
        Assert.Equal((ClairHolding.Unknown, FreshnessLevel.Warning, FeedState.Stale, FeedCause.ClairSilent), Standing);
        File.WriteAllText(Path.Combine(_site.Site.Root, "clair.json"), "{\"version\":1,\"url\":\"http://another.example:6060/\",\"sources\":nu");
        Assert.Equal(ClairHolding.Unknown, Alpine.ClairHolding);
    }

    [Fact]
    public void What_Clair_cannot_tell_is_not_held_against_it_and_an_old_capture_stays_the_collectors()
    {
        _site.Require("repository-to-cpe", "alpine");
        _site.Publish(
            s_start, s_start, content: "1", WarnedSite.Alpine(s_start.AddDays(-6)), WarnedSite.Alpine(s_start) with { Name = "repository-to-cpe" });
        Hear(1);
        SourceFreshness mapping = _site.Freshness(_clock).Single(s => s.Name == "repository-to-cpe");
        Assert.Equal((ClairHolding.Untellable, FreshnessLevel.Ok), (mapping.ClairHolding, mapping.Level));
        Assert.Equal((ClairHolding.Current, FreshnessLevel.Critical, FeedState.Stale, FeedCause.NotCollected), Standing);
    }

    [Fact]
    public void Photons_other_names_are_another_releases_and_count_for_nothing()
    {
        _site.Require("photon");
        _site.Publish(s_start, s_start, content: "1", WarnedSite.Alpine(s_start) with
        {
            Name = "photon",
            Updaters = ["photon-updater-3.0", "photon-updater-4.0", "photon-updater-photon3"],
        });
        ClairOperation Operation(string name) => new(Guid.NewGuid(), name, $$"""{"Etag":{{System.Text.Json.JsonSerializer.Serialize(WarnedSite.Fingerprint("1"))}}}""", s_start, false);
        SourceFreshness Photon(params string[] names)
        {
            Learn([.. names.Select(Operation)]);
            return _site.Freshness(_clock).Single(s => s.Name == "photon");
        }

        Assert.Equal(ClairHolding.Current, Photon("photon-updater-photon3").ClairHolding);
        Assert.Equal(ClairHolding.Missing, Photon("photon-updater-3.0").ClairHolding);
        Assert.Contains("(photon-updater-4.0)", Photon("photon-updater-3.0").Reason, StringComparison.Ordinal);
        Assert.Equal(ClairHolding.Current, Photon("photon-updater-3.0", "photon-updater-4.0").ClairHolding);
        Assert.Equal(ClairHolding.Current, Photon("photon-updater-3.0", "photon-updater-4.0", "photon-updater-photon3").ClairHolding);
    }

    [Theory]
    [InlineData("  url: ftp://clair.example", "http or https")]
    [InlineData("  url: http://u:p@clair.example", "password")]
    [InlineData("  pskFile: /p", "'clair' needs 'url'")]
    [InlineData("  url: http://clair.example\n  pskFile: psk", "whole path")]
    [InlineData("  url: http://clair.example\n  pskFile: /p\n  pskVariable: P", "not both")]
    [InlineData("  url: http://clair.example\n  psk: secret", "'psk' is not a setting of 'clair'")]
    public void Settings_that_mean_nothing_or_hold_a_secret_are_refused(string clair, string said)
    {
        _site.Clair = clair;
        _site.Require("alpine");
        FeedException error = Assert.Throws<FeedException>(() => SiteSettings.Load(_site.Site));
        Assert.Equal(ErrorIds.SettingsInvalid, error.ErrorId);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _site.Dispose();

    private (ClairHolding Holding, FreshnessLevel Level, FeedState State, FeedCause Cause) Standing =>
        Alpine is var a ? (a.ClairHolding, a.Level, a.State, a.Cause) : default;

    /// <summary>Publishes what was captured so long ago; its content is the generation's number.</summary>
    private void Publish(int daysAgo) => _site.Publish(_clock.GetUtcNow(), _clock.GetUtcNow(), WarnedSite.Alpine(_clock.GetUtcNow().AddDays(-daysAgo)));

    /// <summary>Clair answers, and has the content of these generations.</summary>
    private void Hear(params int[] generations) => HearOf([.. generations.Select(g => WarnedSite.Fingerprint($"{g}"))]);

    private void HearOf(params string[] fingerprints) =>
        Learn([.. fingerprints.Select(f => new ClairOperation(Guid.NewGuid(), WarnedSite.Updater, f, s_start, false))]);

    private void Learn(params ClairOperation[] operations)
    {
        ClairSettings settings = SiteSettings.Load(_site.Site).Clair!;
        ClairWatch.Learn(_site.Site, ClairRecord.Load(_site.Site, settings), operations, _clock.GetUtcNow()).Save(_site.Site);
    }

    private async Task AskAsync()
    {
        ClairSettings settings = SiteSettings.Load(_site.Site).Clair!;
        (await ClairWatch.AskAsync(_site.Site, settings, _clock, TestContext.Current.CancellationToken)).Save(_site.Site);
    }
}

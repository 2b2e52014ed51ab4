using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>A year of a schedule that looks every six hours, with everything that goes wrong in one, checked in every run.</summary>
public sealed class SimulatedYearTests
{
    private const string Key = "c2hvcnQ=";

    [Fact]
    public async Task Nobody_is_left_unwarned_and_nobody_is_flooded()
    {
        var told = new List<System.Text.Json.Nodes.JsonNode>();
        using var hook = new HttpSink((_, body) =>
        {
            told.Add(System.Text.Json.Nodes.JsonNode.Parse(body)!);
            return (200, "");
        });
        await using ClairServer server = await ClairServer.StartAsync(Key, "quay");
        using var site = new WarnedSite($"  webhook:\n    url: {hook.Url}");
        string psk = site["psk"];
        File.WriteAllText(psk, Key);
        site.Clair = $"  url: {server.Uri}\n  pskFile: {psk}\n  pickUpWithin: 12h";
        site.Require("alpine");
        var year = new Year();
        DateTimeOffset lastTold = default;
        FreshnessLevel last = FreshnessLevel.Ok;
        var causes = new HashSet<FeedCause>();
        int silences = 0;
        string boot = "first";
        for (int step = 0; step < 365 * 4; step++)
        {
            year.Begin(step);
            if (year.Publishes is { } published)
            {
                site.Publish(year.Truth, published.Captured, published.Content, WarnedSite.Alpine(published.Captured, published.Modified));
            }

            if (step == 240 * 4 || step == 250 * 4)
            {
                site.Require(year.IsRequired ? ["alpine"] : ["debian"]);
            }

            File.WriteAllText(psk, year.ClairAnswers ? Key : "b3RoZXI=");
            server.Operations.Clear();
            server.Operations.Add(new(WarnedSite.Updater, WarnedSite.Fingerprint(year.InClair.Content), year.Truth));

            // On day 340 the machine is started anew with its clock ahead: nothing tells it that, until somebody says so.
            boot = year.Day == 340 && step % 4 == 0 ? "second" : boot;
            var clock = new FakeTimeProvider(year.Truth + year.ClockError);
            var uptime = new MachineUptime(boot, year.Truth - WarnedSite.Start);
            int before = told.Count;
            var settings = SiteSettings.Load(site.Site);
            var request = new WarningRequest
            {
                AcceptClock = step == 341 * 4,
                Clair = await ClairWatch.AskAsync(site.Site, settings.Clair!, clock, CancellationToken.None),
            };
            using (var sender = new WarningSender(site.Site, request, clock, uptime))
            {
                Assert.Null((await sender.SendAsync(_ => true, CancellationToken.None)).Single().Error);
            }

            IReadOnlyList<SourceFreshness> all = SiteFreshness.Look(
                site.Site, settings, WarningState.Load(site.Site, out _), request.Clair, clock.GetUtcNow(), uptime).Sources;
            FreshnessLevel level = all.Where(s => s.Required).Max(s => s.Level);
            SourceFreshness alpine = all.Single(s => s.Name == "alpine");
            string at = $"day {year.Day}, {year.Truth:HH:mm}: {alpine.Level} {alpine.Cause} {alpine.Reason}";
            causes.Add(alpine.Cause);
            if (year.IsRequired)
            {
                // The truth, of what scans are made with: older than three days is never green, whatever a clock says.
                Assert.False(level == FreshnessLevel.Ok && year.Truth - year.InClair.Captured >= TimeSpan.FromDays(3), "false green: " + at);
                Assert.False(level == FreshnessLevel.Ok && year.Truth - alpine.CapturedAt >= TimeSpan.FromDays(3), "false green: " + at);
                (FreshnessLevel expected, FeedCause cause) = year.Expected;
                Assert.True(alpine.Level == expected && alpine.Cause == cause, $"{expected} {cause} expected on {at}");
                silences += alpine.SilentSince is null ? 0 : 1;
            }
            else
            {
                Assert.NotEqual(FreshnessLevel.Ok, level); // Debian is needed then, and was never brought in
                Assert.Equal((FreshnessLevel.Ok, FeedCause.None, FeedState.Deselected), (alpine.Level, alpine.Cause, alpine.State));
            }

            FreshnessLevel whole = level == FreshnessLevel.Ok && alpine is { Required: true, SilentSince: not null } ? FreshnessLevel.Warning : level;
            int sent = told.Count - before;
            Assert.True(sent <= 1, at);
            if (whole != last)
            {
                Assert.True(sent == 1, $"no message about {last} -> {whole}: {at}");
            }
            else if (whole == FreshnessLevel.Ok)
            {
                Assert.Equal(0, sent);
            }
            else if (year.Day is not (280 or 282 or 300 or 301 or 340 or 341))
            {
                Assert.True(sent == 0 || year.Truth - lastTold >= TimeSpan.FromDays(1), $"twice within a day at a steady level: {at}");
                Assert.True(sent == 1 || year.Truth - lastTold < TimeSpan.FromDays(1) + TimeSpan.FromHours(6), $"silent for more than a day: {at}");
            }

            if (sent > 0)
            {
                AssertTells(told[^1], whole, all.Where(s => s.Required && s.Level != FreshnessLevel.Ok), at);
                lastTold = year.Truth;
            }

            last = whole;
        }

        Assert.Equal(FreshnessLevel.Ok, last);
        Assert.Superset(
            new HashSet<FeedCause>
            {
                FeedCause.NothingImported, FeedCause.CourierLate, FeedCause.WrongClock, FeedCause.NotIngested, FeedCause.ClairSilent, FeedCause.None,
            },
            causes);
        Assert.InRange(silences, 4 * 20, 4 * 30); // frozen for 40 days, of which 14 are nothing unusual
        Assert.InRange(told.Count, 60, 140);
    }

    /// <summary>A message says what is so: its event, its level, and of each source that is not fresh its state, its cause and what to do.</summary>
    private static void AssertTells(System.Text.Json.Nodes.JsonNode message, FreshnessLevel level, IEnumerable<SourceFreshness> bad, string at)
    {
        Assert.Equal(level == FreshnessLevel.Ok ? "feed.resolved" : "feed.problem", (string?)message["event"]);
        Assert.Equal(level.ToString().ToLowerInvariant(), (string?)message["level"]);
        Assert.Equal(
            bad.Select(s => ($"{s.Name}", s.State.ToString().ToLowerInvariant(), $"{s.Cause}", (string?)s.Remedy)),
            message["sources"]!.AsArray().Select(s => ((string)s!["name"]!, (string)s["state"]!, (string)s["cause"]!, (string?)s["remedy"])));
        Assert.True(level == FreshnessLevel.Ok || message["sources"]!.AsArray().Count + message["notes"]!.AsArray().Count > 0, at);
    }

    [Theory]
    [InlineData(10, 2, 1, FeedCause.NotCollected)]
    [InlineData(10, 9, 1, FeedCause.CourierLate)]
    [InlineData(10, 10, 9, FeedCause.NothingImported)]
    public void The_longest_part_of_the_way_is_the_cause(int captured, int created, int published, FeedCause cause)
    {
        using var site = new WarnedSite("");
        DateTimeOffset now = WarnedSite.Start;
        site.Publish(now.AddDays(-published), now.AddDays(-created), WarnedSite.Alpine(now.AddDays(-captured)));
        SourceFreshness alpine = site.Freshness(new FakeTimeProvider(now)).Single(s => s.Name == "alpine");
        Assert.Equal((cause, now.AddDays(-captured + 3)), (alpine.Cause, alpine.StaleSince));
        Assert.NotEmpty(alpine.CauseText);
    }

    [Theory]
    [InlineData("  mail:\n    to: a@b.c", "quayConfig")]
    [InlineData("  mail:\n    host: h\n    from: a@b.c\n    to: a@b.c\n    security: none\n    userName: u\n    passwordFile: /p", "anybody can read")]
    [InlineData("  mail:\n    host: h\n    from: a@b.c\n    to: a@b.c\n    password: x", "passwordFile")]
    [InlineData("  quay:\n    url: https://u:p@quay.example\n    tokenFile: /t", "password")]
    [InlineData("  quay:\n    url: https://quay.example", "tokenFile")]
    [InlineData("  webhook:\n    url: https://hook.example/?key=1", "query")]
    [InlineData("  webhook:\n    url: https://hook.example/\n    urlFile: /u", "not both")]
    [InlineData("  textfile:\n    path: feeds.prom", "whole path")]
    [InlineData("  textfile:\n    path: /x/feeds.txt", ".prom")]
    [InlineData("  pager:\n    x: y", "'pager' is not a channel")]
    public void Settings_that_mean_nothing_or_hold_a_secret_are_refused(string warnings, string said)
    {
        using var site = new WarnedSite(warnings);
        FeedException error = Assert.Throws<FeedException>(() => SiteSettings.Load(site.Site));
        Assert.Equal(ErrorIds.SettingsInvalid, error.ErrorId);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_channel_it_is_said_that_nobody_would_be_warned_and_lost_state_warns_again()
    {
        using var site = new WarnedSite("");
        var clock = new FakeTimeProvider(WarnedSite.Start);
        Assert.Equal(ErrorIds.WarningNotConfigured, (await Assert.ThrowsAsync<FeedException>(() => site.SendAsync(clock))).ErrorId);
        site.Warnings = $"  textfile:\n    path: {site["x.prom"]}";
        site.Require("alpine");
        File.WriteAllText(Path.Combine(site.Site.Root, "warnings.json"), "{\"version\":1,\"channels\":nu");
        using (var sender = new WarningSender(site.Site, new WarningRequest(), clock))
        {
            Assert.NotNull(sender.StateDamage);
            Assert.Equal(ErrorIds.SiteBusy, Assert.Throws<FeedException>(() => new WarningSender(site.Site, new WarningRequest(), clock)).ErrorId);
            Assert.True((await sender.SendAsync(_ => true, CancellationToken.None)).Single().Sent);
        }

        Assert.Equal(CaptureState.Captured, WarnedSite.Alpine(WarnedSite.Start).State);
        Assert.Null(WarningState.Load(site.Site, out string? damage).Channels.GetValueOrDefault(WarningChannel.Mail));
        Assert.Null(damage);
    }
}

using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using Xunit;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>A year of an hourly schedule, with everything that goes wrong in one, checked in every run.</summary>
public sealed class SimulatedYearTests
{
    [Fact]
    public async Task Nobody_is_left_unwarned_and_nobody_is_flooded()
    {
        string hookFile = "  webhook:\n";
        var told = new List<(DateTimeOffset At, string Event, string Level)>();
        using var hook = new HttpSink((_, body) =>
        {
            var node = System.Text.Json.Nodes.JsonNode.Parse(body)!;
            told.Add((DateTimeOffset.UnixEpoch, (string)node["event"]!, (string)node["level"]!));
            return (200, "");
        });
        using var site = new WarnedSite($"{hookFile}    url: {hook.Url}");
        DateTimeOffset truth = WarnedSite.Start;
        DateTimeOffset captured = truth;
        DateTimeOffset modified = truth;
        bool required = true;
        FreshnessLevel last = FreshnessLevel.Ok;
        DateTimeOffset lastTold = default;
        var causes = new HashSet<FeedCause>();
        int silences = 0;
        site.Publish(truth, truth, WarnedSite.Alpine(truth, truth));
        int steps = 365 * 4;
        for (int step = 0; step < steps; step++, truth = WarnedSite.Start.AddHours(6 * step))
        {
            int day = step / 4;
            // Collected at midnight and carried in at six, unless something is wrong.
            bool collects = day is not (>= 40 and < 52);
            bool frozen = day is >= 100 and < 140;
            bool carried = day is not (>= 160 and < 164);
            if (step % 4 == 0 && collects)
            {
                captured = truth;
                modified = frozen ? modified : truth.AddHours(-2);
            }

            if (step % 4 == 1 && collects && carried && required)
            {
                // The courier brings what is four days old on the days 200 to 219.
                DateTimeOffset content = day is >= 200 and < 220 ? captured.AddDays(-4) : captured;
                site.Publish(truth, content, WarnedSite.Alpine(content, modified < content ? modified : content));
            }

            bool needed = day is not (>= 240 and < 250);
            if (needed != required)
            {
                required = needed;
                site.Require(required ? ["alpine"] : ["debian"]);
            }

            // Days 280 and 281: set back by 9 days; 300: leapt ahead by 30 and put right by somebody who says so on day 301.
            TimeSpan wrong = day is 280 or 281 ? TimeSpan.FromDays(-9) : day == 300 ? TimeSpan.FromDays(30) : TimeSpan.Zero;
            var clock = new FakeTimeProvider(truth + wrong);
            int before = told.Count;
            IReadOnlyList<WarningOutcome> outcomes = await site.SendAsync(clock, new WarningRequest { AcceptClock = day == 301 && step % 4 == 0 });
            Assert.Null(outcomes.Single().Error);
            IReadOnlyList<SourceFreshness> all = site.Freshness(clock);
            FreshnessLevel level = all.Where(s => s.Required).Max(s => s.Level);
            SourceFreshness alpine = all.Single(s => s.Name == "alpine");
            causes.Add(alpine.Cause);

            if (alpine.Required)
            {
                // The truth, of what is served: older than three days is never green, whatever the clock says.
                Assert.False(level == FreshnessLevel.Ok && truth - alpine.CapturedAt >= TimeSpan.FromDays(3), $"false green on day {day}");
                if (wrong == TimeSpan.Zero && alpine.Cause != FeedCause.WrongClock)
                {
                    FreshnessLevel expected = (truth - alpine.CapturedAt!.Value).TotalDays switch
                    {
                        >= 7 => FreshnessLevel.Expired,
                        >= 5 => FreshnessLevel.Critical,
                        >= 3 => FreshnessLevel.Warning,
                        _ => FreshnessLevel.Ok,
                    };
                    Assert.Equal(expected, alpine.Level);
                }

                silences += alpine.SilentSince is null ? 0 : 1;
            }
            else
            {
                Assert.NotEqual(FreshnessLevel.Ok, level); // Debian is needed then, and was never brought in
            }

            FreshnessLevel site_level = level == FreshnessLevel.Ok && alpine is { Required: true, SilentSince: not null } ? FreshnessLevel.Warning : level;
            int sent = told.Count - before;
            Assert.True(sent <= 1);
            bool clockLeapt = day is 280 or 282 or 300 or 301;
            if (site_level != last)
            {
                Assert.True(sent == 1, $"no message about {last} -> {site_level} on day {day}");
                Assert.Equal(site_level == FreshnessLevel.Ok ? "feed.resolved" : "feed.problem", told[^1].Event);
                Assert.Equal(site_level.ToString().ToLowerInvariant(), told[^1].Level);
            }
            else if (site_level == FreshnessLevel.Ok)
            {
                Assert.Equal(0, sent);
            }
            else if (!clockLeapt)
            {
                Assert.True(sent == 0 || truth - lastTold >= TimeSpan.FromDays(1), $"twice within a day at a steady level, day {day}");
                Assert.True(sent == 1 || truth - lastTold < TimeSpan.FromDays(1) + TimeSpan.FromHours(6), $"silent for more than a day, day {day}");
            }

            last = site_level;
            lastTold = sent > 0 ? truth : lastTold;
        }

        Assert.Equal(FreshnessLevel.Ok, last);
        Assert.Superset(new HashSet<FeedCause> { FeedCause.NothingImported, FeedCause.CourierLate, FeedCause.WrongClock, FeedCause.None }, causes);
        Assert.InRange(silences, 4 * 20, 4 * 30); // frozen for 40 days, of which 14 are nothing unusual
        Assert.InRange(told.Count, 40, 120);
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

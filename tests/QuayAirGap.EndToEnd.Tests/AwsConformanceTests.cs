using QuayAirGap.Core.Publishing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Upstream;
using Xunit;
using static QuayAirGap.EndToEnd.Tests.ConformanceRig;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>Amazon Linux, which cannot be told where to ask, and a real day of it.</summary>
public sealed class AwsConformanceTests
{
    [Fact]
    public async Task Amazon_linux_that_has_moved_to_another_repository_is_followed_and_reverted()
    {
        await using TwoSites sites = await SampleAsync();
        int first = (await sites.CarryAsync()).Generation.Number;
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        Assert.Equal(2, clair.Aws.Held["aws-AL2023-updater"].Count);

        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        IReadOnlyList<ClairUpdate> updates = await PollAsync(clair, sites);
        Assert.Equal(
            ["aws-AL2023-updater"],
            updates.Where(u => u.Updater.StartsWith("aws", StringComparison.Ordinal) && u.Outcome == ClairOutcome.Updated).Select(u => u.Updater));
        Assert.Equal(3, clair.Aws.Held["aws-AL2023-updater"].Count);

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(first);
        await PollAsync(clair, sites);
        Assert.Equal(2, clair.Aws.Held["aws-AL2023-updater"].Count);
    }

    [Fact]
    public async Task Real_days_of_amazon_nvd_and_kev_end_as_upstream_has_them()
    {
        string? day0 = Repository.Feeds("day0");
        string? day1 = Repository.Feeds("day1");
        Assert.SkipUnless(day0 is not null && day1 is not null, "The real feed data is not beside the checkout.");
        var years = new UpstreamLayer(Repository.EmptyNvdYears, UpstreamTime);
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(day0!, UpstreamTime), years);
        using ClairMatcher clair = await ClairAsync(sites);
        await TakeAsync();
        int advisories = clair.Aws.Held.Values.Sum(h => h.Count);
        int scores = clair.Cvss.Held.Count;
        Assert.True(advisories > 10_000 && scores > 1000, $"{advisories} {scores}");

        Assert.All(new[] { await OutcomeAsync(clair.Aws), await OutcomeAsync(clair.Cvss) }, o => Assert.Equal((ClairOutcome.Unchanged, null), o));

        sites.Upstream.SetLayers(new UpstreamLayer(day1!, UpstreamTime.AddDays(1)), years);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await TakeAsync();
        Assert.True(clair.Aws.Held.Values.Sum(h => h.Count) > advisories);
        Assert.True(clair.Cvss.Held.Count > scores);

        async Task TakeAsync()
        {
            ImportResult import = await sites.CarryAsync("aws", "clair.cvss", "clair.kev");
            Assert.All(
                import.Generation.Sources.Where(s => s.Name is "aws" or "clair.cvss" or "clair.kev"), s => Assert.Null(s.Error));
            await ServedAsync(sites, "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2026.meta");
            using var reference = new ClairMatcher(ClairConfig.AsUpstream(sites.Upstream.Root), sites.Clock);
            foreach (ClairMatcher matcher in new[] { reference, clair })
            {
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Aws));
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Cvss));
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Kev));
            }

            Assert.All(reference.Aws.Held, held => Assert.True(held.Value.SetEquals(clair.Aws.Held[held.Key]), held.Key));
            Assert.Equal(reference.Cvss.Held, clair.Cvss.Held);
            Assert.Equal(reference.Kev.Held, clair.Kev.Held);
        }
    }
}

using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>A mirror in the upstreams' place: what a second collector gets there is as old as it is, and no younger.</summary>
public sealed class CascadeTests
{
    [Fact]
    public async Task A_second_collector_gets_every_source_with_the_age_that_it_has_at_the_first_mirror()
    {
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), new DateTimeOffset(2026, 11, 20, 6, 0, 0, TimeSpan.Zero)));
        DateTimeOffset captured = sites.Clock.GetUtcNow();
        await sites.CarryAsync();
        Uri mirror = await sites.MirrorAsync();
        sites.Clock.Advance(TimeSpan.FromDays(16));

        Snapshot second = await sites.SaveFromAsync(mirror);
        Snapshot again = await sites.SaveFromAsync(mirror); // all of it confirmed and not fetched

        foreach (Snapshot snapshot in new[] { second, again })
        {
            SourceSnapshot[] collected = [.. snapshot.Sources.Where(s => s.State != CaptureState.Deselected)];
            Assert.Equal(12, collected.Length);
            Assert.All(collected, s => Assert.True(s.State == CaptureState.Captured, $"{s.Name}: {s.State}, {s.Error}"));
            Assert.All(collected, s => Assert.Equal(captured, s.CapturedAt));
        }

        Assert.NotEmpty(second.Sources.Single(s => s.Name == "ubuntu").Releases);
        Site station = Site.Open(Path.Combine(sites.Folder, "station"));
        IReadOnlyList<SourceFreshness> freshness = SiteFreshness.Of(station, SiteSettings.Load(station), sites.Clock);
        Assert.All(freshness.Where(f => f.Required), f => Assert.Equal((FeedState.Stale, FreshnessLevel.Expired), (f.State, f.Level)));
    }
}

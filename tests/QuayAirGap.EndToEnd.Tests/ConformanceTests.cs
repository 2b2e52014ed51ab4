using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;
using static QuayAirGap.EndToEnd.Tests.ConformanceRig;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>
/// Acts as Clair's updaters against the served mirror: Clair ends with what a new Clair would have had from the upstream itself, at the state
/// that the current generation carries.
/// </summary>
public sealed class ConformanceTests
{
    public static TheoryData<ClairRelease> Releases() => [ClairRelease.V490, ClairRelease.Main];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_new_clair_ends_with_what_upstream_has_and_asks_for_no_single_document(ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites, release);

        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
        Assert.Equal(0, clair.RhelVex.LastCost.DocumentRequests);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_second_poll_of_the_same_generation_transfers_nothing(ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites, release);
        await PollAsync(clair, sites);

        IReadOnlyList<ClairUpdate> second = await PollAsync(clair, sites);

        // rhel-vex makes an operation at each run, whatever the answers are (M17); all else says "unchanged".
        Assert.All(second.Where(u => u.Updater != "rhel-vex"), u => Assert.Equal(ClairOutcome.Unchanged, u.Outcome));
        Assert.Equal(2, clair.RhelVex.LastCost.Requests);
        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task Real_feeds_end_as_upstream_has_them()
    {
        string? small = Repository.Feeds("small");
        string? next = Repository.Feeds("small-next");
        string? synthetic = Repository.Feeds("synthetic");

        // A checkout keeps no file times, and this one decides which documents are newer than the archive.
        var archived = new DateTimeOffset(2025, 2, 1, 6, 0, 0, TimeSpan.Zero);
        Assert.SkipUnless(small is not null && next is not null && synthetic is not null, "The real feed data is not beside the checkout.");
        var years = new UpstreamLayer(Repository.EmptyNvdYears, UpstreamTime);
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(small!, UpstreamTime), new UpstreamLayer(synthetic!, UpstreamTime), years);
        sites.Upstream.SetLastModified(Vex + "csaf_vex_2025-02-01.tar.zst", archived);
        RealFeeds.FillGaps(sites.Upstream);
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        await SameAsUpstreamAsync(clair, sites);

        sites.Upstream.SetLayers(new UpstreamLayer(next!, UpstreamTime.AddDays(1)), new UpstreamLayer(synthetic!, UpstreamTime), years);
        sites.Upstream.SetLastModified(Vex + "csaf_vex_2025-02-01.tar.zst", archived);
        RealFeeds.FillGaps(sites.Upstream);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        await PollAsync(clair, sites);
        await SameAsUpstreamAsync(clair, sites);
    }
}

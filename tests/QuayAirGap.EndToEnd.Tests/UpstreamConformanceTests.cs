using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>
/// A Clair without any feed setting, with a proxy or other name resolution and one more certificate authority, ends with the same as one
/// that asks the upstreams.
/// </summary>
public sealed class UpstreamConformanceTests
{
    private static readonly DateTimeOffset s_upstreamTime = new(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);

    public static TheoryData<bool, ClairRelease> Ways() =>
        new() { { true, ClairRelease.V490 }, { true, ClairRelease.Main }, { false, ClairRelease.Main } };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_ends_with_what_upstream_has_through_changes_and_reverts(bool proxy, ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        int first = (await sites.CarryAsync()).Generation.Number;
        using var clair = new ClairMatcher(await sites.UpstreamConfigAsync(proxy) with { Release = release }, sites.Clock);
        await PollAsync(clair);
        await ConformanceRig.SameAsUpstreamAsync(clair, sites);
        Assert.Equal(0, clair.RhelVex.LastCost.DocumentRequests);

        // rhel-vex makes an operation at each run, whatever the answers are; all else says "unchanged".
        Assert.All(
            (await PollAsync(clair)).Where(u => u.Updater != "rhel-vex"),
            u => Assert.True(u.Outcome == ClairOutcome.Unchanged, $"{u.Updater}: {u.Outcome}"));

        sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample("day2"), s_upstreamTime.AddDays(1)));
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        await LookedAsync();
        await PollAsync(clair);
        await ConformanceRig.SameAsUpstreamAsync(clair, sites);

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(first);
        await LookedAsync();
        await PollAsync(clair);
        sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        await ConformanceRig.SameAsUpstreamAsync(clair, sites);

        // And it asked for the hosts that claircore has built in, Debian's CDN among them.
        string asked = sites.AccessLog.ToString();
        Assert.Contains($"https://{string.Join('.', "deb", "debian", "org")}/debian/dists/", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("\" 5", asked, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_indexer_gets_both_mappings_without_a_setting(bool proxy)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using var indexer = new ClairIndexer(await sites.UpstreamConfigAsync(proxy), sites.Clock);

        foreach (ClairMapping mapping in new[] { indexer.RepositoryToCpe, indexer.ContainerNameReposMap })
        {
            Assert.Equal(ClairOutcome.Updated, (await mapping.PollAsync()).Outcome);
            Assert.NotEmpty(mapping.Held!);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_site_that_has_published_nothing_ends_no_poll_in_an_endless_loop(bool proxy)
    {
        await using TwoSites sites = await SampleAsync();
        using var clair = new ClairMatcher(await sites.UpstreamConfigAsync(proxy), sites.Clock);

        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();

        Assert.NotEmpty(updates);

        // Clair looks at no status of a .meta file, and takes years without a hash for unchanged: the one silence that is its own.
        Assert.All(updates, u => Assert.Equal((u.Updater, u.Updater == "clair.cvss" ? ClairOutcome.Unchanged : ClairOutcome.Failed), (u.Updater, u.Outcome)));
    }

    [Theory]
    [InlineData("https://quay.io/v2/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    public async Task A_request_that_leaves_the_feeds_hosts_is_refused(string url)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        ClairConfig elsewhere = await sites.UpstreamConfigAsync(proxy: true) with { RepositoryToCpeUrl = url };
        using var indexer = new ClairIndexer(elsewhere, sites.Clock);

        Assert.Equal(ClairOutcome.Failed, (await indexer.RepositoryToCpe.PollAsync()).Outcome);
    }

    private static Task<TwoSites> SampleAsync() => TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));

    /// <summary>The mirror looks for another generation once a second.</summary>
    private static Task LookedAsync() => Task.Delay(1100, TestContext.Current.CancellationToken);

    private static async Task<IReadOnlyList<ClairUpdate>> PollAsync(ClairMatcher clair)
    {
        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();
        Assert.All(updates, u => Assert.True(u.Outcome <= ClairOutcome.Updated, $"{u.Updater}: {u.Outcome} {u.Error}"));
        return updates;
    }
}

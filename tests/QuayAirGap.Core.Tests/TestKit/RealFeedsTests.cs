using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.TestKit;

public sealed class RealFeedsTests
{
    private const string Vex = "security.access.redhat.com/data/csaf/v2/vex";

    [Fact]
    public async Task A_clair_that_follows_the_real_feeds_ends_with_the_documents_of_the_later_state()
    {
        Assert.SkipWhen(RepositoryFolders.RealFeeds is null, "There are no real feeds here: set QUAYAIRGAP_FEEDS.");
        var feeds = RepositoryFolders.RealFeeds!;
        var synthetic = new UpstreamLayer(Path.Combine(feeds, "synthetic"));
        var years = new UpstreamLayer(SampleUpstream.EmptyNvdYears);
        var small = new UpstreamLayer(Path.Combine(feeds, "small"), new DateTimeOffset(2025, 2, 1, 0, 0, 0, TimeSpan.Zero));
        var next = new UpstreamLayer(Path.Combine(feeds, "small-next"), new DateTimeOffset(2026, 2, 27, 0, 0, 0, TimeSpan.Zero));
        await using var server = await UpstreamServer.StartAsync(small, synthetic, years);
        RealFeeds.FillGaps(server);
        var time = new FakeTimeProvider(new DateTimeOffset(2025, 2, 7, 0, 0, 0, TimeSpan.Zero));
        using var clair = new ClairMatcher(ClairConfig.AsUpstream(server.Root), time);

        Assert.All(await clair.PollAsync(), update => Assert.Null(update.Error));
        Assert.Equal(Documents(small), clair.RhelVex.Held);
        Assert.Equal(5, clair.Debian.Held.Releases.Count);
        Assert.NotEmpty(clair.Debian.Held.Rows);
        Assert.Equal(8, clair.Osv.Held.Count);
        Assert.All(clair.Osv.Held.Values, Assert.NotEmpty);
        Assert.NotEmpty(clair.Alpine.Held["alpine-main-v3.4-updater"]);
        Assert.Equal(3, clair.Aws.Held.Count);
        Assert.All(clair.Aws.Held.Values, Assert.NotEmpty);
        Assert.True(clair.Cvss.Held.Count > 1);
        Assert.NotEmpty(clair.Oracle.Held["oracle-2023-updater"]);
        Assert.NotEmpty(clair.Photon.Held["photon-updater-photon1"]);
        Assert.Equal(["suse-updater-suse.linux.enterprise.server.15"], clair.Suse.Held.Keys);
        Assert.NotEmpty(clair.Ubuntu.Held["ubuntu/updater/trusty"]);
        var advisories = clair.Osv.Held["go"].Count;

        time.SetUtcNow(new DateTimeOffset(2026, 2, 28, 0, 0, 0, TimeSpan.Zero));
        server.SetLayers(next, synthetic, years);
        RealFeeds.FillGaps(server);
        clair.Restart();
        Assert.All(await clair.PollAsync(), update => Assert.Null(update.Error));
        Assert.Equal(Documents(next), clair.RhelVex.Held);
        Assert.True(clair.Osv.Held["go"].Count > advisories);
    }

    [Fact]
    public async Task Feeds_at_true_scale_are_read_without_an_error()
    {
        Assert.SkipWhen(RepositoryFolders.RealFeeds is null, "There are no real feeds here: set QUAYAIRGAP_FEEDS.");
        var day0 = Path.Combine(RepositoryFolders.RealFeeds!, "day0");
        Assert.SkipUnless(Directory.Exists(day0), "The real feeds have no day at true scale.");
        await using var server = await UpstreamServer.StartAsync(new UpstreamLayer(day0));
        var config = ClairConfig.AsUpstream(server.Root) with { OsvAllowlist = ["go", "rubygems"] };
        using var clair = new ClairMatcher(config);
        var alpine = await clair.Alpine.PollAsync();
        Assert.All(alpine.Updates, update => Assert.Equal((null, ClairOutcome.Updated), (update.Error, update.Outcome)));
        Assert.True(alpine.Held.Count > 30);
        var osv = await clair.Osv.PollAsync();
        Assert.All(osv.Updates, update => Assert.Equal((null, ClairOutcome.Updated), (update.Error, update.Outcome)));
        Assert.True(osv.Held["go"].Count > 1000);

        using var indexer = new ClairIndexer(config);
        Assert.Equal(ClairOutcome.Updated, (await indexer.RepositoryToCpe.PollAsync()).Outcome);
        Assert.True(indexer.RepositoryToCpe.Held!.Count > 1000);
    }

    private static Dictionary<string, string> Documents(UpstreamLayer layer) =>
        Directory.EnumerateFiles(Path.Combine(layer.Folder, Vex), "cve-*.json", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file).ToUpperInvariant(),
            file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
}

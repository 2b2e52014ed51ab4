using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.RhelVex;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>Two real states of the feed, over HTTP, through the real collecting session.</summary>
public sealed class RhelVexRealDataTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_real_states_are_collected_and_published_and_read_by_a_Clair()
    {
        string? feeds = Feeds();
        Assert.SkipUnless(feeds is not null, "the folder with real feeds is not here");
        await using UpstreamServer upstream = await UpstreamServer.StartAsync(Path.Combine(feeds, "small"));
        var store = new BlobStore(_folder.Of("store"), _folder.Of("staging"));
        Directory.CreateDirectory(_folder.Of("staging"));
        var mirror = new VexMirror(store, _folder.Of("state"));
        var clair = new ClairModel();

        SourceSnapshot first = await CollectAsync(upstream, store, null);
        await mirror.PublishAsync(first, s_now);
        Assert.True(await clair.PollAsync(name => Task.FromResult(mirror.Get(name)), () => s_now.AddHours(1)));
        Assert.Equal(0, clair.Singles);
        Holds(upstream, mirror, clair, 7);

        upstream.SetLayers(Path.Combine(feeds, "small-next"));
        upstream.ClearRequests();
        SourceSnapshot second = await CollectAsync(upstream, store, first);
        await mirror.PublishAsync(second, s_now.AddDays(1));
        Assert.DoesNotContain(upstream.Requests, r => r.HostPath.EndsWith(".tar.zst", StringComparison.Ordinal));
        Assert.Equal(8, second.AdvisoryCount);
        Assert.True(await clair.PollAsync(name => Task.FromResult(mirror.Get(name)), () => s_now.AddDays(1).AddHours(1)));
        Holds(upstream, mirror, clair, 8);

        await mirror.PublishAsync(first, s_now.AddDays(2));
        Assert.True(await clair.PollAsync(name => Task.FromResult(mirror.Get(name)), () => s_now.AddDays(2).AddHours(1)));
        upstream.SetLayers(Path.Combine(feeds, "small"));
        Holds(upstream, mirror, clair, 7);
    }

    private static void Holds(UpstreamServer upstream, VexMirror mirror, ClairModel clair, int count)
    {
        SortedDictionary<string, string> documents = mirror.Documents();
        Assert.Equal(count, documents.Count);
        Assert.Equal(documents.Values.Order(StringComparer.Ordinal), clair.Database.Values.Order(StringComparer.Ordinal));
        Assert.All(documents.Keys, path => Assert.Equal(
            upstream.Content("security.access.redhat.com/data/csaf/v2/vex/" + path), mirror.Get(path)!.Value.Content));
    }

    private static async Task<SourceSnapshot> CollectAsync(UpstreamServer upstream, BlobStore store, SourceSnapshot? previous)
    {
        var options = new UpstreamOptions();
        using var client = new UpstreamClient(options);
        var session = new CollectSession(
            client, store, new SourceSettings { Definition = VexMirror.Definition, UpstreamRoot = upstream.Root }, previous, options, null,
            TimeProvider.System, null);
        CollectedContent content = await new RhelVexFamily().CollectAsync(session, default);
        return new SourceSnapshot
        {
            Name = "rhel-vex",
            State = CaptureState.Captured,
            CapturedAt = s_now,
            AdvisoryCount = content.AdvisoryCount,
            Files = [.. content.Files.OrderBy(f => f.Url, StringComparer.Ordinal)],
        };
    }

    private static string? Feeds()
    {
        if (Environment.GetEnvironmentVariable("QUAYAIRGAP_FEEDS") is { Length: > 0 } configured)
        {
            return Directory.Exists(Path.Combine(configured, "small")) ? configured : null;
        }

        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "QuayAirGap.sln")))
            {
                string feeds = Path.GetFullPath(Path.Combine(folder, "..", "shared", "feeds"));
                return Directory.Exists(Path.Combine(feeds, "small", "security.access.redhat.com", "data", "csaf")) ? feeds : null;
            }
        }

        return null;
    }
}

using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Collecting;

public sealed class CollectSessionTests : IAsyncDisposable
{
    private const string Feed = "feeds.example/data/feed.json";
    private static readonly Uri s_feed = new("https://feeds.example/data/feed.json");

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "example",
        Kind = SourceKind.UpdaterSet,
        Covers = "examples",
        Uri = new Uri("https://feeds.example/data/"),
        MirrorUri = new Uri("https://mirror.example/list/"),
    };

    private readonly TempFolder _folder = new();
    private readonly BlobStore _store;
    private readonly List<UpstreamClient> _clients = [];
    private UpstreamServer? _upstream;

    public CollectSessionTests()
    {
        _store = new BlobStore(_folder.Of("store"), _folder.Of("staging"));
        Directory.CreateDirectory(_folder.Of("staging"));
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_is_taken_as_published_with_its_validators()
    {
        byte[] content = RandomNumberGenerator.GetBytes(300_000);
        UpstreamServer upstream = await StartAsync(content);

        SnapshotFile file = await Session(upstream).GetAsync(s_feed, default);

        Assert.Equal(s_feed.AbsoluteUri, file.Url);
        Assert.Equal(Sha256Digest.Of(content), file.Sha256);
        Assert.Equal(content.Length, file.Size);
        Assert.NotNull(file.ETag);
        Assert.NotNull(file.LastModified);
        Assert.Equal(content, Read(file));
    }

    [Fact]
    public async Task What_the_store_holds_is_confirmed_with_headers_only()
    {
        UpstreamServer upstream = await StartAsync(RandomNumberGenerator.GetBytes(100_000));
        SnapshotFile first = await Session(upstream).GetAsync(s_feed, default);
        upstream.ClearRequests();

        SnapshotFile second = await Session(upstream, Captured(first)).GetAsync(s_feed, default);

        Assert.Equal(first, second);
        UpstreamRequest request = Assert.Single(upstream.Requests);
        Assert.Equal(304, request.Status);
        Assert.Equal(first.ETag, request.Header("If-None-Match"));
        Assert.Equal(0, _clients[^1].BytesReceived);
    }

    [Fact]
    public async Task A_capture_whose_content_was_lost_is_not_confirmed_but_taken_anew()
    {
        UpstreamServer upstream = await StartAsync(RandomNumberGenerator.GetBytes(5_000));
        SnapshotFile first = await Session(upstream).GetAsync(s_feed, default);
        File.Delete(_store.PathOf(first.Sha256));

        CollectSession session = Session(upstream, Captured(first));
        SnapshotFile second = await session.GetAsync(s_feed, default);

        Assert.Null(session.Previous);
        Assert.Equal(first.Sha256, second.Sha256);
        Assert.Equal(5_000, Read(second).Length);
    }

    [Fact]
    public async Task A_file_asked_for_twice_in_one_run_is_compared_with_what_the_run_has()
    {
        UpstreamServer upstream = await StartAsync("one"u8.ToArray());
        upstream.ReplaceAfter(Feed, 2, "two"u8.ToArray());
        CollectSession session = Session(upstream);

        SnapshotFile[] files = [await session.GetAsync(s_feed, default), await session.GetAsync(s_feed, default), await session.GetAsync(s_feed, default)];

        Assert.Equal(files[0], files[1]);
        Assert.Equal("two"u8.ToArray(), Read(files[2]));
        Assert.Equal([200, 304, 200], upstream.Requests.Select(r => r.Status));
    }

    [Fact]
    public async Task A_gzip_coding_on_the_way_is_undone_and_leaves_the_published_bytes()
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"id\":\"CVE-2099-0001\"},", 20_000)));
        UpstreamServer upstream = await StartAsync(content);

        SnapshotFile file = await Session(upstream).GetAsync(s_feed, default);

        Assert.Equal(Sha256Digest.Of(content), file.Sha256);
        Assert.True(_clients[^1].BytesReceived < content.Length / 10, "The body travelled uncompressed.");
    }

    [Theory]
    [InlineData("feed.json.gz")]
    [InlineData("all.zip")]
    [InlineData("archive.tar.zst")]
    public async Task What_is_compressed_already_is_never_asked_for_in_a_coding(string name)
    {
        UpstreamServer upstream = await StartAsync([]);
        upstream.Replace("feeds.example/data/" + name, RandomNumberGenerator.GetBytes(100));

        await Session(upstream).GetAsync(new Uri("https://feeds.example/data/" + name), default);

        Assert.Null(upstream.Requests[^1].Header("Accept-Encoding"));
    }

    [Fact]
    public async Task Passing_trouble_is_sat_out_and_leaves_no_trace()
    {
        byte[] content = RandomNumberGenerator.GetBytes(200_000);
        UpstreamServer upstream = await StartAsync(content);
        upstream.AddFault(Feed, UpstreamFault.Status(503), times: 1);
        upstream.AddFault(Feed, UpstreamFault.CutOff(1_000), times: 1, after: 1);

        SnapshotFile file = await Session(upstream).GetAsync(s_feed, default);

        Assert.Equal(Sha256Digest.Of(content), file.Sha256);
        Assert.Equal(3, upstream.Requests.Count);
        Assert.Empty(Directory.EnumerateFiles(_folder.Of("staging")));
    }

    [Fact]
    public async Task Retry_after_is_waited_for()
    {
        UpstreamServer upstream = await StartAsync("x"u8.ToArray());
        upstream.AddFault(Feed, UpstreamFault.Status(429, TimeSpan.FromSeconds(1)), times: 1);
        long start = TimeProvider.System.GetTimestamp();

        await Session(upstream).GetAsync(s_feed, default);

        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromSeconds(0.95));
    }

    public static TheoryData<string, string> LastingTrouble() => new()
    {
        { "403", ErrorIds.UpstreamStatus },
        { "404", ErrorIds.UpstreamStatus },
        { "500", ErrorIds.UpstreamStatus },
        { "429", ErrorIds.UpstreamStatus },
        { "cut", ErrorIds.UpstreamIncomplete },
        { "short", ErrorIds.UpstreamIncomplete },
        { "stall", ErrorIds.UpstreamStalled },
        { "silent", ErrorIds.UpstreamStalled },
        { "drop", ErrorIds.UpstreamUnreachable },
    };

    [Theory]
    [MemberData(nameof(LastingTrouble))]
    public async Task Lasting_trouble_fails_with_an_id_and_the_address_and_stores_nothing(string trouble, string errorId)
    {
        UpstreamServer upstream = await StartAsync(RandomNumberGenerator.GetBytes(50_000));
        upstream.AddFault(Feed, trouble switch
        {
            "cut" => UpstreamFault.CutOff(10_000),
            "short" => UpstreamFault.BodyShorterThanItsLength(10),
            "stall" => UpstreamFault.Stall(10_000),
            "silent" => UpstreamFault.Delay(TimeSpan.FromSeconds(5)),
            "drop" => UpstreamFault.Drop(),
            _ => UpstreamFault.Status(int.Parse(trouble)),
        });

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => Session(upstream).GetAsync(s_feed, default));

        Assert.Equal(errorId, e.ErrorId);
        Assert.Contains("feeds.example/data/feed.json", e.Message);
        Assert.NotNull(e.Remedy);
        Assert.Empty(_store.List());
        Assert.Empty(Directory.EnumerateFiles(_folder.Of("staging")));
    }

    [Fact]
    public async Task A_file_larger_than_any_feed_is_refused_before_the_disk_is_full()
    {
        UpstreamServer upstream = await StartAsync(RandomNumberGenerator.GetBytes(200_000));

        FeedException e = await Assert.ThrowsAsync<FeedException>(
            () => Session(upstream, options: Options with { LargestFile = 150_000 }).GetAsync(s_feed, default));

        Assert.Equal(ErrorIds.UpstreamTooLarge, e.ErrorId);
        Assert.Empty(_store.List());
    }

    [Fact]
    public async Task Stopping_stops_within_a_second_and_leaves_nothing()
    {
        UpstreamServer upstream = await StartAsync(RandomNumberGenerator.GetBytes(500_000));
        upstream.AddFault(Feed, UpstreamFault.Trickle(2_000));
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        long start = TimeProvider.System.GetTimestamp();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Session(upstream, options: Options with { StallTimeout = TimeSpan.FromSeconds(30) }).GetAsync(s_feed, stop.Token));

        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(1.3));
        Assert.Empty(Directory.EnumerateFiles(_folder.Of("staging")));
    }

    [Fact]
    public async Task No_host_sees_more_requests_at_once_than_allowed()
    {
        UpstreamServer upstream = await StartAsync([]);
        for (int i = 0; i < 30; i++)
        {
            upstream.Replace($"feeds.example/data/{i}.json", [1]);
        }

        upstream.AddFault("feeds.example/*", UpstreamFault.Delay(TimeSpan.FromMilliseconds(40)));
        CollectSession session = Session(upstream, options: Options with { RequestsPerHost = 3 });
        long start = TimeProvider.System.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => session.GetAsync(new Uri($"https://feeds.example/data/{i}.json"), default)));

        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(10 * 40 - 20));
    }

    [Theory]
    [InlineData("https://feeds.example/data/a/b.json", null, null, null, "https://feeds.example/data/a/b.json")]
    [InlineData("https://feeds.example/data/a/b.json", "http://cache/", null, null, "http://cache/feeds.example/data/a/b.json")]
    [InlineData("https://feeds.example/data/a/b.json", "http://cache:81/sub", null, null, "http://cache:81/sub/feeds.example/data/a/b.json")]
    [InlineData("https://feeds.example/data/a/b.json", null, "https://own.example/x", null, "https://own.example/x/a/b.json")]
    [InlineData("https://feeds.example/data/a%20b.json", "http://cache/", "https://own.example:8443/x/", null, "http://cache/own.example:8443/x/a%20b.json")]
    [InlineData("https://mirror.example/list/", null, "https://own.example/x", "http://other/l/", "http://other/l/")]
    [InlineData("https://mirror.example/list/q", "http://cache/", null, null, "http://cache/mirror.example/list/q")]
    public void One_setting_points_a_source_at_a_cache(string url, string? root, string? uri, string? mirrorUri, string expected)
    {
        static Uri? Of(string? text) => text is null ? null : new Uri(text);
        var settings = new SourceSettings { Definition = s_definition, Uri = Of(uri), MirrorUri = Of(mirrorUri) };

        Assert.Equal(expected, UpstreamAddress.Translate(new Uri(url), settings, Of(root)).AbsoluteUri);
    }

    [Fact]
    public async Task Heads_tell_there_from_not_there_and_throw_for_anything_else()
    {
        UpstreamServer upstream = await StartAsync("x"u8.ToArray());
        upstream.AddFault("feeds.example/data/odd", UpstreamFault.Status(403));
        CollectSession session = Session(upstream);

        Assert.True(await session.ExistsAsync(s_feed, default));
        Assert.True(await session.ExistsAsync(new Uri("https://feeds.example/data/"), default));
        Assert.False(await session.ExistsAsync(new Uri("https://feeds.example/data/none"), default));
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => session.ExistsAsync(new Uri("https://feeds.example/data/odd"), default));
        Assert.Equal(ErrorIds.UpstreamStatus, e.ErrorId);
    }

    private static UpstreamOptions Options => new()
    {
        Attempts = 3,
        RetryDelay = TimeSpan.FromMilliseconds(5),
        StallTimeout = TimeSpan.FromMilliseconds(400),
    };

    private static SourceSnapshot Captured(params SnapshotFile[] files) =>
        new() { Name = "example", State = CaptureState.Captured, Files = files };

    private async Task<UpstreamServer> StartAsync(byte[] content)
    {
        Directory.CreateDirectory(_folder.Of("upstream"));
        _upstream = await UpstreamServer.StartAsync(_folder.Of("upstream"));
        _upstream.Replace(Feed, content);
        return _upstream;
    }

    private CollectSession Session(UpstreamServer upstream, SourceSnapshot? previous = null, UpstreamOptions? options = null)
    {
        var client = new UpstreamClient(options ?? Options);
        _clients.Add(client);
        return new CollectSession(
            client, _store, new SourceSettings { Definition = s_definition }, previous, options ?? Options, upstream.Root, TimeProvider.System, null);
    }

    private byte[] Read(SnapshotFile file)
    {
        using Stream stream = _store.OpenRead(file.Sha256);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}

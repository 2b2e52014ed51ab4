using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
    private const string Zip = "feeds.example/data/all.zip";
    private static readonly Uri s_zip = new("https://feeds.example/data/all.zip");
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
    public async Task A_download_that_breaks_off_goes_on_where_it_was_and_is_the_same_file()
    {
        byte[] content = RandomNumberGenerator.GetBytes(900_000);
        UpstreamServer upstream = await StartAsync([]);
        upstream.Replace(Zip, content);
        upstream.AddFault(Zip, UpstreamFault.CutOff(300_000), times: 1);
        upstream.AddFault(Zip, UpstreamFault.Stall(200_000), times: 1, after: 1);
        CollectSession session = Session(upstream);

        SnapshotFile file = await session.GetAsync(s_zip, default);

        Assert.Equal(Sha256Digest.Of(content), file.Sha256);
        Assert.Equal(content.Length, file.Size);
        Assert.Equal([200, 206, 206], upstream.Requests.Select(r => r.Status));
        Assert.Equal(["bytes=300000-", "bytes=500000-"], upstream.Requests.Skip(1).Select(r => r.Header("Range")));
        Assert.All(upstream.Requests.Skip(1), r => Assert.Equal(file.ETag, r.Header("If-Range")));
        Assert.Equal(content.Length, _clients[^1].BytesReceived);
        Assert.Equal(206, session.Log.StatusOf(s_zip.AbsoluteUri));
        Assert.Equal([ErrorIds.UpstreamIncomplete, ErrorIds.UpstreamStalled], session.Log.Others.Select(o => o.Error));
    }

    [Fact]
    public async Task A_line_that_breaks_more_often_than_there_are_tries_still_brings_the_file()
    {
        byte[] content = RandomNumberGenerator.GetBytes(1_000_000);
        UpstreamServer upstream = await StartAsync([]);
        upstream.Replace(Zip, content);
        upstream.AddFault(Zip, UpstreamFault.CutOff(100_000), times: 9);

        SnapshotFile file = await Session(upstream).GetAsync(s_zip, default);

        Assert.Equal(Sha256Digest.Of(content), file.Sha256);
    }

    [Theory]
    [InlineData("weak")]
    [InlineData("none")]
    [InlineData("changed")]
    [InlineData("refused")]
    public async Task Without_certainty_that_the_rest_is_of_the_same_file_it_is_taken_whole(string doubt)
    {
        byte[] content = RandomNumberGenerator.GetBytes(500_000);
        byte[] other = RandomNumberGenerator.GetBytes(400_000);
        UpstreamServer upstream = await StartAsync([]);
        upstream.Replace(Zip, content);
        upstream.SetHost("feeds.example", new UpstreamHost { ETags = doubt switch { "weak" => ETagStyle.Weak, "none" => ETagStyle.None, _ => ETagStyle.QuotedHash } });
        upstream.AddFault(Zip, UpstreamFault.CutOff(100_000), times: 1);
        if (doubt == "changed")
        {
            upstream.ReplaceAfter(Zip, 1, other);
        }
        else if (doubt == "refused")
        {
            upstream.AddFault(Zip, UpstreamFault.Status(416), times: 1, after: 1);
        }

        CollectSession session = Session(upstream);
        SnapshotFile file = await session.GetAsync(s_zip, default);

        Assert.Equal(Sha256Digest.Of(doubt == "changed" ? other : content), file.Sha256);
        Assert.Equal(200, session.Log.StatusOf(s_zip.AbsoluteUri));
        Assert.Equal(200, upstream.Requests[^1].Status);
        Assert.Equal(doubt is "changed", upstream.Requests[^1].Header("Range") is not null);
        Assert.Empty(Directory.EnumerateFiles(_folder.Of("staging")));
    }

    [Fact]
    public async Task A_connection_by_TLS_is_taken_from_the_sites_own_authority_and_named_in_the_evidence()
    {
        using X509Certificate2 root = TlsPki.Authority("CN=House CA");
        using X509Certificate2 server = TlsPki.Issue(root, "CN=localhost", "1.3.6.1.5.5.7.3.1", "localhost");
        using X509Certificate2 wrongName = TlsPki.Issue(root, "CN=elsewhere", "1.3.6.1.5.5.7.3.1", "elsewhere.example");
        using X509Certificate2 client = TlsPki.Issue(root, "CN=collector", "1.3.6.1.5.5.7.3.2", null);
        await File.WriteAllTextAsync(_folder.Of("ca.pem"), root.ExportCertificatePem());
        await File.WriteAllBytesAsync(_folder.Of("client.pfx"), client.Export(X509ContentType.Pfx, "secret"));
        await File.WriteAllTextAsync(_folder.Of("password"), "secret\n");
        Directory.CreateDirectory(_folder.Of("upstream"));
        _upstream = await UpstreamServer.StartTlsAsync(server, asksForCertificate: true, new UpstreamLayer(_folder.Of("upstream")));
        _upstream.Replace(Feed, "x"u8.ToArray());
        var settings = new NetworkSettings { CaFile = "ca.pem", ClientCertificate = _folder.Of("client.pfx"), ClientPasswordFile = "password" };
        using NetworkIdentity identity = NetworkIdentity.Load(settings, _folder.Of("."));
        await using ForwardProxy proxy = ForwardProxy.Start();

        CollectSession session = Session(_upstream, client: new UpstreamClient(Options, proxy.Address, identity));
        await session.GetAsync(s_feed, default);

        TlsPeer peer = Assert.Single(_clients[^1].PeersOf(session.Log.Hosts));
        Assert.Equal(("localhost", "CN=localhost", "CN=House CA"), (peer.Host, peer.Subject, peer.Issuer));
        Assert.Equal(Sha256Digest.Of(server.RawData), peer.Sha256);
        Assert.StartsWith("Tls1", peer.Protocol);
        Assert.Equal(client.Thumbprint, _upstream.ClientThumbprint);
        Assert.Equal($"CONNECT localhost:{_upstream.Root.Port} HTTP/1.1", Assert.Single(proxy.Lines));

        // Nobody else's word is taken, and no certificate for another name.
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => Session(_upstream).GetAsync(s_feed, default));
        Assert.Equal(ErrorIds.UpstreamUnreachable, e.ErrorId);
        await using UpstreamServer elsewhere = await UpstreamServer.StartTlsAsync(wrongName, asksForCertificate: false, new UpstreamLayer(_folder.Of("upstream")));
        e = await Assert.ThrowsAsync<FeedException>(() => Session(elsewhere, client: new UpstreamClient(Options, null, identity)).GetAsync(s_feed, default));
        Assert.Equal(ErrorIds.UpstreamUnreachable, e.ErrorId);
    }

    [Theory]
    [InlineData("absent.pem", null, null)]
    [InlineData("no.pem", null, null)]
    [InlineData(null, "no.pem", null)]
    [InlineData(null, "client.pfx", "absent")]
    [InlineData(null, "client.pfx", "no.pem")]
    public void A_file_of_the_network_that_cannot_be_used_is_named_before_anything_is_asked(string? ca, string? certificate, string? password)
    {
        using X509Certificate2 client = TlsPki.Authority("CN=collector");
        File.WriteAllText(_folder.Of("no.pem"), "nothing");
        File.WriteAllBytes(_folder.Of("client.pfx"), client.Export(X509ContentType.Pfx, "secret"));

        FeedException e = Assert.Throws<FeedException>(() => NetworkIdentity.Load(
            new NetworkSettings { CaFile = ca, ClientCertificate = certificate, ClientPasswordFile = password }, _folder.Of(".")));

        Assert.Equal(ErrorIds.NetworkFileInvalid, e.ErrorId);
        Assert.DoesNotContain("secret", e.Message);
    }

    [Fact]
    public async Task A_proxy_is_asked_for_plain_addresses_too_and_every_other_request_is_evidence()
    {
        UpstreamServer upstream = await StartAsync("x"u8.ToArray());
        await using ForwardProxy proxy = ForwardProxy.Start();
        upstream.AddFault(Feed, UpstreamFault.Status(503), times: 1);
        CollectSession session = Session(upstream, client: new UpstreamClient(Options, proxy.Address));

        await session.GetAsync(s_feed, default);
        await session.TryGetAsync(new Uri("https://feeds.example/data/none.json"), default);
        await session.HeadAsync(s_feed, default);

        Assert.Equal(4, proxy.Lines.Count);
        Assert.Equal($"GET {upstream.Root}{Feed} HTTP/1.1", proxy.Lines[0]);
        Assert.Equal(
            [("GET", 503, ErrorIds.UpstreamStatus), ("GET", 404, null), ("HEAD", 200, null)],
            session.Log.Others.Select(o => (o.Method, o.Status, o.Error)));
        Assert.NotNull(session.Log.Others[^1].ETag);
        Assert.Equal(200, session.Log.StatusOf(s_feed.AbsoluteUri));
        Assert.Equal(["127.0.0.1"], session.Log.Hosts);
    }

    [Fact]
    public void Evidence_of_tens_of_thousands_of_requests_is_bounded_and_says_how_many_more_there_were()
    {
        var log = new RequestLog();
        for (int i = 0; i < 30_000; i++)
        {
            log.Asked(HttpMethod.Head, new Uri($"https://feeds.example/{i}"), 404);
        }

        Assert.Equal((SourceSnapshot.MaxEvidence, 29_000), (log.Others.Count, log.Omitted));
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
            "cut" => UpstreamFault.CutOff(0),
            "short" => UpstreamFault.BodyShorterThanItsLength(10),
            "stall" => UpstreamFault.Stall(0),
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

    private CollectSession Session(UpstreamServer upstream, SourceSnapshot? previous = null, UpstreamOptions? options = null, UpstreamClient? client = null)
    {
        client ??= new UpstreamClient(options ?? Options);
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

using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.TestKit;

public sealed class UpstreamServerTests : IAsyncLifetime
{
    private const string Doc = "feeds.example/data/doc.json";
    private static readonly DateTimeOffset s_early = new(2026, 1, 10, 2, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("upstream").FullName;
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(20) };
    private UpstreamServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Write("first", Doc, "{\"layer\":1}");
        Write("second", Doc, "{\"layer\":2}");
        Write("second", "feeds.example/data/big.bin", new string('x', 200_000));
        Write("second", "secdb.alpinelinux.org/v3.3/main.json", "{}");
        Write("second", "other.example/a b/index.html", "<p>index</p>");
        _server = await UpstreamServer.StartAsync(
            new UpstreamLayer(Path.Combine(_folder, "first"), s_early), new UpstreamLayer(Path.Combine(_folder, "second")));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_first_layer_wins_and_the_others_fill_in()
    {
        Assert.Equal("{\"layer\":1}", await _client.GetStringAsync(_server.UriOf(Doc)));
        Assert.Equal(200_000, (await _client.GetByteArrayAsync(_server.UriOf("feeds.example/data/big.bin"))).Length);
    }

    [Fact]
    public async Task A_host_is_found_by_the_first_segment_or_by_the_host_header()
    {
        using var byHeader = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Root, "data/doc.json"));
        byHeader.Headers.Host = "feeds.example";
        using var response = await _client.SendAsync(byHeader);
        Assert.Equal("{\"layer\":1}", await response.Content.ReadAsStringAsync());
        Assert.Equal(Doc, _server.Requests.Single().HostPath);
        Assert.Equal("/data/doc.json", _server.Requests.Single().Target);
    }

    [Fact]
    public async Task An_answer_carries_the_validators_and_the_layers_time()
    {
        using var response = await GetAsync(Doc);
        Assert.Equal(s_early, response.Content.Headers.LastModified);
        Assert.Equal("bytes", response.Headers.AcceptRanges.Single());
        Assert.Equal(11, response.Content.Headers.ContentLength);
        Assert.False(response.Headers.ETag!.IsWeak);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Hosts_form_their_entity_tags_in_their_own_way()
    {
        using (var response = await GetAsync("secdb.alpinelinux.org/v3.3/main.json"))
        {
            var time = UpstreamLayer.DefaultLastModified.ToUnixTimeSeconds().ToString("x", CultureInfo.InvariantCulture);
            Assert.Equal($"\"2-{time}\"", response.Headers.ETag!.Tag);
        }

        _server.SetHost("feeds.example", new UpstreamHost(ETagStyle.Weak));
        using (var response = await GetAsync(Doc))
        {
            Assert.True(response.Headers.ETag!.IsWeak);
        }

        _server.SetHost("feeds.example", new UpstreamHost(ETagStyle.None));
        using (var response = await GetAsync(Doc))
        {
            Assert.Null(response.Headers.ETag);
        }
    }

    [Fact]
    public async Task An_unchanged_file_is_answered_with_304_by_tag_or_by_time_and_the_tag_decides()
    {
        using var first = await GetAsync(Doc);
        var tag = first.Headers.ETag!;
        using var byTag = await GetAsync(Doc, r => r.Headers.IfNoneMatch.Add(tag));
        using var byTime = await GetAsync(Doc, r => r.Headers.IfModifiedSince = s_early);
        using var older = await GetAsync(Doc, r => r.Headers.IfModifiedSince = s_early.AddSeconds(-1));
        using var otherTag = await GetAsync(Doc, r =>
        {
            r.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\""));
            r.Headers.IfModifiedSince = s_early;
        });
        Assert.Equal(HttpStatusCode.NotModified, byTag.StatusCode);
        Assert.Equal(tag, byTag.Headers.ETag);
        Assert.Equal(HttpStatusCode.NotModified, byTime.StatusCode);
        Assert.Equal(HttpStatusCode.OK, older.StatusCode);
        Assert.Equal(HttpStatusCode.OK, otherTag.StatusCode);
    }

    [Fact]
    public async Task Ranges_are_cut_and_if_range_gives_the_whole_file_once_it_changed()
    {
        using var whole = await GetAsync(Doc);
        var tag = whole.Headers.ETag!;
        Assert.Equal("layer", await RangeAsync("bytes=2-6", HttpStatusCode.PartialContent));
        Assert.Equal(":1}", await RangeAsync("bytes=-3", HttpStatusCode.PartialContent));
        Assert.Equal(":1}", await RangeAsync("bytes=8-", HttpStatusCode.PartialContent, tag));
        Assert.Equal(string.Empty, await RangeAsync("bytes=11-", HttpStatusCode.RequestedRangeNotSatisfiable));
        Assert.Equal("{\"layer\":1}", await RangeAsync("bytes=0-1,3-4", HttpStatusCode.OK));
        _server.Replace(Doc, "{\"layer\":9}"u8.ToArray());
        Assert.Equal("{\"layer\":9}", await RangeAsync("bytes=8-", HttpStatusCode.OK, tag));
    }

    [Fact]
    public async Task Text_is_compressed_only_for_clients_that_ask()
    {
        using var plain = await GetAsync(Doc);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        using var zipped = await GetAsync(Doc, r => r.Headers.AcceptEncoding.ParseAdd("gzip, br"));
        Assert.Equal("gzip", zipped.Content.Headers.ContentEncoding.Single());
        Assert.NotEqual(plain.Headers.ETag, zipped.Headers.ETag);
        await using var body = new GZipStream(await zipped.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(body);
        Assert.Equal("{\"layer\":1}", await reader.ReadToEndAsync());
        using var again = await GetAsync(Doc, r => r.Headers.IfNoneMatch.Add(zipped.Headers.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        using var binary = await GetAsync("feeds.example/data/big.bin", r => r.Headers.AcceptEncoding.ParseAdd("gzip"));
        Assert.Empty(binary.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task Head_has_the_headers_and_no_body()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, _server.UriOf(Doc));
        using var response = await _client.SendAsync(request);
        Assert.Equal(11, response.Content.Headers.ContentLength);
        Assert.Equal(0, _server.Requests.Single().BytesSent);
    }

    [Fact]
    public async Task Folders_redirect_to_their_slash_and_missing_paths_are_404_with_case()
    {
        using var folder = await GetAsync("other.example/a b");
        Assert.Equal(HttpStatusCode.MovedPermanently, folder.StatusCode);
        Assert.Equal("/other.example/a%20b/", folder.Headers.Location!.OriginalString);
        Assert.Equal("<p>index</p>", await _client.GetStringAsync(_server.UriOf("other.example/a b/")));
        string[] all =
            ["feeds.example/data/DOC.json", "feeds.example/data/doc.json/", "feeds.example/no/", "nowhere.example/x", "feeds.example/data//"];
        foreach (var missing in all)
        {
            using var response = await GetAsync(missing);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Theory]
    [InlineData(ListingStyle.Apache, "href=\"doc.json\"")]
    [InlineData(ListingStyle.Nginx, "<a href=\"doc.json\">")]
    [InlineData(ListingStyle.Iis, "<A HREF=\"/data/doc.json\">")]
    [InlineData(ListingStyle.Lighttpd, "<a href=\"doc.json\">")]
    public async Task Listings_come_in_the_style_of_the_host(ListingStyle style, string expected)
    {
        _server.SetHost("feeds.example", new UpstreamHost(Listing: style));
        var html = await _client.GetStringAsync(_server.UriOf("feeds.example/data/"));
        Assert.Contains(expected, html, StringComparison.Ordinal);
        Assert.Contains("big.bin", html, StringComparison.Ordinal);
        Assert.Equal(style == ListingStyle.Iis, !html.Contains("href=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_can_forbid_listings()
    {
        _server.SetHost("feeds.example", new UpstreamHost(Listing: ListingStyle.Forbidden));
        using var response = await GetAsync("feeds.example/data/");
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_status_fault_strikes_as_often_as_told_and_can_let_requests_pass_first()
    {
        using var rule = _server.AddFault("feeds.example/*", UpstreamFault.Status(429, TimeSpan.FromSeconds(7)), times: 2, after: 1);
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            using var response = await GetAsync(Doc);
            statuses.Add((int)response.StatusCode);
            if (response.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.Equal(TimeSpan.FromSeconds(7), response.Headers.RetryAfter!.Delta);
            }
        }

        Assert.Equal([200, 429, 429, 200, 200], statuses);
        Assert.Equal(2, rule.Applied);
        Assert.Equal(statuses, _server.Requests.Select(r => r.Status));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(150_000)]
    public async Task A_body_can_be_cut_off_after_some_bytes_and_resumed(int bytes)
    {
        using var rule = _server.AddFault("*/big.bin", UpstreamFault.CutOff(bytes), times: 1);
        using var response = await _client.GetAsync(_server.UriOf("feeds.example/data/big.bin"), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(200_000, response.Content.Headers.ContentLength);
        using var had = new MemoryStream();
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.CopyToAsync(had));
        Assert.Equal(bytes, had.Length);
        using var rest = await GetAsync("feeds.example/data/big.bin", r =>
        {
            r.Headers.Range = new RangeHeaderValue(had.Length, null);
            r.Headers.IfRange = new RangeConditionHeaderValue(response.Headers.ETag!);
        });
        Assert.Equal(HttpStatusCode.PartialContent, rest.StatusCode);
        Assert.Equal(200_000 - bytes, (await rest.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task A_stalled_body_gives_nothing_until_the_client_leaves()
    {
        _server.AddFault("*/big.bin", UpstreamFault.Stall(1000));
        using var response = await _client.GetAsync(_server.UriOf("feeds.example/data/big.bin"), HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await body.ReadExactlyAsync(new byte[1], patience.Token));
    }

    [Fact]
    public async Task A_trickle_and_a_delay_take_their_time()
    {
        _server.AddFault(Doc, UpstreamFault.Delay(TimeSpan.FromMilliseconds(150)));
        _server.AddFault(Doc, UpstreamFault.Trickle(50));
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal("{\"layer\":1}", await _client.GetStringAsync(_server.UriOf(Doc)));
        Assert.True(TimeProvider.System.GetElapsedTime(started) > TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task A_body_shorter_than_its_length_ends_in_an_error()
    {
        _server.AddFault(Doc, UpstreamFault.BodyShorterThanItsLength(5));
        using var response = await _client.GetAsync(_server.UriOf(Doc), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(16, response.Content.Headers.ContentLength);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_body_longer_than_its_length_looks_whole_to_a_trusting_client()
    {
        _server.AddFault(Doc, UpstreamFault.BodyLongerThanItsLength(3));
        using var response = await GetAsync(Doc);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(8, response.Content.Headers.ContentLength);
        Assert.NotNull(response.Headers.ETag);
        Assert.Equal("{\"layer\"", await response.Content.ReadAsStringAsync());
        _server.ClearFaults();
        Assert.Equal("{\"layer\":1}", await _client.GetStringAsync(_server.UriOf(Doc)));
    }

    [Fact]
    public async Task A_dropped_connection_and_a_refused_one_are_errors_and_end()
    {
        using (_server.AddFault(Doc, UpstreamFault.Drop()))
        {
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => _client.GetAsync(_server.UriOf(Doc)));
        }

        var before = _server.Root;
        await _server.RefuseConnectionsAsync();
        var refused = await Assert.ThrowsAnyAsync<HttpRequestException>(() => _client.GetAsync(_server.UriOf(Doc)));
        Assert.IsType<SocketException>(refused.InnerException);
        await _server.AcceptConnectionsAsync();
        Assert.Equal(before, _server.Root);
        Assert.Equal("{\"layer\":1}", await _client.GetStringAsync(_server.UriOf(Doc)));
    }

    [Fact]
    public async Task A_redirect_is_sent_verbatim()
    {
        _server.AddFault(Doc, UpstreamFault.Redirect("/feeds.example/data/big.bin", 308));
        using var response = await GetAsync(Doc);
        Assert.Equal(HttpStatusCode.PermanentRedirect, response.StatusCode);
        Assert.Equal("/feeds.example/data/big.bin", response.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Content_can_change_between_two_requests_and_layers_can_move_on()
    {
        _server.ReplaceAfter(Doc, hits: 2, "{\"layer\":\"late\"}"u8.ToArray());
        var seen = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            seen.Add(await _client.GetStringAsync(_server.UriOf(Doc)));
        }

        Assert.Equal(["{\"layer\":1}", "{\"layer\":1}", "{\"layer\":\"late\"}"], seen);
        _server.SetLayers(Path.Combine(_folder, "second"));
        Assert.Equal("{\"layer\":2}", await _client.GetStringAsync(_server.UriOf(Doc)));
        _server.Remove(Doc);
        using var removed = await GetAsync(Doc);
        Assert.Equal(HttpStatusCode.NotFound, removed.StatusCode);
        _server.Replace("new.example/v1/file", "hello"u8.ToArray(), s_early);
        using var added = await GetAsync("new.example/v1/file");
        Assert.Equal(s_early, added.Content.Headers.LastModified);
        using var folder = await GetAsync("new.example/v1/");
        Assert.Equal(HttpStatusCode.OK, folder.StatusCode);
    }

    [Fact]
    public async Task Times_of_single_files_come_from_the_list_beside_the_folder()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "first.times.csv"), $"\"{Doc}\",\"2026-02-03T04:05:06+00:00\"\n");
        _server.SetLayers(Path.Combine(_folder, "first"));
        using var response = await GetAsync(Doc);
        Assert.Equal(new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero), response.Content.Headers.LastModified);
    }

    private async Task<HttpResponseMessage> GetAsync(string hostPath, Action<HttpRequestMessage>? with = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _server.UriOf(hostPath));
        with?.Invoke(request);
        return await _client.SendAsync(request);
    }

    private async Task<string> RangeAsync(string range, HttpStatusCode expected, EntityTagHeaderValue? ifRange = null)
    {
        using var response = await GetAsync(Doc, r =>
        {
            r.Headers.TryAddWithoutValidation("Range", range);
            r.Headers.IfRange = ifRange is null ? null : new RangeConditionHeaderValue(ifRange);
        });
        Assert.Equal(expected, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private void Write(string layer, string hostPath, string text)
    {
        var path = Path.Combine(_folder, layer, hostPath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text, new UTF8Encoding(false));
    }
}

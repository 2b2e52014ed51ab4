using System.Net;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class ConditionalRequestTests : IDisposable
{
    private const string Path = "/secdb.alpinelinux.org/v3.18/main.json";
    private const string Same = "Sun, 01 Nov 2026 10:20:30 GMT";
    private const string Earlier = "Sun, 01 Nov 2026 10:20:29 GMT";
    private const string Later = "Sun, 01 Nov 2026 10:20:31 GMT";
    private const string Content = "{\"packages\":[]}";

    private static readonly string s_etag = $"\"{TestSite.Digest(TestSite.Bytes(Content))}\"";

    private readonly TestSite _site = new();

    public ConditionalRequestTests() => _site.Publish(
        1,
        [
            _site.Entry(Path, Content, contentType: "application/json"),
            _site.Entry("/ecosystems.txt", "Go\nPyPI\n") with { Validators = false },
        ]);

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task The_ETag_is_the_hash_of_the_content_and_the_date_is_the_upstreams()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        using HttpResponseMessage response = await mirror.GetAsync(Path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(s_etag, response.Headers.GetValues("ETag").Single());
        Assert.Equal(Same, response.Content.Headers.GetValues("Last-Modified").Single());
        Assert.Equal("application/json", response.Content.Headers.GetValues("Content-Type").Single());
        Assert.Equal("no-cache", response.Headers.GetValues("Cache-Control").Single());
        Assert.Equal("bytes", response.Headers.GetValues("Accept-Ranges").Single());
        Assert.NotNull(response.Headers.Date);
        Assert.False(response.Headers.Contains("Server"));
        Assert.Equal(Content, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("If-None-Match", "own", null, null, 304)]
    [InlineData("If-None-Match", "W/own", null, null, 304)]
    [InlineData("If-None-Match", "\"other\", own", null, null, 304)]
    [InlineData("If-None-Match", "*", null, null, 304)]
    [InlineData("If-None-Match", "\"other\"", null, null, 200)]
    [InlineData("If-None-Match", "not quoted", null, null, 200)]
    [InlineData("If-Modified-Since", Same, null, null, 304)]
    [InlineData("If-Modified-Since", Earlier, null, null, 200)]
    [InlineData("If-Modified-Since", Later, null, null, 200)] // a revert: the client has something newer that was taken back
    [InlineData("If-Modified-Since", "yesterday", null, null, 200)]
    [InlineData("If-None-Match", "own", "If-Modified-Since", Later, 304)] // the entity tag decides
    [InlineData("If-None-Match", "\"other\"", "If-Modified-Since", Same, 200)]
    [InlineData("If-Match", "own", null, null, 200)]
    [InlineData("If-Match", "W/own", null, null, 412)]
    [InlineData("If-Match", "\"other\"", null, null, 412)]
    [InlineData("If-Match", "own", "If-Unmodified-Since", Earlier, 200)]
    [InlineData("If-Match", "own", "If-None-Match", "own", 304)]
    [InlineData("If-Unmodified-Since", Earlier, null, null, 412)]
    [InlineData("If-Unmodified-Since", Same, null, null, 200)]
    public async Task A_condition_is_answered(string name, string value, string? name2, string? value2, int expected)
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        (string, string)[] headers =
            [(name, value.Replace("own", s_etag)), .. name2 is null ? [] : new[] { (name2, value2!.Replace("own", s_etag)) }];

        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using HttpResponseMessage response = await mirror.SendAsync(method, Path, headers);
            byte[] body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

            Assert.Equal(expected, (int)response.StatusCode);
            Assert.Equal(expected == 200 && method == HttpMethod.Get ? Content.Length : 0, body.Length);
            if (expected == 304)
            {
                Assert.Equal(s_etag, response.Headers.GetValues("ETag").Single());
                Assert.Equal("no-cache", response.Headers.GetValues("Cache-Control").Single());
            }
        }
    }

    [Theory]
    [InlineData("If-None-Match", "*")]
    [InlineData("If-None-Match", "own")]
    [InlineData("If-Modified-Since", Same)]
    [InlineData("If-Modified-Since", Later)]
    [InlineData("If-Match", "\"other\"")]
    [InlineData("X-Nothing", "x")]
    public async Task The_list_of_ecosystems_has_no_validators_and_is_never_unchanged(string name, string value)
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        string own = $"\"{TestSite.Digest(TestSite.Bytes("Go\nPyPI\n"))}\"";

        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using HttpResponseMessage response = await mirror.SendAsync(method, "/ecosystems.txt", (name, value.Replace("own", own)));

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.False(response.Headers.Contains("ETag"));
            Assert.False(response.Content.Headers.Contains("Last-Modified"));
            Assert.Equal(8, response.Content.Headers.ContentLength);
        }
    }

    [Fact]
    public async Task HEAD_has_the_headers_of_GET_and_no_body()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        using HttpResponseMessage get = await mirror.GetAsync(Path);
        using HttpResponseMessage head = await mirror.SendAsync(HttpMethod.Head, Path);

        Assert.Equal(Headers(get), Headers(head));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));

        static List<string> Headers(HttpResponseMessage response) =>
        [
            .. response.Headers.Concat(response.Content.Headers).Where(h => h.Key != "Date")
                .Select(h => $"{h.Key}: {string.Join(", ", h.Value)}").Order(StringComparer.Ordinal),
        ];
    }

    [Fact]
    public async Task Content_is_never_encoded_even_when_asked_for()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        using HttpResponseMessage response = await mirror.GetAsync(Path, ("Accept-Encoding", "gzip, br, zstd, deflate"), ("TE", "gzip"));

        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.Empty(response.Headers.TransferEncoding);
        Assert.Equal(TestSite.Bytes(Content), await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }
}

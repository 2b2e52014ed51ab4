using System.Net;
using System.Text;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class RangeTests : IAsyncLifetime
{
    private const string File = "/ftp.debian.org/debian/dists/bookworm/Release";
    private const string Member = "/security.access.redhat.com/data/csaf/v2/vex/2024/cve-2024-1.json";
    private const string Date = "Sun, 01 Nov 2026 10:20:30 GMT";

    private static readonly byte[] s_content = TestSite.Random(1_000_000, 1);

    private readonly TestSite _site = new();
    private TestMirror _mirror = null!;

    public static TheoryData<string> Paths => [File, Member];

    public async ValueTask InitializeAsync()
    {
        _site.Publish(
            1,
            [_site.Entry(File, s_content, TestSite.Modified), _site.Entry("/empty", [], TestSite.Modified)],
            _site.Archive(
                "/security.access.redhat.com/data/csaf/v2/vex/",
                [("2024/cve-2024-0.json", TestSite.Random(5000, 2)), ("2024/cve-2024-1.json", s_content)],
                2));
        _mirror = await TestMirror.StartAsync(_site.Site);
    }

    public async ValueTask DisposeAsync()
    {
        await _mirror.DisposeAsync();
        _site.Dispose();
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_part_is_exactly_the_bytes_asked_for(string path)
    {
        var random = new Random(7);
        List<(string, int, int)> cases =
        [
            ("0-512", 0, 513), ("0-0", 0, 1), ("999999-", 999_999, 1), ("-1", 999_999, 1), ("-2000000", 0, 1_000_000), ("0-99999999999", 0, 1_000_000),
            .. Enumerable.Range(0, 30).Select(_ =>
            {
                int from = random.Next(1_000_000);
                int to = random.Next(from, 1_000_000);
                return ($"{from}-{to}", from, to - from + 1);
            }),
        ];
        foreach ((string range, int offset, int count) in cases)
        {
            using HttpResponseMessage response = await _mirror.GetAsync(path, ("Range", "bytes=" + range));

            Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
            Assert.Equal($"bytes {offset}-{offset + count - 1}/1000000", response.Content.Headers.GetValues("Content-Range").Single());
            Assert.Equal(s_content[offset..(offset + count)], await Body(response));
        }
    }

    [Theory]
    [InlineData("bytes=1000000-")]
    [InlineData("bytes=1000000-2000000")]
    [InlineData("bytes=-0")]
    public async Task A_part_that_is_not_there_is_416(string range)
    {
        using HttpResponseMessage response = await _mirror.GetAsync(File, ("Range", range));

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
        Assert.Equal("bytes */1000000", response.Content.Headers.GetValues("Content-Range").Single());
        Assert.Empty(await Body(response));
    }

    [Theory]
    [InlineData("bytes=")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=99999999999999999999-")]
    [InlineData("lines=0-5")]
    [InlineData("bytes=0-999999,0-999999")] // more than the whole
    [InlineData("bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32")]
    public async Task A_Range_that_makes_no_sense_is_answered_with_the_whole(string range)
    {
        using HttpResponseMessage response = await _mirror.GetAsync(File, ("Range", range));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(s_content, await Body(response));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Several_parts_come_as_multipart(string path)
    {
        using HttpResponseMessage response = await _mirror.GetAsync(path, ("Range", "bytes=10-19, 500000-599999, -5, 1000000-"));
        byte[] body = await Body(response);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal("multipart/byteranges", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        string boundary = response.Content.Headers.ContentType.Parameters.Single(p => p.Name == "boundary").Value!;
        string[] parts = Encoding.Latin1.GetString(body).Split($"\r\n--{boundary}");
        Assert.Equal(5, parts.Length);
        Assert.Equal("--\r\n", parts[4]);
        foreach ((string part, int offset, int count) in new[] { (parts[1], 10, 10), (parts[2], 500_000, 100_000), (parts[3], 999_995, 5) })
        {
            string[] halves = part.Split("\r\n\r\n", 2);
            Assert.Contains($"Content-Range: bytes {offset}-{offset + count - 1}/1000000", halves[0]);
            Assert.Equal(Encoding.Latin1.GetString(s_content, offset, count), halves[1]);
        }
    }

    [Theory]
    [InlineData("own", 206)]
    [InlineData("W/own", 200)]
    [InlineData("\"other\"", 200)]
    [InlineData(Date, 206)]
    [InlineData("Sun, 01 Nov 2026 10:20:29 GMT", 200)]
    [InlineData("Sun, 01 Nov 2026 10:20:31 GMT", 200)] // older content after a revert must not be joined to newer
    [InlineData("nonsense", 200)]
    public async Task A_download_is_continued_only_with_the_same_content(string condition, int expected)
    {
        using HttpResponseMessage response = await _mirror.GetAsync(
            File, ("Range", "bytes=500000-"), ("If-Range", condition.Replace("own", $"\"{TestSite.Digest(s_content)}\"")));

        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal(expected == 206 ? 500_000 : 1_000_000, (await Body(response)).Length);
    }

    [Fact]
    public async Task An_empty_file_is_empty_whatever_part_is_asked_for()
    {
        using HttpResponseMessage response = await _mirror.GetAsync("/empty", ("Range", "bytes=0-512"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await Body(response));
    }

    [Fact]
    public async Task HEAD_knows_no_ranges()
    {
        using HttpResponseMessage response = await _mirror.SendAsync(HttpMethod.Head, File, ("Range", "bytes=0-512"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(1_000_000, response.Content.Headers.ContentLength);
    }

    private static Task<byte[]> Body(HttpResponseMessage response) => response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
}

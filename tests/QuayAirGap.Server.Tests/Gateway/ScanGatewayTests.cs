using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Server.Gateway;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>The gateway between Quay and Clair: what it hands on, and what it adds.</summary>
public sealed class ScanGatewayTests
{
    private static readonly byte[] s_report = SampleReport.Make(1, 200, 400);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Answers() => new()
    {
        { "GET /indexer/api/v1/index_state HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 200 OK\r\nEtag: \"abc\"\r\nContent-Type: application/vnd.clair.index_state.v1+json\r\nContent-Length: 15\r\n\r\n{\"state\":\"abc\"}" },
        { "GET /indexer/api/v1/index_report/sha256:aa HTTP/1.1\r\nHost: c\r\nIf-None-Match: \"abc\"\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nEtag: \"abc\"\r\n\r\n" },
        {
            "POST /indexer/api/v1/index_report HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"hash\":\"x\"}"[..^1],
            "HTTP/1.1 201 Created\r\nEtag: \"abc\"\r\nLink: </indexer/api/v1/index_report/sha256:aa>; rel=\"https://projectquay.io/clair/v1/index_report\"\r\nLink: </matcher/api/v1/vulnerability_report/sha256:aa>; rel=\"x\"\r\nLocation: /indexer/api/v1/index_report/sha256:aa\r\nTrailer: Clair-Error\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nClair-Error: it broke\r\n\r\n"
        },
        { "POST /indexer/api/v1/index_report HTTP/1.1\r\nHost: c\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n" },
        { "DELETE /notifier/api/v1/notification/1 HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n" },
        { $"GET {GatewayRig.ReportPath} HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" },
        { $"GET {GatewayRig.ReportPath} HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nTrailer: Clair-Error\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{\"code\":\"not-found\"}\r\n0\r\n\r\n" },
        { $"HEAD {GatewayRig.ReportPath} HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n" },
        { "GET / HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 500 It Hurts\r\nX-Odd: caf\u00e9\r\nContent-Length: 4\r\n\r\n\u00ff\u00fe\u0000x" },
        { "GET /matcher/api/v1/internal/update_operation?latest=true&kind=vulnerability HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" },
        { "GET /old HTTP/1.1\r\nHost: c\r\n\r\n", "HTTP/1.1 301 Moved Permanently\r\nLocation: /matcher/api/v1/x\r\nContent-Length: 0\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task What_is_no_report_goes_through_as_it_is(string request, string answer)
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends(Encoding.Latin1.GetBytes(answer)));
        RawAnswer direct = await rig.AskDirectlyAsync(request);
        RawAnswer through = await rig.AskAsync(request);

        Assert.True(direct.IsWhole);
        Assert.Equal(direct.StatusLine, through.StatusLine);
        string[] ours = ["date:", "transfer-encoding:"]; // the time of day, and the framing, are each server's own
        Assert.Equal(direct.Headers.Where(h => !ours.Any(h.StartsWith)), through.Headers.Where(h => !ours.Any(h.StartsWith)));
        Assert.Equal(direct.Body, through.Body);
        Assert.Equal(direct.Trailers, through.Trailers);
        Assert.True(through.IsWhole);
        Assert.Empty(rig.Judged);
    }

    [Fact]
    public async Task A_request_reaches_Clair_as_it_was_sent()
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray()));
        string head = "GET /indexer//api/v1/%69ndex_report/sha256%3Aaa/../b%2Fc?a=%20b&c=<>\"'&&=%E2%98%83 HTTP/1.1\r\nHost: quay.example\r\nAuthorization: Bearer a.b-_c.d\r\nAccept-Encoding: gzip, deflate, br\r\n"
            + "If-None-Match: \"1\", W/\"2\"\r\nUser-Agent: python-requests/2.32.3\r\nAccept: */*\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Odd: caf\u00e9\r\n\r\n";
        await rig.AskAsync(head);

        string sent = rig.Clair.Requests.Single();
        string[] Lines(string text) => [.. text.Split("\r\n").Where(l => !l.StartsWith("Host:", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.Equal(head.Split("\r\n")[0], sent.Split("\r\n")[0]);
        Assert.Contains($"Host: {rig.Clair.Uri.Authority}", sent);
        Assert.Equal(Lines(head.Replace("X-Twice: 1\r\nX-Twice: 2", "X-Twice: 1, 2")), Lines(sent.Replace("X-Twice: 1\r\nX-Twice: 2", "X-Twice: 1, 2")));
    }

    [Fact]
    public async Task Large_bodies_stream_both_ways_and_no_limit_of_the_mirror_holds_them_up()
    {
        byte[] large = TestSite.Random(20_000_000, 3);
        await using GatewayRig rig = await GatewayRig.StartAsync(async (request, socket) =>
        {
            await socket.SendAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 201 Created\r\nX-Length: {request.Length - request.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4}\r\nContent-Length: {large.Length}\r\n\r\n"));
            await socket.SendAsync(large);
        });
        using HttpClient client = TestMirror.NewClient(rig.Address);
        using var content = new ByteArrayContent(new byte[3_000_000]);
        using HttpResponseMessage response = await client.PostAsync("/indexer/api/v1/index_report", content, Token);
        Assert.Equal(["3000000"], response.Headers.GetValues("X-Length"));
        Assert.Equal(large, await response.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task An_answer_is_handed_on_while_it_comes()
    {
        using var release = new SemaphoreSlim(0);
        await using GatewayRig rig = await GatewayRig.StartAsync(async (_, socket) =>
        {
            await socket.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"u8.ToArray());
            await release.WaitAsync();
            await socket.SendAsync("6\r\nsecond\r\n0\r\n\r\n"u8.ToArray());
        });
        using HttpClient client = TestMirror.NewClient(rig.Address);
        using HttpResponseMessage response = await client.GetAsync("/indexer/api/v1/index_report/sha256:aa", HttpCompletionOption.ResponseHeadersRead, Token);
        Stream body = await response.Content.ReadAsStreamAsync(Token);
        byte[] buffer = new byte[5];
        await body.ReadExactlyAsync(buffer, Token); // would wait for ever if it were held back
        Assert.Equal("first", Encoding.ASCII.GetString(buffer));
        release.Release();
        using var rest = new StreamReader(body);
        Assert.Equal("second", await rest.ReadToEndAsync(Token));
    }

    [Fact]
    public async Task When_Quay_hangs_up_so_does_the_gateway()
    {
        var hungUp = new TaskCompletionSource();
        await using GatewayRig rig = await GatewayRig.StartAsync(async (_, socket) =>
        {
            int n = await socket.ReceiveAsync(new byte[1]);
            Assert.Equal(0, n);
            hungUp.SetResult();
        });
        using HttpClient client = TestMirror.NewClient(rig.Address);
        using var patience = new CancellationTokenSource(300);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAsync("/indexer/api/v1/index_state", patience.Token));
        await hungUp.Task.WaitAsync(TimeSpan.FromSeconds(10), Token);
    }

    public static TheoryData<string, bool> Codings()
    {
        var all = new TheoryData<string, bool>();
        foreach (string coding in new[] { "", "gzip", "deflate", "zlib", "zstd" })
        {
            all.Add(coding, true);
            all.Add(coding, false);
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Codings))]
    public async Task A_covered_image_s_report_is_Clair_s_own_byte_for_byte(string coding, bool chunked)
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends(GatewayRig.Answer(s_report, chunked, coding, "Etag: \"x\"\r\n")));
        string request = GatewayRig.Get(GatewayRig.ReportPath, "Accept-Encoding: gzip, deflate, zstd", "Authorization: Bearer x");
        RawAnswer direct = await rig.AskDirectlyAsync(request);
        RawAnswer through = await rig.AskAsync(request);

        Assert.Equal(direct.StatusLine, through.StatusLine);
        Assert.Equal(direct.Headers, through.Headers);
        Assert.Equal(direct.Body, through.Body);
        Assert.Equal(direct.Trailers, through.Trailers);
        Assert.True(through.IsWhole);
        using var judged = JsonDocument.Parse(rig.Judged.Single());
        using var whole = JsonDocument.Parse(s_report);
        foreach (string member in new[] { "manifest_hash", "packages", "distributions", "repository", "environments" })
        {
            Assert.Equal(whole.RootElement.GetProperty(member).GetRawText(), judged.RootElement.GetProperty(member).GetRawText());
        }

        Assert.Contains("quayairgap_scan_gateway_reports_total{verdict=\"covered\"} 1", await rig.MetricsAsync());
    }

    [Fact]
    public async Task A_covered_image_s_report_is_let_go_before_it_has_all_arrived()
    {
        byte[] answer = GatewayRig.Answer(s_report);
        using var release = new SemaphoreSlim(0);
        await using GatewayRig rig = await GatewayRig.StartAsync(async (_, socket) =>
        {
            await socket.SendAsync(answer.AsMemory(0, answer.Length / 2));
            await Task.Delay(300); // time to judge what the index found, which comes first
            await socket.SendAsync(answer.AsMemory(answer.Length / 2, answer.Length / 2 - 100));
            await release.WaitAsync();
            await SendAsync(socket, answer[(answer.Length / 2 * 2 - 100)..]);
        });
        Assert.Equal(s_report, await rig.ReadAroundAsync(() => release.Release(), Token));
        Assert.Contains("quayairgap_scan_gateway_reports_total{verdict=\"covered\"} 1", await rig.MetricsAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    public async Task A_warning_goes_on_before_the_report_has_all_arrived(string coding)
    {
        byte[] answer = GatewayRig.Answer(s_report, coding: coding);
        using var release = new SemaphoreSlim(0);
        await using GatewayRig rig = await GatewayRig.StartAsync(async (_, socket) =>
        {
            await socket.SendAsync(answer.AsMemory(0, answer.Length - 100));
            await release.WaitAsync();
            await SendAsync(socket, answer[^100..]);
        });
        rig.Verdict = _ => GatewayRig.Stale;
        Assert.Equal(s_report, GatewayRig.Undecorated(await rig.ReadAroundAsync(() => release.Release(), Token), GatewayRig.Stale));
        Assert.Contains("quayairgap_scan_gateway_reports_total{verdict=\"stale\"} 1", await rig.MetricsAsync());
    }

    [Theory]
    [MemberData(nameof(Codings))]
    public async Task Any_other_gets_one_package_with_one_advisory_and_stays_the_same_otherwise(string coding, bool chunked)
    {
        var link = new Uri("https://mirror.example/");
        await using GatewayRig rig = await GatewayRig.StartAsync(
            Sends(GatewayRig.Answer(s_report, chunked, coding, "Etag: \"x\"\r\nLast-Modified: Wed, 25 Nov 2026 19:00:00 GMT\r\n")),
            change: o => o with { Contact = "the platform team, room 5", Link = link });
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await rig.AskAsync(GatewayRig.Get(GatewayRig.ReportPath, "Accept-Encoding: gzip, deflate, zstd"));

        Assert.Equal("", string.Join("", rig.Log.Warnings.Where(w => w.Contains("judged", StringComparison.Ordinal))));
        Assert.True(through.IsWhole);
        Assert.Equal(200, through.Status);
        Assert.Null(through.Header("content-encoding"));
        Assert.Null(through.Header("last-modified"));
        Assert.StartsWith("\"x-airgap-", through.Header("etag"));
        Assert.Equal("max-age=10", through.Header("cache-control"));
        Assert.Null(through.Header("content-length")); // it goes on before its end is known
        Assert.Equal(chunked ? "Clair-Error" : null, through.Header("trailer"));
        Assert.Empty(QuayReportRules.Broken(s_report));
        Assert.Empty(QuayReportRules.Broken(through.Body));
        Assert.Equal(s_report, GatewayRig.Undecorated(through.Body, GatewayRig.Stale, "the platform team, room 5", link));

        using var json = JsonDocument.Parse(through.Body);
        JsonElement advisory = json.RootElement.GetProperty("vulnerabilities").GetProperty(ReportWarning.Id);
        Assert.Equal("FEED-STALE rhel-vex 16 days old", advisory.GetProperty("name").GetString());
        Assert.Equal("Unknown", advisory.GetProperty("normalized_severity").GetString());
        Assert.Equal("https://mirror.example/", advisory.GetProperty("links").GetString());
        string description = advisory.GetProperty("description").GetString()!;
        Assert.Contains("not a vulnerability of the image", description);
        Assert.Contains("last confirmed 16 days ago", description);
        Assert.Contains("☃", description);
        Assert.EndsWith("Ask the platform team, room 5.", description);
        Assert.Equal("airgap-feed-status", json.RootElement.GetProperty("packages").GetProperty(ReportWarning.Id).GetProperty("name").GetString());
        using var whole = JsonDocument.Parse(s_report);
        string layer = json.RootElement.GetProperty("environments").GetProperty(ReportWarning.Id)[0].GetProperty("introduced_in").GetString()!;
        Assert.Contains(whole.RootElement.GetProperty("environments").EnumerateObject(), e => e.Value[0].GetProperty("introduced_in").GetString() == layer);
        Assert.Contains("quayairgap_scan_gateway_reports_total{verdict=\"stale\"} 1", await rig.MetricsAsync());
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("", false)]
    [InlineData("gzip", true)]
    [InlineData("gzip", false)]
    public async Task A_verdict_may_come_long_after_the_last_byte(string coding, bool isCovered)
    {
        byte[] report = SampleReport.Make(2, 400, 1200);
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends(GatewayRig.Answer(report, coding: coding)));
        rig.Verdict = _ =>
        {
            Thread.Sleep(300);
            return isCovered ? GatewayRig.Covered : GatewayRig.Stale;
        };
        RawAnswer through = await rig.AskAsync(GatewayRig.Get(GatewayRig.ReportPath, "Accept-Encoding: gzip"));
        Assert.True(through.IsWhole);
        Assert.Equal(report, isCovered ? GatewayRig.Decode(through.Body, coding) : GatewayRig.Undecorated(through.Body, GatewayRig.Stale));
        Assert.Contains($"quayairgap_scan_gateway_reports_total{{verdict=\"{(isCovered ? "covered" : "stale")}\"}} 1", await rig.MetricsAsync());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{ }")]
    public async Task An_image_in_which_nothing_was_found_gets_it_too(string map)
    {
        byte[] report = Encoding.UTF8.GetBytes($$$"""
            {"environments":{{{map}}},"manifest_hash":"sha256:ab", "packages" : {{{map}}}
            ,"distributions":{},"repository":null,"vulnerabilities":{{{map}}},"unknown":[{"packages":{}}],"package_vulnerabilities":{{{map}}},"enrichments":null}
            """);
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends(GatewayRig.Answer(report)));
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await rig.AskAsync(GatewayRig.Get(GatewayRig.ReportPath));

        Assert.Empty(QuayReportRules.Broken(through.Body));
        using var json = JsonDocument.Parse(through.Body);
        Assert.Single(json.RootElement.GetProperty("packages").EnumerateObject());
        Assert.Equal("sha256:ab", json.RootElement.GetProperty("environments").GetProperty(ReportWarning.Id)[0].GetProperty("introduced_in").GetString());
        Assert.Equal("", string.Join("", rig.Log.Warnings.Where(w => w.Contains("judged", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("/matcher/api/v1/vulnerability_report/sha256%3Aaa")]
    [InlineData("/matcher/api/v1/%76ulnerability_report/sha256:aa?x=1")]
    [InlineData("/matcher/api/v1/vulnerability_report/sha256:aa/")]
    public async Task A_report_is_one_however_its_path_is_written(string path)
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends(GatewayRig.Answer(s_report)));
        rig.Verdict = _ => GatewayRig.Stale;
        await rig.AskAsync(GatewayRig.Get(path));
        Assert.Single(rig.Judged);
        Assert.StartsWith($"GET {path} ", rig.Clair.Requests.Single());
    }

    [Fact]
    public async Task A_condition_never_hides_that_the_verdict_has_changed()
    {
        await using GatewayRig rig = await GatewayRig.StartAsync((request, socket) => request.Contains("If-None-Match", StringComparison.OrdinalIgnoreCase) || request.Contains("Range", StringComparison.Ordinal)
            ? SendAsync(socket, "HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"u8.ToArray())
            : SendAsync(socket, GatewayRig.Answer(s_report, more: "Etag: \"x\"\r\n")));
        Task<RawAnswer> Ask(string? tag) => rig.AskAsync(tag is null ? GatewayRig.Get(GatewayRig.ReportPath) : GatewayRig.Get(GatewayRig.ReportPath, $"If-None-Match: {tag}", "Range: bytes=0-9"));

        RawAnswer first = await Ask(null);
        Assert.Equal("\"x\"", first.Header("etag"));
        RawAnswer same = await Ask("\"x\"");
        Assert.Equal(304, same.Status);
        Assert.Equal("\"x\"", same.Header("etag"));

        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer changed = await Ask("\"x\"");
        Assert.Equal(200, changed.Status);
        string tag = changed.Header("etag")!;
        Assert.NotEqual("\"x\"", tag);
        Assert.Equal(304, (await Ask($"\"y\", W/{tag}")).Status);

        rig.Verdict = _ => GatewayRig.Stale with { Gaps = [GatewayRig.Stale.Gaps[0] with { Age = TimeSpan.FromDays(17) }] };
        RawAnswer later = await Ask(tag);
        Assert.Equal(200, later.Status);
        Assert.NotEqual(tag, later.Header("etag"));
    }

    [Fact]
    public async Task Two_gateways_one_behind_the_other_warn_once()
    {
        await using GatewayRig inner = await GatewayRig.StartAsync(Sends(GatewayRig.Answer(s_report)));
        await using GatewayRig outer = await GatewayRig.StartAsync(Sends([]), change: o => o with { Clair = inner.Address });
        inner.Verdict = outer.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await outer.AskAsync(GatewayRig.Get(GatewayRig.ReportPath));
        Assert.Equal(s_report, GatewayRig.Undecorated(through.Body, GatewayRig.Stale));
        Assert.Contains("quayairgap_scan_gateway_already_warned_total 1", await outer.MetricsAsync());
    }

    [Fact]
    public async Task A_Clair_that_is_not_there_is_a_bad_gateway_and_the_mirror_stays_ready()
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(Sends([]), change: o => o with { Clair = new Uri("http://127.0.0.1:1/") });
        RawAnswer answer = await rig.AskAsync(GatewayRig.Get(GatewayRig.ReportPath));
        Assert.Equal(502, answer.Status);
        Assert.Contains(rig.Log.Warnings, w => w.Contains("Clair at http://127.0.0.1:1/ does not answer", StringComparison.Ordinal));
        using HttpClient client = TestMirror.NewClient(new Uri(rig.Mirror.Urls[0]));
        using HttpResponseMessage ready = await client.GetAsync("/readyz", Token);
        Assert.Equal("nothing is published yet\n", await ready.Content.ReadAsStringAsync(Token)); // the site's state, whatever Clair's
        Assert.Contains("quayairgap_scan_gateway_requests_total{status=\"502\"} 1", await rig.MetricsAsync());
    }

    [Fact]
    public void A_title_says_what_is_wrong_first()
    {
        CoverageGap gap = GatewayRig.Stale.Gaps[0] with { Verdict = CoverageVerdict.Incomplete, Code = "FEED-MISSING", Source = "debian", Part = "trixie", Age = null };
        Assert.Equal("FEED-MISSING debian trixie", ReportWarning.Title(GatewayRig.Stale with { Gaps = [gap] }));
        Assert.Equal("FEED-MISSING debian trixie (+2 more)", ReportWarning.Title(GatewayRig.Stale with { Gaps = [gap, gap, gap] }));
        Assert.Equal("UNSUPPORTED Rocky Linux 9", ReportWarning.Title(GatewayRig.Stale with { Gaps = [gap with { Code = "UNSUPPORTED", Source = null, Subject = "Rocky Linux 9" }] }));
        Assert.Equal("FEED-STALE rhel-vex 1 day old", ReportWarning.Title(GatewayRig.Stale with { Gaps = [GatewayRig.Stale.Gaps[0] with { Age = TimeSpan.FromHours(47) }] }));
        Assert.Equal("FEED-STATUS Unindexed", ReportWarning.Title(GatewayRig.Stale with { Verdict = CoverageVerdict.Unindexed, Gaps = [] }));
    }

    internal static Func<string, Socket, Task> Sends(byte[] answer) => (_, socket) => SendAsync(socket, answer);

    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (int at = 0; at < bytes.Length;)
        {
            at += await socket.SendAsync(bytes.AsMemory(at));
        }

        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveAsync(new byte[1]); // until the other side closes, so that no reset swallows what was sent
    }
}

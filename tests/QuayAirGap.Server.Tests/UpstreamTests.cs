using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using QuayAirGap.Core.Tls;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>The mirror under the feeds' own names: by proxy and by name resolution.</summary>
public sealed class UpstreamTests : IAsyncLifetime
{
    private const string Alpine = "secdb.alpinelinux.org";
    private const string Osv = "osv-vulnerabilities.storage.googleapis.com";
    private const string Modified = "Sun, 01 Nov 2026 10:20:30 GMT";

    private static readonly string s_debianCdn = string.Join('.', "deb", "debian", "org");

    private readonly TestSite _site = new();
    private UpstreamRig _rig = null!;

    public async ValueTask InitializeAsync()
    {
        _site.Publish(
            1,
            [
                _site.Entry($"/{Alpine}/v3.3/", "<html></html>", contentType: "text/html"),
                _site.Entry($"/{Alpine}/v3.18/main.json", "{\"packages\":[]}", contentType: "application/json"),
                _site.Entry("/ftp.debian.org/debian/dists/", "<a href=\"bookworm/\">bookworm/</a>", contentType: "text/html"),
                _site.Entry("/security-tracker.debian.org/tracker/data/json", "{}", contentType: "application/json"),
                _site.Entry("/ecosystems.txt", "Go\n") with { Validators = false },
                _site.Entry($"/{Osv}/ecosystems.txt", "Go\n") with { Validators = false },
                _site.Entry("/security-metadata.canonical.com/series", "by path"),
                _site.Entry("/as-upstream/security-metadata.canonical.com/series", "as upstream"),
            ],
            _site.Archive("/security.access.redhat.com/data/csaf/v2/vex/", [("2024/cve-2024-1.json", TestSite.Random(100_000, 1))], 1));
        _rig = await UpstreamRig.StartAsync(_site.Site, new MirrorLimits { HeaderTimeout = TimeSpan.FromSeconds(2) });
    }

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        _site.Dispose();
    }

    [Theory]
    [InlineData(true, "https")]
    [InlineData(true, "http")]
    [InlineData(false, "https")]
    [InlineData(false, "http")]
    public async Task Each_host_has_what_the_generation_has_under_its_name(bool proxy, string scheme)
    {
        HttpClient client = proxy ? _rig.ThroughProxy() : _rig.ByName();

        foreach ((string url, string path) in new[]
        {
            ($"{Alpine}/v3.18/main.json", $"/{Alpine}/v3.18/main.json"),
            ($"{Alpine}/v3.3/", $"/{Alpine}/v3.3/"),
            ($"{s_debianCdn}/debian/dists/", "/ftp.debian.org/debian/dists/"),
            ("ftp.debian.org/debian/dists/", "/ftp.debian.org/debian/dists/"),
            ($"{Osv}/ecosystems.txt", "/ecosystems.txt"),
            ("security.access.redhat.com/data/csaf/v2/vex/2024/cve-2024-1.json", "/security.access.redhat.com/data/csaf/v2/vex/2024/cve-2024-1.json"),
        })
        {
            using HttpResponseMessage expected = await _rig.Mirror.GetAsync(path);
            using HttpResponseMessage answer = await client.GetAsync($"{scheme}://{url}", TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(expected.Headers.ETag, answer.Headers.ETag);
            Assert.Equal(expected.Content.Headers.LastModified, answer.Content.Headers.LastModified);
            Assert.Equal(expected.Content.Headers.ContentType, answer.Content.Headers.ContentType);
            Assert.Equal(
                await expected.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken),
                await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }

        Assert.Empty(_rig.Log.Warnings);
        Assert.Empty(_rig.Log.Errors);
    }

    [Theory]
    [InlineData("security-tracker.debian.org/tracker/data/json", "If-Modified-Since", Modified, 304)]
    [InlineData("security-tracker.debian.org/tracker/data/json", "If-Modified-Since", "Sun, 01 Nov 2026 10:20:31 GMT", 200)] // after a revert
    [InlineData("ftp.debian.org/debian/dists/", "Range", "bytes=0-4", 206)]
    [InlineData("secdb.alpinelinux.org/v3.18/main.json", "If-None-Match", "own", 304)]
    [InlineData("osv-vulnerabilities.storage.googleapis.com/ecosystems.txt", "If-None-Match", "*", 200)]
    public async Task Conditions_and_ranges_hold_as_by_path(string url, string name, string value, int expected)
    {
        foreach (HttpClient client in new[] { _rig.ThroughProxy(), _rig.ByName() })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "https://" + url);
            request.Headers.TryAddWithoutValidation(name, value.Replace("own", $"\"{TestSite.Digest(TestSite.Bytes("{\"packages\":[]}"))}\""));
            using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(expected, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task What_is_published_for_this_way_of_serving_goes_first()
    {
        Assert.Equal("as upstream", await _rig.ThroughProxy().GetStringAsync("https://security-metadata.canonical.com/series", TestContext.Current.CancellationToken));
        using HttpResponseMessage byPath = await _rig.Mirror.GetAsync("/security-metadata.canonical.com/series");
        Assert.Equal("by path", await byPath.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_directory_without_its_slash_leads_to_the_hosts_own_path()
    {
        using HttpResponseMessage answer = await _rig.ThroughProxy().GetAsync($"https://{s_debianCdn}/debian/dists", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.MovedPermanently, answer.StatusCode);
        Assert.Equal("/debian/dists/", answer.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("/v3.4/")]
    [InlineData("/healthz")]
    [InlineData("/status")]
    [InlineData("/metrics")]
    [InlineData("/secdb.alpinelinux.org/v3.3/")]
    [InlineData("/../as-upstream/security-metadata.canonical.com/series")]
    [InlineData("/%2e%2e/ftp.debian.org/debian/dists/")]
    public async Task Whatever_is_missing_is_404(string path)
    {
        await using SslStream tls = await _rig.HandshakeAsync(Alpine, Alpine);
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {Alpine}\r\nConnection: close\r\n\r\n"), TestContext.Current.CancellationToken);

        Assert.StartsWith("HTTP/1.1 404 ", await UpstreamRig.ReadAllAsync(tls));
    }

    [Fact]
    public async Task Content_that_the_store_has_lost_is_404_and_an_error_in_the_log()
    {
        File.Delete(_site.Site.Store.PathOf(TestSite.Digest(TestSite.Bytes("{\"packages\":[]}"))));

        using HttpResponseMessage answer = await _rig.ThroughProxy().GetAsync($"https://{Alpine}/v3.18/main.json", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Single(_rig.Log.Errors);
    }

    [Theory]
    [InlineData("CONNECT quay.io:443 HTTP/1.1\r\nHost: quay.io:443\r\n\r\n", "403", "no feed's host")]
    [InlineData("CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n", "403", "no feed's host")]
    [InlineData("CONNECT secdb.alpinelinux.org.evil.example:443 HTTP/1.1\r\n\r\n", "403", "no feed's host")]
    [InlineData("CONNECT secdb.alpinelinux.org:22 HTTP/1.1\r\n\r\n", "403", "port 443")]
    [InlineData("CONNECT secdb.alpinelinux.org:80 HTTP/1.1\r\n\r\n", "403", "port 443")]
    [InlineData("CONNECT secdb.alpinelinux.org HTTP/1.1\r\n\r\n", "400", "no request to a proxy")]
    [InlineData("CONNECT secdb.alpinelinux.org:443:443 HTTP/1.1\r\n\r\n", "403", "no feed's host")]
    [InlineData("CONNECT \r\n\r\n", "400", "no request to a proxy")]
    [InlineData("CONNECT secdb.alpinelinux.org:443 SPDY/1\r\n\r\n", "400", "no request to a proxy")]
    [InlineData("GET http://quay.io/ HTTP/1.1\r\nHost: quay.io\r\nConnection: close\r\n\r\n", "404", "no feed's host")]
    [InlineData("GET http://10.0.0.1/ HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n", "404", "no feed's host")]
    [InlineData("GET http://secdb.alpinelinux.org:8080/v3.3/ HTTP/1.1\r\nHost: secdb.alpinelinux.org:8080\r\nConnection: close\r\n\r\n", "404", "port 443")]
    [InlineData("GET https://secdb.alpinelinux.org/v3.3/ HTTP/1.1\r\nHost: secdb.alpinelinux.org\r\nConnection: close\r\n\r\n", "404", "no request to a proxy")]
    [InlineData("GET /v3.3/ HTTP/1.1\r\nHost: secdb.alpinelinux.org\r\nConnection: close\r\n\r\n", "404", "no request to a proxy")]
    [InlineData("GET /secdb.alpinelinux.org/v3.3/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "404", "no request to a proxy")]
    public async Task The_proxy_refuses_and_logs_everything_else(string request, string status, string reason)
    {
        string answer = await _rig.SendRawAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        Assert.Contains(reason, Assert.Single(_rig.Log.Warnings));
    }

    [Theory]
    [InlineData("quay.io", "no feed's host")]
    [InlineData("secdb.alpinelinux.org:8080", "port 443")]
    [InlineData("127.0.0.1", "no feed's host")]
    public async Task A_plain_request_by_name_for_another_host_is_refused(string host, string reason)
    {
        string answer = await _rig.SendRawAsync($"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", _rig.PlainPort);

        Assert.StartsWith("HTTP/1.1 404 ", answer);
        Assert.Contains(reason, Assert.Single(_rig.Log.Warnings));
    }

    [Theory]
    [InlineData(null, "quay.io", "no feed's host")]
    [InlineData("secdb.alpinelinux.org", "quay.io", "no feed's host")]
    [InlineData("secdb.alpinelinux.org", "ftp.debian.org", "different hosts")]
    public async Task A_handshake_for_another_host_is_refused(string? tunnel, string serverName, string reason)
    {
        await Assert.ThrowsAnyAsync<Exception>(() => _rig.HandshakeAsync(tunnel, serverName));

        Assert.Contains(reason, Assert.Single(_rig.Log.Warnings));
    }

    [Theory]
    [InlineData("ftp.debian.org", "/debian/dists/")]
    [InlineData("quay.io", "/")]
    [InlineData("secdb.alpinelinux.org:80", "/v3.3/")]
    [InlineData("secdb.alpinelinux.org", "https://ftp.debian.org/debian/dists/")]
    public async Task A_request_that_names_another_host_than_its_tunnel_is_refused(string host, string target)
    {
        await using SslStream tls = await _rig.HandshakeAsync(Alpine, Alpine);
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), TestContext.Current.CancellationToken);

        Assert.Matches("^HTTP/1.1 40[04] ", await UpstreamRig.ReadAllAsync(tls));
    }

    [Fact]
    public async Task Each_request_of_a_connection_is_looked_at()
    {
        string answer = await _rig.SendRawAsync(
            $"GET http://{Alpine}/v3.3/ HTTP/1.1\r\nHost: {Alpine}\r\n\r\n" +
            "GET http://quay.io/ HTTP/1.1\r\nHost: quay.io\r\n\r\n" +
            $"CONNECT {Alpine}:443 HTTP/1.1\r\nHost: {Alpine}:443\r\nConnection: close\r\n\r\n");

        Assert.Equal(["200", "404", "404"], answer.Split("HTTP/1.1 ").Skip(1).Select(a => a[..3]));
        Assert.Equal(2, _rig.Log.Warnings.Count);
    }

    [Fact]
    public async Task Http_2_is_not_offered()
    {
        foreach (string? tunnel in new[] { Alpine, null })
        {
            await using SslStream tls = await _rig.HandshakeAsync(tunnel, Alpine, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11);
            Assert.Equal(SslApplicationProtocol.Http11, tls.NegotiatedApplicationProtocol);
        }
    }

    [Fact]
    public async Task A_client_that_does_not_trust_the_authority_reads_nothing()
    {
        using var other = new TestSite();
        string strange = File.ReadAllText(new MirrorCertificates(other.Site, TimeProvider.System).Ensure(null).TrustFile);

        await Assert.ThrowsAsync<HttpRequestException>(() => _rig.ThroughProxy(strange).GetStringAsync($"https://{Alpine}/v3.3/", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_exchanged_authority_is_used_without_a_restart()
    {
        var certificates = new MirrorCertificates(_site.Site, TimeProvider.System);
        await Task.Delay(1100, TestContext.Current.CancellationToken); // the authorities' times are whole seconds
        certificates.StartRotation(null);
        string newTrust = File.ReadAllText(certificates.CompleteRotation().TrustFile);
        Assert.Equal("<html></html>", await _rig.ThroughProxy().GetStringAsync($"https://{Alpine}/v3.3/", TestContext.Current.CancellationToken));

        _rig.Mirror.Time.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal("<html></html>", await _rig.ThroughProxy(newTrust).GetStringAsync($"https://{Alpine}/v3.3/", TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<HttpRequestException>(() => _rig.ThroughProxy().GetStringAsync($"https://{Alpine}/v3.3/", TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("C")]
    [InlineData("CONNECT secdb.alpinelinux.org:443 HTTP/1.1\r\nX: y\r\n")]
    public async Task A_client_that_does_not_finish_its_head_is_disconnected(string begun)
    {
        using Socket socket = await UpstreamRig.ConnectAsync(_rig.Proxy.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(begun), TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(socket);

        Assert.Equal("", await UpstreamRig.ReadAllAsync(stream).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_client_that_does_not_finish_its_handshake_is_disconnected()
    {
        using Socket socket = await UpstreamRig.ConnectAsync(_rig.TlsPort);
        await socket.SendAsync(new byte[] { 22, 3, 1 }, TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(socket);

        await UpstreamRig.ReadAllAsync(stream).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_head_without_end_is_refused()
    {
        string answer = await _rig.SendRawAsync($"CONNECT {Alpine}:443 HTTP/1.1\r\nX: {new string('x', 10_000)}");

        Assert.StartsWith("HTTP/1.1 400 ", answer);
    }

    [Fact]
    public async Task Heads_in_pieces_are_put_together()
    {
        using Socket socket = await UpstreamRig.ConnectAsync(_rig.Proxy.Port);
        foreach (char c in $"CONNECT {Alpine}:443 HTTP/1.1\r\n\r\n")
        {
            await socket.SendAsync(new[] { (byte)c }, TestContext.Current.CancellationToken);
        }

        byte[] answer = new byte[100];
        int read = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 200 ", Encoding.ASCII.GetString(answer, 0, read));
    }

    [Fact]
    public async Task Generated_nonsense_never_gets_a_5xx_nor_stops_the_proxy()
    {
        var random = new Random(5);
        string[] parts = ["CONNECT ", "GET ", "http://", "https://", Alpine, "quay.io", ":443", ":80", ":", " HTTP/1.1", "\r\n", "\n", "Host: ", "/", "..", "%2e", "\0", "é", "@", "[::1]", " "];
        foreach (int _ in Enumerable.Range(0, 300))
        {
            string request = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => parts[random.Next(parts.Length)])) + "\r\nConnection: close\r\n\r\n";
            string answer = await SendBriefAsync(request);
            // 505: for a version of HTTP that there is not, before there is a request.
            Assert.True(answer.Length == 0 || answer[9..12] is "505" or "200" || answer[9] == '4', $"{request} was answered {answer}");
        }

        Assert.Equal("<html></html>", await _rig.ThroughProxy().GetStringAsync($"https://{Alpine}/v3.3/", TestContext.Current.CancellationToken));
        Assert.Empty(_rig.Log.Errors);
    }

    private async Task<string> SendBriefAsync(string request)
    {
        using Socket socket = await UpstreamRig.ConnectAsync(_rig.Proxy.Port);
        await using var stream = new NetworkStream(socket);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        socket.Shutdown(SocketShutdown.Send);
        return await UpstreamRig.ReadAllAsync(stream);
    }
}

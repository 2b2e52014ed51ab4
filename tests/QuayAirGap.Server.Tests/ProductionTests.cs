using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Server.Listening;
using QuayAirGap.TestKit.Prometheus;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>What whoever runs a mirror needs: health, metrics, TLS by path, limits.</summary>
public sealed class ProductionTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task It_is_ready_once_something_is_published()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        Assert.Equal(HttpStatusCode.OK, (await mirror.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await mirror.GetAsync("/readyz")).StatusCode);
        Assert.DoesNotContain("quayairgap_generation ", await TextAsync(mirror, "/metrics"));

        _site.Publish(1, [_site.Entry("/a", "one")]);
        mirror.PassASecond();
        await mirror.GetAsync("/a");

        Assert.Equal(HttpStatusCode.OK, (await mirror.GetAsync("/readyz")).StatusCode);
    }

    [Fact]
    public async Task A_site_becomes_ready_without_anybody_asking_for_a_feed()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        _site.Publish(1, [_site.Entry("/a", "one")]);
        mirror.PassASecond();

        Assert.Equal(HttpStatusCode.OK, (await mirror.GetAsync("/readyz")).StatusCode);
        Assert.Contains("quayairgap_generation 1\n", await TextAsync(mirror, "/metrics"));
    }

    [Fact]
    public async Task Metrics_say_what_is_served_to_whom_and_every_source_is_in_one_state()
    {
        _site.Publish(3, [_site.Entry("/a", "four") with { Source = "alpine" }]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        await mirror.GetAsync("/a");
        await mirror.GetAsync("/a", ("If-None-Match", "*"));
        await mirror.GetAsync("/missing");

        using HttpResponseMessage answer = await mirror.GetAsync("/metrics");
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("\nquayairgap_generation 3\n", text);
        Assert.Contains($"\nquayairgap_generation_published_timestamp_seconds {TestSite.Modified.ToUnixTimeSeconds()}\n", text);
        Assert.Contains("\nquayairgap_requests_total{door=\"path\",source=\"alpine\",status=\"200\"} 1\n", text);
        Assert.Contains("\nquayairgap_response_bytes_total{door=\"path\",source=\"alpine\",status=\"200\"} 4\n", text);
        Assert.Contains("\nquayairgap_requests_total{door=\"path\",source=\"alpine\",status=\"304\"} 1\n", text);
        Assert.Contains("\nquayairgap_requests_total{door=\"path\",source=\"\",status=\"404\"} 1\n", text);

        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (IGrouping<string, string> source in lines.Where(l => l.StartsWith("quayairgap_source_state{", StringComparison.Ordinal)).GroupBy(l => l.Split('"')[1]))
        {
            Assert.Single(source, l => l.EndsWith(" 1", StringComparison.Ordinal));
        }

        Exposition read = Exposition.Read(text);
        Assert.Equal(3, read.Samples["quayairgap_generation"]);
        (int Code, string Text)? tool = await Exposition.PromtoolAsync(text);
        Assert.True(tool is null or { Code: 0, Text: "" }, tool?.Text);
    }

    [Fact]
    public async Task Settings_that_cannot_be_read_call_nothing_fresh()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        File.WriteAllText(_site.Site.SettingsFile, "sources: [");
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        string text = await TextAsync(mirror, "/metrics");

        Assert.Contains("quayairgap_settings_readable 0\n", text);
        Assert.DoesNotContain("fresh", text);
        Assert.Equal("one", await TextAsync(mirror, "/a"));
    }

    [Theory]
    [InlineData("pem")]
    [InlineData("pem and key")]
    [InlineData("encrypted pem")]
    [InlineData("pfx")]
    public async Task By_path_with_TLS_a_renewed_certificate_is_used_without_a_restart(string form)
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        ServerCertificateFiles files = WriteCertificate(form, "CN=first");
        await using TestMirror mirror = await TestMirror.StartAsync(new MirrorOptions { Site = _site.Site, Urls = ["https://127.0.0.1:0"], Certificate = files });
        Assert.Equal("CN=first", await SubjectAsync(mirror));

        WriteCertificate(form, "CN=second");
        mirror.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("CN=second", await SubjectAsync(mirror));

        await File.WriteAllTextAsync(files.CertificateFile, "half a file", TestContext.Current.CancellationToken);
        mirror.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("CN=second", await SubjectAsync(mirror));
        mirror.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("CN=second", await SubjectAsync(mirror));
        Assert.Contains("stays in use", Assert.Single(mirror.Log.Errors));
    }

    [Theory]
    [InlineData(false, "1.1")]
    [InlineData(true, "2.0")]
    public async Task Http_2_is_offered_only_where_somebody_asks_for_it(bool offered, string expected)
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(new MirrorOptions
        {
            Site = _site.Site,
            Urls = ["https://127.0.0.1:0"],
            Certificate = WriteCertificate("pem", "CN=x"),
            Http2 = offered,
        });
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=x" } });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(mirror.Address, "/a")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };

        using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.Version.ToString());
        Assert.Equal("one", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("GET /a HTTP/1.1\r\nHost: x\r\nX-Slow: ")]
    [InlineData("GET ")]
    public async Task A_request_that_does_not_end_is_cut_off(string begun)
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(
            new MirrorOptions { Site = _site.Site, Limits = new MirrorLimits { HeaderTimeout = TimeSpan.FromSeconds(1) } });
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, mirror.Address.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(begun), TestContext.Current.CancellationToken);
        byte[] answer = new byte[1000];

        int read = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.True(read == 0 || Encoding.ASCII.GetString(answer, 0, read).StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Idle_and_slow_clients_do_not_starve_others_and_one_too_many_is_turned_away()
    {
        byte[] large = TestSite.Random(8_000_000, 1);
        _site.Publish(1, [_site.Entry("/large", large, null), _site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(new MirrorOptions { Site = _site.Site, Limits = new MirrorLimits { MaxConnections = 401 } });
        var sockets = new List<Socket>();
        try
        {
            for (int i = 0; i < 400; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
                sockets.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, mirror.Address.Port, TestContext.Current.CancellationToken);
                if (i < 50)
                {
                    // Asks for much and reads nothing.
                    await socket.SendAsync("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
                }
            }

            for (int i = 0; i < 20; i++)
            {
                Assert.Equal("one", await mirror.Client.GetStringAsync("/a", TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            }

            Assert.Equal(large, await mirror.Client.GetByteArrayAsync("/large", TestContext.Current.CancellationToken));

            using var more = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await more.ConnectAsync(IPAddress.Loopback, mirror.Address.Port, TestContext.Current.CancellationToken);
            Assert.Equal(0, await ReadOrResetAsync(more));
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    [Fact]
    public async Task A_request_with_a_body_is_refused()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        string answer = Encoding.ASCII.GetString(await mirror.SendRawAsync(
            Encoding.ASCII.GetBytes($"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n{new string('x', 1000)}")));

        Assert.Matches("^HTTP/1.1 4(05|13) ", answer);
    }

    private static async Task<int> ReadOrResetAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[10], TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static async Task<string> TextAsync(TestMirror mirror, string path)
    {
        using HttpResponseMessage answer = await mirror.GetAsync(path);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<string> SubjectAsync(TestMirror mirror)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, mirror.Address.Port, TestContext.Current.CancellationToken);
        await using var ssl = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await ssl.AuthenticateAsClientAsync("x.example.org");
        await ssl.WriteAsync("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.EndsWith("one", await new StreamReader(ssl).ReadToEndAsync(TestContext.Current.CancellationToken));
        return ssl.RemoteCertificate!.Subject;
    }

    private ServerCertificateFiles WriteCertificate(string form, string subject)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        string path = Path.Combine(_site.Root, "server.crt");
        string keyPath = Path.Combine(_site.Root, "server.key");
        string pem = certificate.ExportCertificatePem() + "\n";
        switch (form)
        {
            case "pem":
                File.WriteAllText(path, pem + key.ExportPkcs8PrivateKeyPem());
                return new ServerCertificateFiles(path);
            case "pem and key":
                File.WriteAllText(path, pem);
                File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
                return new ServerCertificateFiles(path, keyPath);
            case "encrypted pem":
                File.WriteAllText(path, pem + key.ExportEncryptedPkcs8PrivateKeyPem("word", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
                return new ServerCertificateFiles(path, null, "word");
            default:
                File.WriteAllBytes(path, certificate.Export(X509ContentType.Pfx, "word"));
                return new ServerCertificateFiles(path, null, "word");
        }
    }
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Server.Commands;
using QuayAirGap.Server.Gateway;
using QuayAirGap.Server.Listening;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>The gateway as people run it: it judges by the site, and both its sides can have TLS.</summary>
public sealed class ScanGatewaySiteTests : IDisposable
{
    private static readonly byte[] s_report = SampleReport.Make(1, 200, 400);
    private static readonly string s_get = GatewayRig.Get(GatewayRig.ReportPath, "Accept-Encoding: gzip, deflate");

    private readonly TestSite _site = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task Quayairgap_serve_warns_by_what_the_site_serves_at_that_moment()
    {
        await using var clair = new ScriptedClair(ScanGatewayTests.Sends(GatewayRig.Answer(s_report, coding: "gzip")));
        Publish(1, TimeSpan.FromHours(1));
        using var stop = new CancellationTokenSource();
        var output = new StringWriter();
        Task<int> serving = ServeCommand.RunAsync(
            ["--site", _site.Root, "--urls", "http://127.0.0.1:0", "--scan-gateway", clair.Uri.AbsoluteUri, "--scan-gateway-urls", "http://127.0.0.1:0", "--scan-gateway-contact", "room 5", "--scan-gateway-link", "https://mirror.example/"],
            TextWriter.Synchronized(output), TextWriter.Null, stop.Token);
        string gateway;
        while ((gateway = Line(output, "Scan gateway on ")).Length == 0)
        {
            Assert.False(serving.IsCompleted);
            await Task.Delay(20, Token);
        }

        RawAnswer fresh = await RawAnswer.OfAsync(new Uri(gateway), s_get, Token);
        Assert.Equal("gzip", fresh.Header("content-encoding"));
        Assert.Equal(s_report, GatewayRig.Decode(fresh.Body, "gzip"));

        Publish(2, TimeSpan.FromDays(16.3));
        Assert.StartsWith("FEED-STALE debian", await NameAsync("FEED-STALE"));
        Publish(3, age: null);
        string missing = await NameAsync("FEED-");
        Assert.DoesNotContain("STALE", missing);
        Assert.Contains("debian", missing);
        Publish(4, TimeSpan.FromHours(1));
        Assert.Equal("", await NameAsync(""));

        // The mirror is in order, and whether Clair has taken it nobody knows.
        await File.WriteAllTextAsync(_site.Site.SettingsFile, "version: 1\nsources: {}\nclair:\n  url: http://clair.example:6060\n", Token);
        Assert.StartsWith("CLAIR-SILENT debian", await NameAsync("CLAIR-SILENT"));

        await File.WriteAllTextAsync(_site.Site.SettingsFile, "version: [", Token); // nobody can judge by such a site
        Assert.Equal("", await NameAsync(""));
        using HttpClient client = TestMirror.NewClient(new Uri(Line(output, "Listening on ")));
        Assert.Contains("failures_total{reason=\"judging\"} 1\n", await client.GetStringAsync("/metrics", Token));
        await stop.CancelAsync();
        Assert.Equal(0, await serving);
        Assert.Contains("\"GET /matcher/api/v1/vulnerability_report/", output.ToString());

        // The site is looked at once a second.
        async Task<string> NameAsync(string beginning)
        {
            await Task.Delay(1100, Token);
            RawAnswer answer = await RawAnswer.OfAsync(new Uri(gateway), s_get, Token);
            byte[] body = GatewayRig.Decode(answer.Body, answer.Header("content-encoding") ?? "");
            Assert.Empty(QuayReportRules.Broken(body));
            using var json = JsonDocument.Parse(body);
            string name = json.RootElement.GetProperty("vulnerabilities").TryGetProperty(ReportWarning.Id, out JsonElement added) ? added.GetProperty("name").GetString()! : "";
            Assert.StartsWith(beginning, name);
            return name;
        }
    }

    [Fact]
    public async Task Both_sides_can_have_TLS()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        string trust = Path.Combine(_site.Root, "trusted.pem");
        await File.WriteAllTextAsync(trust, certificate.ExportCertificatePem(), Token);
        string own = Path.Combine(_site.Root, "own.pem");
        await File.WriteAllTextAsync(own, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem(), Token);
        await using GatewayRig inner = await GatewayRig.StartAsync(
            ScanGatewayTests.Sends(GatewayRig.Answer(s_report)),
            change: o => o with { Urls = ["https://127.0.0.1:0"] },
            changeMirror: o => o with { Certificate = new ServerCertificateFiles(own) });
        var address = new Uri($"https://localhost:{inner.Address.Port}/");
        await using GatewayRig outer = await GatewayRig.StartAsync(ScanGatewayTests.Sends([]), change: o => o with { Clair = address, CaFile = trust });
        outer.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await outer.AskAsync(s_get);
        Assert.Equal(s_report, GatewayRig.Undecorated(through.Body, GatewayRig.Stale));

        await using GatewayRig doubting = await GatewayRig.StartAsync(ScanGatewayTests.Sends([]), change: o => o with { Clair = address });
        Assert.Equal(502, (await doubting.AskAsync(s_get)).Status);
        FeedException error = await Assert.ThrowsAsync<FeedException>(() => GatewayRig.StartAsync(ScanGatewayTests.Sends([]), change: o => o with { CaFile = "/nowhere/ca.pem" }));
        Assert.Equal(ErrorIds.ServeOptionInvalid, error.ErrorId);
        Assert.Contains("/nowhere/ca.pem", error.Message);
    }

    private static string Line(StringWriter output, string beginning)
    {
        string text;
        lock (output)
        {
            text = output.ToString();
        }

        return text.Split('\n').FirstOrDefault(l => l.StartsWith(beginning, StringComparison.Ordinal))?[beginning.Length..].Trim() ?? "";
    }

    /// <summary>A generation with nothing but Debian.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="age">How long ago it was captured; null for one without it.</param>
    private void Publish(int number, TimeSpan? age)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        SourceSnapshot[] sources = age is not { } old ? [] :
        [
            new SourceSnapshot
            {
                Name = "debian",
                State = CaptureState.Captured,
                CapturedAt = now - old,
                UpstreamModified = now - old,
                Updaters = ["debian/updater"],
                Releases = ["bookworm", "trixie"],
                AdvisoryCount = 1000,
            },
        ];
        new Generation
        {
            Number = number,
            PublishedAt = now,
            Stream = Guid.NewGuid(),
            Sequence = number,
            HighestSequence = number,
            NewestSnapshot = now,
            SnapshotSha256 = new string('0', 64),
            Sources = sources,
            Entries = [.. sources.Select(s => _site.Entry("/" + s.Name, "x") with { Source = s.Name })],
        }.Save(new GenerationStore(_site.Site).FolderOf(number));
        Durable.ReplaceFile(_site.Site.CurrentFile, Encoding.ASCII.GetBytes($"{number}\n"));
    }
}

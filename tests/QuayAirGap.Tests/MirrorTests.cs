using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Tests;

/// <summary>The mirror as a child process.</summary>
public sealed class MirrorTests
{
    private const string Start = "param($x, $f) Start-ClairFeedMirror -Folder $f -Urls http://127.0.0.1:0 -ExecutablePath $x -PassThru";

    [Fact]
    public async Task It_serves_until_it_is_stopped()
    {
        using var engine = new Engine();
        EngineResult started = engine.Run(Start, Built.Executable, SampleUpstream.Folder(1)).WithoutErrors();
        int id = (int)started["ProcessId"]!;
        using var http = new HttpClient();
        string url = started["Url"] + "/security.access.redhat.com/data/metrics/repository-to-cpe.json";
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(SampleUpstream.Folder(1), "security.access.redhat.com/data/metrics/repository-to-cpe.json"), TestContext.Current.CancellationToken),
            await http.GetByteArrayAsync(new Uri(url), TestContext.Current.CancellationToken));
        Assert.Equal(true, started["IsRunning"]);

        engine.Run("param($m) $m | Stop-ClairFeedMirror; $m | Stop-ClairFeedMirror", started.Single).WithoutErrors();
        Assert.Equal(false, started["IsRunning"]);
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
    }

    [Fact]
    public void One_that_does_not_start_says_why()
    {
        using var engine = new Engine();
        EngineResult result = engine.Run(Start, Built.Executable, Path.Combine(SampleUpstream.Folder(1), "not there"));
        Assert.Equal(["MirrorNotStarted"], result.ErrorIds);
        Assert.Contains("It said: ", result.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("exit code 2", result.Errors[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_executable_that_is_not_there_is_said_to_be_missing()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        EngineResult result = engine.Run(Start, folder["none"], folder.Root);
        Assert.Equal(["MirrorNotStarted"], result.ErrorIds);
        Assert.Contains("QUAYAIRGAP_EXECUTABLE", result.Errors[0].ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_upstream_it_is_a_proxy_that_answers_for_the_feeds_with_certificates_of_its_own()
    {
        await using Samples samples = await Samples.StartAsync();
        string site = samples.Inside;
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed -Path $b -SitePath $s", samples.Bundle, site).WithoutErrors();
        EngineResult missing = samples.Engine.Run("param($x, $s) Start-ClairFeedMirror -AsUpstream -Urls http://127.0.0.1:0 -Proxy http://127.0.0.1:0 -ExecutablePath $x -SitePath $s", Built.Executable, site);
        Assert.Equal(["MirrorNotStarted"], missing.ErrorIds);
        Assert.Contains("New-ClairFeedMirrorCertificate", missing.Errors[0].ToString(), StringComparison.Ordinal);

        samples.Engine.Run("param($s) New-ClairFeedMirrorCertificate -SitePath $s -WhatIf", site).WithoutErrors();
        Assert.False(Directory.Exists(Path.Combine(site, "tls")));
        EngineResult made = samples.Engine.Run("param($s) New-ClairFeedMirrorCertificate feeds.example.org -SitePath $s", site).WithoutErrors();
        Assert.Equal(["feeds.example.org"], (string[])made["DnsNames"]!);
        EngineResult again = samples.Engine.Run("param($s) New-ClairFeedMirrorCertificate -SitePath $s", site).WithoutErrors();
        Assert.Equal(made["Thumbprint"], again["Thumbprint"]);
        Assert.Equal(["MirrorCertificateRotation"], samples.Engine.Run("param($s) New-ClairFeedMirrorCertificate -CompleteRotation -SitePath $s", site).ErrorIds);

        EngineResult started = samples.Engine.Run(
            "param($x, $s) Start-ClairFeedMirror -AsUpstream -Urls http://127.0.0.1:0, https://127.0.0.1:0 -Proxy http://127.0.0.1:0 -ByName https://127.0.0.1:0 -ExecutablePath $x -SitePath $s -PassThru",
            Built.Executable, site).WithoutErrors();
        try
        {
            Assert.Equal(2, ((string[])started["Urls"]!).Length);
            Assert.StartsWith("https://", ((string[])started["ByNameUrls"]!)[0], StringComparison.Ordinal);
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile((string)made["AuthorityPath"]!);
            using var http = new HttpClient(new SocketsHttpHandler
            {
                Proxy = new System.Net.WebProxy(((string[])started["ProxyUrls"]!)[0]),
                SslOptions = { CertificateChainPolicy = policy },
            });
            Assert.Contains("packages", await http.GetStringAsync(new Uri("https://secdb.alpinelinux.org/v3.8/main.json"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            samples.Engine.Run("param($m) $m | Stop-ClairFeedMirror", started.Single).WithoutErrors();
        }
    }

    [Fact]
    public async Task As_the_gateway_it_stands_before_Clair_and_warns_of_an_image_that_no_feed_speaks_for()
    {
        await using Samples samples = await Samples.StartAsync();
        samples.Save().WithoutErrors();
        samples.Engine.Run("param($b, $s) Import-ClairFeed -Path $b -SitePath $s", samples.Bundle, samples.Inside).WithoutErrors();
        byte[] report = SampleReport.Make(1, packages: 3, vulnerabilities: 0, ("wolfi", "Wolfi", "20230201", ""));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using WebApplication clair = builder.Build();
        clair.Urls.Add("http://127.0.0.1:0");
        clair.MapGet("/matcher/api/v1/vulnerability_report/{digest}", () => Results.Bytes(report, "application/vnd.clair.vulnerability_report.v1+json"));
        await clair.StartAsync(TestContext.Current.CancellationToken);

        EngineResult alone = samples.Engine.Run(
            "param($x, $s) Start-ClairFeedMirror -ScanGatewayContact Ann -Urls http://127.0.0.1:0 -ExecutablePath $x -SitePath $s", Built.Executable, samples.Inside);
        Assert.Contains("--scan-gateway-contact needs --scan-gateway", alone.Errors.Single().ToString(), StringComparison.Ordinal);
        EngineResult started = samples.Engine.Run(
            "param($x, $s, $c) Start-ClairFeedMirror -ScanGateway $c -ScanGatewayUrls http://127.0.0.1:0 -ScanGatewayContact 'the registry team' -ScanGatewayLink http://mirror/status "
            + "-ClairRelease 4.9.0 -Urls http://127.0.0.1:0 -ExecutablePath $x -SitePath $s -PassThru",
            Built.Executable, samples.Inside, clair.Urls.Single()).WithoutErrors();
        try
        {
            using var http = new HttpClient();
            string seen = await http.GetStringAsync(
                new Uri(((string[])started["ScanGatewayUrls"]!).Single() + "/matcher/api/v1/vulnerability_report/sha256:" + new string('a', 64)), TestContext.Current.CancellationToken);
            using var warned = JsonDocument.Parse(seen);
            JsonElement warning = warned.RootElement.GetProperty("vulnerabilities").EnumerateObject().Single().Value;
            Assert.Contains("Ask the registry team", warning.GetProperty("description").GetString(), StringComparison.OrdinalIgnoreCase);
            Assert.Equal("http://mirror/status", warning.GetProperty("links").GetString());
            Assert.Equal(4, warned.RootElement.GetProperty("packages").EnumerateObject().Count());
        }
        finally
        {
            samples.Engine.Run("param($m) $m | Stop-ClairFeedMirror", started.Single).WithoutErrors();
        }
    }
}

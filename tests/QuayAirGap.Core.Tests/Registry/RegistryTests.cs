using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Registry;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Bundles;
using QuayAirGap.TestKit.Registry;
using Xunit;

namespace QuayAirGap.Core.Tests.Registry;

/// <summary>Bundles through a real registry, with the real skopeo on the other side where it is installed.</summary>
public sealed class RegistryTests : IAsyncLifetime
{
    private const string Repository = "team/clair-feeds";

    private static readonly RegistryOptions s_quick = new() { AuthFiles = [], RetryDelay = TimeSpan.FromMilliseconds(5), ChunkSize = 64 * 1024 };

    private BundleKit _kit = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RegistryProcess.IsInstalled, "docker-registry is not installed");
        _kit = await BundleKit.SmallAsync();

        // Large enough for several chunks, and nothing that compression makes small.
        byte[] noise = new byte[1_500_000];
        new Random(4).NextBytes(noise);
        await _kit.WithAsync("debian", ("noise", noise));
    }

    public ValueTask DisposeAsync()
    {
        _kit?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_bundle_comes_out_as_it_went_in_and_is_imported()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        WrittenBundle written = await _kit.WriteAsync();

        PublishedBundle published = await PublishAsync(written.Path, registry.Host);

        Assert.Equal(["7b6a6c3e-000007", "latest"], published.Tags);
        Assert.True(published.BytesSent > 1_500_000);
        foreach (string version in new[] { "", ":latest", ":7b6a6c3e-000007", "@" + published.Digest })
        {
            string path = _kit.PathOf($"out-{version.Length}.tar");
            ReceivedBundle received = await ReceiveAsync($"{registry.Host}/{Repository}{version}", path);
            Assert.Equal(published.Digest, received.Digest);
            Assert.Equal(written.SnapshotSha256, received.Bundle.SnapshotSha256);
            Assert.Equal(written.Signatures, received.Bundle.Signatures);
        }

        ImportResult imported = await ImportAsync(_kit.PathOf("out-0.tar"));
        Assert.Equal(7, imported.Generation.Sequence);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(written.Path)!, "*.receiving"));

        // Into a folder it gets the name that Save-ClairFeed gives, and never replaces anything unasked.
        ReceivedBundle named = await ReceiveAsync($"{registry.Host}/{Repository}", Path.GetDirectoryName(written.Path)!);
        Assert.Equal("clairfeed-7b6a6c3e-000007.tar", Path.GetFileName(named.Bundle.Path));
        await RefusedAsync(ErrorIds.DestinationInvalid, () => ReceiveAsync($"{registry.Host}/{Repository}", named.Bundle.Path));
    }

    [Fact]
    public async Task What_the_registry_has_is_not_sent_again()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        await PublishAsync((await _kit.WriteAsync()).Path, registry.Host);
        PublishedBundle again = await PublishAsync(_kit.PathOf("bundle.tar"), registry.Host);
        Assert.Equal(0, again.BytesSent);

        // The next day one source has changed: its layer, the snapshot and the signature go over, the large layer stays.
        WrittenBundle next = await _kit.WriteAsync("next.tar", _kit.Snapshot with
        {
            Sequence = 8,
            Sources = [.. _kit.Snapshot.Sources.Select(s => s.Name == "alpine" ? s with { Files = [.. s.Files.Skip(1)] } : s)],
        });
        PublishedBundle published = await PublishAsync(next.Path, registry.Host);
        Assert.InRange(published.BytesSent, 1, 10_000);
        Assert.True(published.BytesThere > 1_500_000);
        Assert.Equal(8, (await ReceiveAsync($"{registry.Host}/{Repository}", _kit.PathOf("latest.tar"))).Bundle.Snapshot.Sequence);
        Assert.Equal(7, (await ReceiveAsync($"{registry.Host}/{Repository}:7b6a6c3e-000007", _kit.PathOf("older.tar"))).Bundle.Snapshot.Sequence);
    }

    [Fact]
    public async Task Skopeo_brings_our_file_into_the_registry_and_we_take_it_out()
    {
        Assert.SkipUnless(RegistryProcess.Find("skopeo") is not null, "skopeo is not installed");
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        WrittenBundle written = await _kit.WriteAsync();

        await SkopeoAsync("copy", "--insecure-policy", "--dest-tls-verify=false", $"oci-archive:{written.Path}", $"docker://{registry.Host}/{Repository}:by-skopeo");

        ReceivedBundle received = await ReceiveAsync($"{registry.Host}/{Repository}:by-skopeo", _kit.PathOf("out.tar"));
        Assert.Equal(written.SnapshotSha256, received.Bundle.SnapshotSha256);
        Assert.True((await ImportAsync(received.Bundle.Path)).Changed);
    }

    [Fact]
    public async Task We_bring_a_bundle_into_the_registry_and_skopeo_takes_it_out()
    {
        Assert.SkipUnless(RegistryProcess.Find("skopeo") is not null, "skopeo is not installed");
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        WrittenBundle written = await _kit.WriteAsync();
        PublishedBundle published = await PublishAsync(written.Path, registry.Host);

        await SkopeoAsync(
            "copy", "--insecure-policy", "--src-tls-verify=false", $"docker://{registry.Host}/{Repository}@{published.Digest}", $"oci-archive:{_kit.PathOf("carried.tar")}");

        Assert.Equal(written.SnapshotSha256, Bundle.Open(_kit.PathOf("carried.tar")).SnapshotSha256);
        Assert.True((await ImportAsync(_kit.PathOf("carried.tar"))).Changed);
    }

    [Fact]
    public async Task An_upload_over_a_network_that_breaks_goes_on_where_it_ended()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        WrittenBundle written = await _kit.WriteAsync();
        await using var proxy = new CuttingProxy(registry.Port, after: 400_000, cuts: 6);

        // The registry needs a moment to keep what came before a cut.
        PublishedBundle published = await PublishAsync(written.Path, proxy.Host, s_quick with { RetryDelay = TimeSpan.FromMilliseconds(200) });

        Assert.InRange(proxy.Cut, 2, 6);
        await ReceiveAsync($"{registry.Host}/{Repository}@{published.Digest}", _kit.PathOf("out.tar"));
        await _kit.ExamineAsync(_kit.PathOf("out.tar"));
    }

    [Fact]
    public async Task A_download_over_a_network_that_breaks_goes_on_where_it_ended_also_in_another_run()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        WrittenBundle written = await _kit.WriteAsync();
        await PublishAsync(written.Path, registry.Host);
        string path = _kit.PathOf("out.tar");

        // Within one run …
        await using (var proxy = new CuttingProxy(registry.Port, after: 300_000, cuts: 4))
        {
            await ReceiveAsync($"{proxy.Host}/{Repository}", path);
            Assert.Equal(4, proxy.Cut);
            Assert.InRange(proxy.Answered, written.Size / 2, written.Size + 400_000);
        }

        // … and over two, of which somebody stopped the first.
        File.Delete(path);
        using (var stop = new CancellationTokenSource())
        {
            var progress = new StopAfter(700_000, stop);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new BundleReceiver(s_quick).ReceiveAsync(
                RegistryReference.Parse($"{registry.Host}/{Repository}"), path, overwrite: false, progress, stop.Token));
        }

        Assert.False(File.Exists(path));
        long there = new FileInfo(path + ".receiving").Length;
        Assert.True(there > 500_000);
        ReceivedBundle received = await ReceiveAsync($"{registry.Host}/{Repository}", path);
        Assert.True(received.BytesReceived < 1_100_000);
        await _kit.ExamineAsync(path);
        Assert.False(File.Exists(path + ".receiving"));
    }

    [Fact]
    public async Task What_an_attempt_left_is_believed_only_where_it_is_right()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        WrittenBundle written = await _kit.WriteAsync();
        await PublishAsync(written.Path, registry.Host);
        string good = _kit.PathOf("good.tar");
        await ReceiveAsync($"{registry.Host}/{Repository}", good);
        byte[] whole = await File.ReadAllBytesAsync(good, TestContext.Current.CancellationToken);
        byte[] flipped = [.. whole];
        flipped[^900_000] ^= 1;
        string path = _kit.PathOf("out.tar");
        foreach (byte[] left in new[]
        {
            [], whole[..100], whole[..512], whole[..700], whole[..4096], whole[..^1], whole[..^1024], whole[..^2000], whole[..900_001], whole, flipped, [.. whole, .. whole],
            new byte[2_000_000], [.. whole[..20_000], .. new byte[800_000]],
        })
        {
            await File.WriteAllBytesAsync(path + ".receiving", left, TestContext.Current.CancellationToken);
            try
            {
                await ReceiveAsync($"{registry.Host}/{Repository}", path);
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.RegistryContent)
            {
                // What was left in the middle of a piece was false: seen at the piece's end, thrown away, and the next run is right.
                await ReceiveAsync($"{registry.Host}/{Repository}", path);
            }

            Assert.Equal(whole, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
            File.Delete(path);
        }
    }

    [Fact]
    public async Task A_password_and_a_certificate_of_the_house_are_asked_for_and_taken_from_wherever_they_are()
    {
        using X509Certificate2 authority = Certificate("CN=House CA", null);
        using X509Certificate2 server = Certificate("CN=registry", authority);
        await using RegistryProcess registry = await RegistryProcess.StartAsync(server, password: true);
        WrittenBundle written = await _kit.WriteAsync();
        RegistryOptions tls = s_quick with { Authorities = [authority], Attempts = 1 };

        await RefusedAsync(ErrorIds.RegistryDenied, () => PublishAsync(written.Path, registry.Host, tls));
        await RefusedAsync(ErrorIds.RegistryDenied, () => PublishAsync(written.Path, registry.Host, tls with { Credential = new NetworkCredential("courier", "wrong") }));
        using X509Certificate2 other = Certificate("CN=House CA", null);
        await RefusedAsync(ErrorIds.RegistryUnreachable, () => PublishAsync(written.Path, registry.Host, tls with { Authorities = [other], Credential = RegistryProcess.Courier }));
        PublishedBundle published = await PublishAsync(written.Path, registry.Host, tls with { Credential = RegistryProcess.Courier });

        string auth = Convert.ToBase64String(Encoding.UTF8.GetBytes("courier:correct horse"));
        string bad = Convert.ToBase64String(Encoding.UTF8.GetBytes("courier:wrong"));
        string file = _kit.Write("auth.json", Encoding.UTF8.GetBytes(
            $$$"""{"auths":{"{{{registry.Host}}}":{"auth":"{{{bad}}}"},"{{{registry.Host}}}/team":{"auth":"{{{auth}}}"},"other.example":{"auth":"{{{bad}}}"}} }"""));
        await ReceiveAsync($"{registry.Host}/{Repository}@{published.Digest}", _kit.PathOf("a.tar"), tls with { AuthFiles = [_kit.PathOf("none.json"), file] });
        string docker = _kit.Write("config.json", Encoding.UTF8.GetBytes($$$"""{"auths":{"https://{{{registry.Host}}}/v1/":{"auth":"{{{auth}}}"}},"credsStore":"x"}"""));
        await ReceiveAsync($"{registry.Host}/{Repository}", _kit.PathOf("b.tar"), tls with { AuthFiles = [docker] });
        string broken = _kit.Write("broken.json", Encoding.UTF8.GetBytes("""{"auths":{"127.0.0.1":"""));
        FeedException e = await RefusedAsync(ErrorIds.RegistryAuthFile, () => ReceiveAsync($"{registry.Host}/{Repository}", _kit.PathOf("c.tar"), tls with { AuthFiles = [broken] }));
        Assert.DoesNotContain("auths", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_fetched_from_the_service_that_the_registry_names_for_what_is_to_be_done()
    {
        using X509Certificate2 issuer = Certificate("CN=Tokens", null);
        string bundle = _kit.Write("tokens.crt", Encoding.ASCII.GetBytes(issuer.ExportCertificatePem()));
        using var service = new TokenService(issuer, RegistryProcess.FreePort());
        await using RegistryProcess registry = await RegistryProcess.StartAsync(token: $"{{realm: '{service.Realm}', service: feeds, issuer: tests, rootcertbundle: '{bundle}'}}");
        WrittenBundle written = await _kit.WriteAsync();

        await RefusedAsync(ErrorIds.RegistryDenied, () => PublishAsync(written.Path, registry.Host, s_quick with { Attempts = 1 }));
        await PublishAsync(written.Path, registry.Host, s_quick with { Credential = RegistryProcess.Courier });
        Assert.Equal($"repository:{Repository}:pull,push", service.Scopes[^1]);
        await ReceiveAsync($"{registry.Host}/{Repository}", _kit.PathOf("out.tar"), s_quick with { Credential = RegistryProcess.Courier });
        Assert.Equal($"repository:{Repository}:pull", service.Scopes[^1]);
    }

    [Fact]
    public async Task What_is_not_there_or_is_no_bundle_is_said()
    {
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        await RefusedAsync(ErrorIds.RegistryNotFound, () => ReceiveAsync($"{registry.Host}/nothing/here", _kit.PathOf("x.tar")));
        await RefusedAsync(ErrorIds.RegistryUnreachable, () => ReceiveAsync($"127.0.0.1:{RegistryProcess.FreePort()}/{Repository}", _kit.PathOf("x.tar"), s_quick with { Attempts = 1 }));
        if (RegistryProcess.Find("skopeo") is not null)
        {
            // An image in its place.
            string folder = _kit.PathOf("image");
            Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256"));
            byte[] config = Encoding.UTF8.GetBytes("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}""");
            byte[] manifest = Encoding.UTF8.GetBytes(
                $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{HandMadeBundle.Descriptor("application/vnd.oci.image.config.v1+json", config)}},"layers":[]}""");
            foreach (byte[] blob in new[] { config, manifest })
            {
                File.WriteAllBytes(Path.Combine(folder, "blobs", "sha256", HandMadeBundle.Sha(blob)), blob);
            }

            File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
            File.WriteAllText(Path.Combine(folder, "index.json"), $$"""{"schemaVersion":2,"manifests":[{{HandMadeBundle.Descriptor("application/vnd.oci.image.manifest.v1+json", manifest)}}]}""");
            await SkopeoAsync("copy", "--insecure-policy", "--dest-tls-verify=false", $"oci:{folder}", $"docker://{registry.Host}/{Repository}:image");
            await RefusedAsync(ErrorIds.RegistryContent, () => ReceiveAsync($"{registry.Host}/{Repository}:image", _kit.PathOf("x.tar")));
        }

        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_kit.PathOf("x"))!, "x.tar*"));
    }

    /// <summary>Of the real time: the registry is another process.</summary>
    private static X509Certificate2 Certificate(string subject, X509Certificate2? issuer)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (issuer is null)
        {
            return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        }

        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using X509Certificate2 bare = request.Create(issuer, now.AddHours(-1), now.AddHours(12), RandomNumberGenerator.GetBytes(8));
        return bare.CopyWithPrivateKey(key);
    }

    private static async Task SkopeoAsync(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("skopeo", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> said = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await said);
    }

    private static Task<PublishedBundle> PublishAsync(string path, string host, RegistryOptions? options = null) => new BundlePublisher(options ?? s_quick)
        .PublishAsync(Bundle.Open(path), RegistryReference.Parse($"{host}/{Repository}"), null, TestContext.Current.CancellationToken);

    private static Task<ReceivedBundle> ReceiveAsync(string reference, string destination, RegistryOptions? options = null) => new BundleReceiver(options ?? s_quick)
        .ReceiveAsync(RegistryReference.Parse(reference), destination, overwrite: false, null, TestContext.Current.CancellationToken);

    private static async Task<FeedException> RefusedAsync(string errorId, Func<Task> act)
    {
        FeedException e = await Assert.ThrowsAsync<FeedException>(act);
        Assert.True(errorId == e.ErrorId, $"{errorId} expected, and it was {e.ErrorId}: {e.Message}");
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
        return e;
    }

    private sealed class StopAfter(long bytes, CancellationTokenSource stop) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value)
        {
            if (value.Bytes > bytes)
            {
                stop.Cancel();
            }
        }
    }

    private Task<ImportResult> ImportAsync(string path) =>
        new FeedImporter(_kit.Inside, SiteSettings.Load(_kit.Inside), _kit.Clock).ImportAsync(path, null, TestContext.Current.CancellationToken);
}

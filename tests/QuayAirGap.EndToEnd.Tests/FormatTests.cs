using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;
using QuayAirGap.Server;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>What every release wrote, this one reads and goes on with (docs/reference/formats.md).</summary>
public sealed class FormatTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-formats-").FullName;

    public static TheoryData<string> Releases =>
        [.. Directory.EnumerateDirectories(Fixtures).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    private static string Fixtures => Path.Combine(RepositoryFolders.Root, "tests", "fixtures", "formats");

    [Fact]
    public void The_first_release_is_kept() => Assert.Contains("0.1.0", Releases.Select(r => r.Data));

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Its_bundles_are_verified_and_imported(string release)
    {
        FakeTimeProvider clock = Clock(release);
        var site = Site.OpenOrCreate(Path.Combine(_folder, "new"));
        new TrustStore(site).Add(Fixture(release, "root.cer"));

        Generation first = (await ImportAsync(site, clock, Fixture(release, "full.tar"))).Generation;
        Generation second = (await ImportAsync(site, clock, Fixture(release, "delta.tar"))).Generation;
        Assert.Equal(1, first.Sequence);
        Assert.Equal(2, second.Sequence);
        Assert.Contains(second.Sources, s => s.State == Core.Snapshots.CaptureState.Captured);

        // The root's word travelled in them: whom it revoked stays revoked.
        Assert.Single(new TrustStore(site).List(), t => t.IsRevoked);

        // A changed bit is still found.
        byte[] bytes = await File.ReadAllBytesAsync(Fixture(release, "full.tar"), TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 1;
        string damaged = Path.Combine(_folder, "damaged.tar");
        await File.WriteAllBytesAsync(damaged, bytes, TestContext.Current.CancellationToken);
        Core.FeedException refused = await Assert.ThrowsAsync<Core.FeedException>(() => ImportAsync(site, clock, damaged));
        Assert.StartsWith("Bundle", refused.ErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public void Its_trust_document_is_read(string release)
    {
        TrustDocument document = SignedTrustDocument.Read(Fixture(release, "trust.json")).Parse();
        Assert.Equal(1, document.Number);
        Assert.Single(document.Revoked);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Its_site_inside_is_read_and_served_and_goes_on(string release)
    {
        FakeTimeProvider clock = Clock(release);
        Site site = Unpack(release, "inside");
        SiteSettings settings = SiteSettings.Load(site);
        Assert.NotNull(settings.Warnings.Textfile);
        Generation was = new GenerationStore(site).LoadCurrent()!;
        Assert.Equal((1, 1), (was.Number, (int)was.Sequence));
        Assert.NotEmpty(was.Archives);
        Assert.Null(new Ledger(site, clock).VerifyChain());
        int lines = new Ledger(site, clock).Read().Count();
        Assert.True(SiteFreshness.IsGood(SiteFreshness.Of(site, settings, clock)));

        await using (Mirror mirror = await Mirror.StartAsync(new MirrorOptions { Site = site, Urls = ["http://127.0.0.1:0"] }))
        {
            using var http = new HttpClient { BaseAddress = new Uri(mirror.Urls[0]) };
            string member = was.Archives[0].PathPrefix + was.Archives[0].Members[0].Path;
            foreach (string path in new[] { "/secdb.alpinelinux.org/v3.3/main.json", "/security-tracker.debian.org/tracker/data/json", member })
            {
                Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(path, TestContext.Current.CancellationToken)).StatusCode);
            }
        }

        // A delta on what it has; what it published from, and the stamps of its changes, are taken over.
        Generation now = (await ImportAsync(site, clock, Fixture(release, "delta.tar"))).Generation;
        Assert.Equal((2, 2), (now.Number, (int)now.Sequence));
        Assert.Equal(1, (await new FeedImporter(site, settings, clock).RestoreAsync(1, null, TestContext.Current.CancellationToken)).Generation.Sequence);
        Assert.Null(new Ledger(site, clock).VerifyChain());
        Assert.True(new Ledger(site, clock).Read().Count() > lines);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Its_site_outside_is_read_and_goes_on(string release)
    {
        FakeTimeProvider clock = Clock(release);
        Site outside = Unpack(release, "outside");
        Assert.Equal(TimeSpan.FromDays(2), SiteSettings.Load(outside).Sources.Single(s => s.Name == "alpine").WarnAfter);

        // The release's own keys are gone: the next bundle is signed by another signer, whom the inner site is told to trust.
        CreatedSigner made = SignerFactory.Create(Path.Combine(_folder, "next.pfx"), "CN=Next", null, TimeSpan.FromDays(365), clock);
        using BundleSigner signer = BundleSigner.Load(made.PfxPath, null, clock);
        await using UpstreamServer upstream = await UpstreamServer.StartAsync(SampleUpstream.Day2);
        SaveResult delta = await new FeedCollector(outside, SiteSettings.Load(outside), clock).SaveAsync(
            new SaveRequest { Destination = Path.Combine(_folder, "next.tar"), Signers = [signer], SinceLast = true, UpstreamRoot = upstream.Root },
            null, TestContext.Current.CancellationToken);
        Assert.Equal(3, delta.Snapshot.Sequence);
        Assert.NotNull(delta.Snapshot.Base);
        Assert.Empty(delta.Incomplete);

        Site inside = Unpack(release, "inside");
        new TrustStore(inside).Add(made.CertificatePath);
        await ImportAsync(inside, clock, Fixture(release, "delta.tar"));
        Assert.Equal(3, (await ImportAsync(inside, clock, delta.Path)).Generation.Sequence);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Fixture(string release, string name) => Path.Combine(Fixtures, release, name);

    /// <summary>An hour after the release's bundles were made: they expire, and what reads them must not care when it does.</summary>
    private static FakeTimeProvider Clock(string release) => new(DateTimeOffset.ParseExact(
        File.ReadAllText(Fixture(release, "made")).Trim(), "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).AddHours(1));

    private static Task<ImportResult> ImportAsync(Site site, TimeProvider clock, string path) =>
        new FeedImporter(site, SiteSettings.Load(site), clock).ImportAsync(path, null, TestContext.Current.CancellationToken);

    private Site Unpack(string release, string name)
    {
        string to = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        using var gzip = new GZipStream(File.OpenRead(Fixture(release, name + ".tar.gz")), CompressionMode.Decompress);
        TarFile.ExtractToDirectory(gzip, to, overwriteFiles: false);
        return Site.Open(to);
    }
}

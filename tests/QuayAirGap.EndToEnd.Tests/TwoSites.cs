using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tls;
using QuayAirGap.Core.Trust;
using QuayAirGap.Server;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>Both sides of a gap, with an upstream and a clock each: what people have, without PowerShell around it.</summary>
internal sealed class TwoSites : IAsyncDisposable
{
    private const string Password = "correct horse";
    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-e2e-").FullName;
    private readonly BundleSigner _signer;
    private Mirror? _mirror;
    private Mirror? _upstream;
    private int _bundles;

    private TwoSites(UpstreamServer upstream, DateTimeOffset start)
    {
        Upstream = upstream;
        Clock = new FakeTimeProvider(start);
        CreatedSigner created = SignerFactory.Create(PfxPath, "CN=Collector", Password, TimeSpan.FromDays(365), Clock);
        _signer = BundleSigner.Load(PfxPath, Password, Clock);
        Outside = Site.OpenOrCreate(Path.Combine(_folder, "outside"));
        Inside = Site.OpenOrCreate(Path.Combine(_folder, "inside"));
        new TrustStore(Inside).Add(created.CertificatePath);
    }

    public UpstreamServer Upstream { get; }

    /// <summary>One clock for both sides; Clair's own may differ.</summary>
    public FakeTimeProvider Clock { get; }

    public Site Outside { get; }

    public Site Inside { get; }

    public string PfxPath => Path.Combine(_folder, "collector.pfx");

    public string CertificatePath => Path.Combine(_folder, "collector.cer");

    public string Folder => _folder;

    public static Task<TwoSites> StartAsync(params UpstreamLayer[] layers) =>
        StartAsync(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero), layers);

    /// <param name="start">What the clock says first: the real time, where processes with a clock of their own take part.</param>
    /// <param name="layers">What the upstream has.</param>
    public static async Task<TwoSites> StartAsync(DateTimeOffset start, params UpstreamLayer[] layers) =>
        new(await UpstreamServer.StartAsync(layers), start);

    /// <summary>How patient the collector is.</summary>
    public UpstreamOptions Patience { get; set; } = new()
    {
        Attempts = 2,
        RetryDelay = TimeSpan.FromMilliseconds(5),
        StallTimeout = TimeSpan.FromSeconds(2),
        RetakeDelay = TimeSpan.FromMilliseconds(5),
    };

    /// <summary>The sources whose losses are accepted at the next collecting.</summary>
    public IReadOnlyList<string> AcceptRegression { get; set; } = [];

    /// <summary>Collects everything, or some sources, into a new bundle file.</summary>
    public Task<SaveResult> SaveAsync(params string[] names) => SaveAsync(new SaveRequest { Destination = "", Signers = [], Names = names });

    /// <summary>A delta on an earlier bundle, or on the last one where none is named.</summary>
    public Task<SaveResult> SaveDeltaAsync(string? since = null) =>
        SaveAsync(new SaveRequest { Destination = "", Signers = [], Since = since, SinceLast = since is null });

    private Task<SaveResult> SaveAsync(SaveRequest request)
    {
        var collector = new FeedCollector(Outside, SiteSettings.Load(Outside), Clock)
        {
            Upstream = Patience,
        };
        return collector.SaveAsync(
            request with
            {
                Destination = Path.Combine(_folder, $"bundle-{++_bundles}.tar"),
                Signers = [_signer],
                AcceptRegression = AcceptRegression,
                UpstreamRoot = Upstream.Root,
            },
            progress: null, CancellationToken.None);
    }

    /// <summary>Collects at a third site, with a mirror in the upstreams' place.</summary>
    public async Task<Snapshot> SaveFromAsync(Uri mirror)
    {
        Site station = Site.OpenOrCreate(Path.Combine(_folder, "station"));
        SaveResult saved = await new FeedCollector(station, SiteSettings.Load(station), Clock) { Upstream = Patience }.SaveAsync(
            new SaveRequest { Destination = Path.Combine(_folder, $"bundle-{++_bundles}.tar"), Signers = [_signer], UpstreamRoot = mirror },
            progress: null, CancellationToken.None);
        return Bundle.Open(saved.Path).Snapshot;
    }

    public Task<ImportResult> ImportAsync(string path) => Importer().ImportAsync(path, null, CancellationToken.None);

    public Task<ImportResult> RestoreAsync(int generation) => Importer().RestoreAsync(generation, null, CancellationToken.None);

    /// <summary>Collects and imports in one go: a courier without a delay.</summary>
    public async Task<ImportResult> CarryAsync(params string[] names) => await ImportAsync((await SaveAsync(names)).Path);

    /// <summary>The mirror of the inner site, started at the first call.</summary>
    public async Task<Uri> MirrorAsync()
    {
        _mirror ??= await Mirror.StartAsync(new MirrorOptions { Site = Inside, Urls = ["http://127.0.0.1:0"] });
        return new Uri(_mirror.Urls[0].TrimEnd('/') + "/");
    }

    /// <summary>
    /// What a Clair is set up with that has no feed setting at all: the mirror's proxy, or name resolution, and one more authority. The
    /// certificates have the real time, as whoever checks them does.
    /// </summary>
    public async Task<ClairConfig> UpstreamConfigAsync(bool proxy)
    {
        string trust = await File.ReadAllTextAsync(new MirrorCertificates(Inside, TimeProvider.System).Ensure(null).TrustFile);
        _upstream ??= await Mirror.StartAsync(new MirrorOptions
        {
            Site = Inside,
            Urls = ["http://127.0.0.1:0"],
            ProxyUrls = ["http://127.0.0.1:0"],
            ByNameUrls = ["https://127.0.0.1:0", "http://127.0.0.1:0"],
            AccessLog = TextWriter.Synchronized(AccessLog),
        });
        ClairConfig config = ClairConfig.Unconfigured with { TrustedAuthorities = trust };
        return proxy
            ? config with { Proxy = new Uri(_upstream.ProxyUrls[0]) }
            : config with { PortsAt = new Dictionary<int, Uri> { [443] = new(_upstream.ByNameUrls[0]), [80] = new(_upstream.ByNameUrls[1]) } };
    }

    /// <summary>What was asked of the mirror as upstream.</summary>
    public StringWriter AccessLog { get; } = new();

    public async ValueTask DisposeAsync()
    {
        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }

        if (_mirror is not null)
        {
            await _mirror.DisposeAsync();
        }

        await Upstream.DisposeAsync();
        _signer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private FeedImporter Importer() => new(Inside, SiteSettings.Load(Inside), Clock);
}

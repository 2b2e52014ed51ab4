using System.Text;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>A collecting site with content and a signer, and an importing site that trusts it.</summary>
internal sealed class BundleKit : IDisposable
{
    public static readonly Guid Stream = Guid.Parse("7b6a6c3e-52a1-4c7d-9a55-0d6f3b8b2c11");

    private readonly TempSite _outside = new();
    private readonly TempSite _inside = new();

    public BundleKit()
    {
        CreatedSigner made = SignerFactory.Create(
            _outside.PathOf("signer.pfx"), "CN=Collector", null, TimeSpan.FromDays(700), new FakeTimeProvider(Pki.Now.AddDays(-30)));
        Signer = BundleSigner.Load(made.PfxPath, null, Clock);
        Trust = new TrustStore(_inside.Site);
        Trust.Add(made.CertificatePath);
        Snapshot = new Snapshot
        {
            Stream = Stream,
            Sequence = 7,
            Created = Pki.Now.AddHours(-2),
            Expires = Pki.Now.AddDays(28),
            Producer = "QuayAirGap tests",
            Sources = [new SourceSnapshot { Name = "photon", State = CaptureState.Unsupported }],
        };
    }

    public FakeTimeProvider Clock { get; } = new(Pki.Now);

    public BundleSigner Signer { get; }

    public TrustStore Trust { get; }

    public Snapshot Snapshot { get; private set; }

    public Core.Sites.Site Outside => _outside.Site;

    public Core.Sites.Site Inside => _inside.Site;

    public BundleVerifier Verifier => new(Inside, Clock);

    public string PathOf(string name) => _outside.PathOf(name);

    public static string Url(string name) => "https://feeds.example/" + name;

    /// <summary>Puts files into the collecting site's store and its snapshot.</summary>
    public async Task<BundleKit> WithAsync(string source, params (string Name, byte[] Content)[] files)
    {
        var listed = new List<SnapshotFile>();
        foreach ((string name, byte[] content) in files.OrderBy(f => Url(f.Name), StringComparer.Ordinal))
        {
            (string sha256, long size) = await Outside.Store.AddAsync(new MemoryStream(content), TestContextToken);
            listed.Add(new SnapshotFile { Url = Url(name), Sha256 = sha256, Size = size, ETag = "\"e\"", LastModified = Pki.Now.AddDays(-3) });
        }

        Snapshot = Snapshot with
        {
            Sources = [.. Snapshot.Sources, new SourceSnapshot { Name = source, State = CaptureState.Captured, CapturedAt = Snapshot.Created, Files = listed }],
        };
        return this;
    }

    /// <summary>Two small sources, one of them with the same content under two names, an empty file and one across a block's end.</summary>
    public static Task<BundleKit> SmallAsync() => SmallAsync(new BundleKit());

    public Task<WrittenBundle> WriteAsync(string name = "bundle.tar", Snapshot? snapshot = null) =>
        BundleWriter.WriteAsync(PathOf(name), snapshot ?? Snapshot, Outside.Store, [Signer], null, TestContextToken, overwrite: true);

    /// <summary>Everything an import asks of a bundle.</summary>
    public async Task<BundlePolicy> ExamineAsync(string path, Generation? newest = null, IBlobSink? sink = null)
    {
        Bundle bundle = Bundle.Open(path);
        BundlePolicy policy = Verifier.CheckPolicy(bundle, newest);
        await Verifier.VerifyContentAsync(bundle, sink, null, TestContextToken);
        return policy;
    }

    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(PathOf(name), content);
        return PathOf(name);
    }

    public static Generation GenerationOf(Snapshot snapshot, string sha256) => new()
    {
        Number = 1,
        PublishedAt = Pki.Now,
        Stream = snapshot.Stream,
        Sequence = snapshot.Sequence,
        HighestSequence = snapshot.Sequence,
        NewestSnapshot = snapshot.Created,
        SnapshotSha256 = sha256,
        Sources = [],
        Entries = [],
    };

    public void Dispose()
    {
        Signer.Dispose();
        _outside.Dispose();
        _inside.Dispose();
    }

    private static CancellationToken TestContextToken => Xunit.TestContext.Current.CancellationToken;

    private static async Task<BundleKit> SmallAsync(BundleKit kit)
    {
        byte[] shared = Encoding.UTF8.GetBytes("the same content under two names");
        await kit.WithAsync("alpine", ("b/one.json", shared), ("a/two.json", shared), ("c/empty", []), ("d/long.json", Repeat("advisory ", 90)));
        await kit.WithAsync("osv", ("x.zip", [.. Enumerable.Range(0, 600).Select(i => (byte)(i * 37))]));
        return kit;
    }

    private static byte[] Repeat(string text, int times) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(text, times)));
}

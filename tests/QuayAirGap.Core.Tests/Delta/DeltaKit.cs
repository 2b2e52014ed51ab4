using System.Text.Json.Nodes;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Bundles;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Delta;

/// <summary>Two sites, and captures of which each changes something of the one before.</summary>
internal sealed class DeltaKit : IDisposable
{
    private readonly BundleKit _kit = new();
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private long _sequence;

    public Site Outside => _kit.Outside;

    public Site Inside => _kit.Inside;

    public Ledger Ledger => new(Inside, _kit.Clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>"source/name" → content; kept from one capture to the next.</summary>
    public DeltaKit With(string file, byte[] content)
    {
        _files[file] = content;
        return this;
    }

    public DeltaKit Without(string file)
    {
        _files.Remove(file);
        return this;
    }

    public byte[] this[string file] => _files[file];

    /// <summary>The inventory of the files as they are now, with the next sequence.</summary>
    public async Task<Snapshot> CaptureAsync()
    {
        _sequence++;
        DateTimeOffset created = Pki.Now.AddDays(-10).AddHours(_sequence);
        var sources = new List<SourceSnapshot>();
        foreach (IGrouping<string, KeyValuePair<string, byte[]>> source in _files.GroupBy(f => f.Key[..f.Key.IndexOf('/')]).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var files = new List<SnapshotFile>();
            foreach ((string file, byte[] content) in source)
            {
                (string sha256, long size) = await Outside.Store.AddAsync(new MemoryStream(content), Token);
                files.Add(new SnapshotFile { Url = BundleKit.Url(file), Sha256 = sha256, Size = size });
            }

            sources.Add(new SourceSnapshot
            {
                Name = source.Key,
                State = CaptureState.Captured,
                CapturedAt = created,
                Files = [.. files.OrderBy(f => f.Url, StringComparer.Ordinal)],
            });
        }

        return _kit.Snapshot with { Sequence = _sequence, Created = created, Sources = sources };
    }

    public async Task<WrittenBundle> FullAsync() => await WriteAsync(await CaptureAsync(), Outside.Store.OpenRead);

    public async Task<WrittenBundle> DeltaAsync(WrittenBundle from, bool fromFile = false)
    {
        using var maker = new DeltaMaker(Outside, fromFile ? DeltaBase.Find(Outside, from.Path, BundleKit.Stream) : BaseOf(from), null);
        return await WriteAsync(await maker.MakeAsync(await CaptureAsync(), Token), maker.OpenRead);
    }

    public static DeltaBase BaseOf(WrittenBundle written) => new(written.Snapshot, written.SnapshotSha256, null);

    public Task<WrittenBundle> WriteAsync(Snapshot snapshot, Func<string, FileStream> open, string? name = null) => BundleWriter.WriteAsync(
        _kit.PathOf(name ?? $"{snapshot.Sequence}-{(snapshot.Base is null ? "full" : "delta")}.tar"), snapshot, open, [_kit.Signer], null, overwrite: true, Token);

    public string PathOf(string name) => _kit.PathOf(name);

    public Task<ImportResult> ImportAsync(string path) =>
        new FeedImporter(Inside, SiteSettings.LoadOrDefault(Inside), _kit.Clock).ImportAsync(path, null, Token);

    /// <summary>Every content that the snapshot lists is in the store, to the byte.</summary>
    public void AssertHas(Snapshot snapshot)
    {
        foreach (SnapshotFile file in snapshot.Sources.SelectMany(s => s.Files))
        {
            Assert.Equal(File.ReadAllBytes(Outside.Store.PathOf(file.Sha256)), File.ReadAllBytes(Inside.Store.PathOf(file.Sha256)));
        }
    }

    /// <summary>The bundle is refused with that id, says what to do, and leaves nothing but a line in the ledger.</summary>
    public async Task<FeedException> RefusedAsync(string errorId, string path)
    {
        HashSet<string> before = [.. Inside.Store.List().Select(b => b.Sha256)];
        int? generation = new GenerationStore(Inside).CurrentNumber;
        int snapshots = new SnapshotStore(Inside).List().Count;
        int lines = Ledger.Read().Count();

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => ImportAsync(path));
        Assert.True(errorId == e.ErrorId, $"{errorId} expected, and it was {e.ErrorId}: {e.Message}");
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
        Assert.Equal(before, [.. Inside.Store.List().Select(b => b.Sha256)]);
        Assert.Equal(generation, new GenerationStore(Inside).CurrentNumber);
        Assert.Equal(snapshots, new SnapshotStore(Inside).List().Count);
        Assert.Empty(Directory.GetFileSystemEntries(Inside.StagingFolder));
        if (errorId.StartsWith("Bundle", StringComparison.Ordinal))
        {
            LedgerEntry line = Ledger.Read().Last();
            Assert.Equal(lines + 1, Ledger.Read().Count());
            Assert.Equal(LedgerEvents.BundleRefused, line.Event);
            Assert.Equal(errorId, ((JsonValue)line.Details["error"]!).GetValue<string>());
        }

        return e;
    }

    public void Dispose() => _kit.Dispose();
}

using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// Works out what of a snapshot's content a site that has the base lacks, and how each of these contents travels. The patches lie in a
/// folder of the site's staging until the bundle is written.
/// </summary>
internal sealed class DeltaMaker : IDisposable
{
    private readonly Site _site;
    private readonly DeltaBase _base;
    private readonly IProgress<FeedProgress>? _progress;
    private readonly string _folder;
    private readonly RecipeMaker _recipes;
    private readonly Dictionary<string, string> _patches = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _fromBundle = new(StringComparer.Ordinal);

    public DeltaMaker(Site site, DeltaBase from, IProgress<FeedProgress>? progress)
    {
        _site = site;
        _base = from;
        _progress = progress;
        _folder = Path.Combine(site.StagingFolder, "delta-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(_folder);
        _recipes = new RecipeMaker(_folder);
    }

    /// <summary>The snapshot as a delta against the base: each source says what of it travels, and how.</summary>
    public async Task<Snapshot> MakeAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        HashSet<string> known = [.. _base.Snapshot.Sources.SelectMany(s => s.Files).Select(f => f.Sha256)];
        await TakeFromBundleAsync(snapshot, known, cancellationToken).ConfigureAwait(false);
        var sources = new List<SourceSnapshot>();
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            sources.Add(await Task.Run(() => MakeSource(source, known, cancellationToken), cancellationToken).ConfigureAwait(false));
        }

        return snapshot with
        {
            Base = _base.Sha256,
            BaseSequence = _base.Snapshot.Sequence,
            BaseCreated = _base.Snapshot.Created,
            Sources = sources,
        };
    }

    /// <summary>A content or a patch of the delta.</summary>
    public FileStream OpenRead(string sha256) =>
        _patches.TryGetValue(sha256, out string? patch)
            ? new FileStream(patch, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan | FileOptions.Asynchronous)
            : _site.Store.OpenRead(sha256);

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private SourceSnapshot MakeSource(SourceSnapshot source, HashSet<string> known, CancellationToken cancellationToken)
    {
        LayerEntry[] missing = [.. SourceLayer.ContentsOf(source).Where(e => !known.Contains(e.Sha256))];
        if (missing.Length == 0)
        {
            return source with { Layer = null, Delta = null };
        }

        var files = new BaseFiles(_base.Snapshot.Sources.FirstOrDefault(s => s.Name == source.Name));
        var whole = new List<string>();
        var recipes = new List<DeltaRecipe>();
        int done = 0;
        foreach (LayerEntry content in missing)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _progress?.Report(new FeedProgress(source.Name, "Comparing", content.Url, done++, missing.Length));
            if (MakeRecipe(content, files.Find(content.Url), cancellationToken) is { } recipe)
            {
                recipes.Add(recipe);
                _patches[recipe.Patch] = _recipes.PathOf(recipe.Patch);
            }
            else
            {
                whole.Add(content.Sha256);
            }
        }

        return source with { Layer = null, Delta = new SourceDelta { Whole = whole, Recipes = recipes } };
    }

    private DeltaRecipe? MakeRecipe(LayerEntry content, SnapshotFile? old, CancellationToken cancellationToken)
    {
        if (old is null || PathOfOld(old) is not { } oldFile)
        {
            return null;
        }

        return _recipes.Make(content, _site.Store.PathOf(content.Sha256), new LayerEntry(old.Sha256, old.Size, old.Url), oldFile, cancellationToken);
    }

    private string? PathOfOld(SnapshotFile old) =>
        _site.Store.Contains(old.Sha256, old.Size) ? _site.Store.PathOf(old.Sha256) : _fromBundle.GetValueOrDefault(old.Sha256);

    /// <summary>A store that has let go of the base's content can still have it from the bundle, where that is a full one.</summary>
    private async Task TakeFromBundleAsync(Snapshot snapshot, HashSet<string> known, CancellationToken cancellationToken)
    {
        if (_base.Bundle is not { } bundle || bundle.Snapshot.Base is not null)
        {
            return;
        }

        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            var files = new BaseFiles(_base.Snapshot.Sources.FirstOrDefault(s => s.Name == source.Name));
            wanted.UnionWith(SourceLayer.ContentsOf(source).Where(e => !known.Contains(e.Sha256)).Select(e => files.Find(e.Url))
                .Where(f => f is not null && !_site.Store.Contains(f.Sha256, f.Size)).Select(f => f!.Sha256));
        }

        if (wanted.Count > 0)
        {
            await new BundleVerifier(_site, TimeProvider.System)
                .VerifyContentAsync(bundle, new OldContents(this, wanted), _progress, cancellationToken).ConfigureAwait(false);
        }
    }

    private sealed class OldContents(DeltaMaker maker, HashSet<string> wanted) : IBlobSink
    {
        public Stream? Open(string sha256, long size) => wanted.Contains(sha256) && !maker._fromBundle.ContainsKey(sha256) ? File.Create(PathOf(sha256)) : null;

        public void Accept(string sha256, long size) => maker._fromBundle[sha256] = PathOf(sha256);

        private string PathOf(string sha256) => Path.Combine(maker._folder, "old-" + sha256);
    }
}

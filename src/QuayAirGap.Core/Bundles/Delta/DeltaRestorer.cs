using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// The importing side of a delta. Takes what the layers hold while they are verified; then makes the contents that travel as a difference,
/// and compares each with its signed digest. All of it is staged: nothing is the store's before everything holds.
/// </summary>
internal sealed class DeltaRestorer : IBlobSink, IDisposable
{
    /// <summary>Contents do not depend on each other; each takes some megabytes of its own (bzip2's tables are the largest).</summary>
    private const int MaxAtOnce = 4;

    private readonly object _gate = new();
    private readonly Site _site;
    private readonly BlobStage _stage;
    private readonly HashSet<string> _patches;
    private readonly string _folder;

    public DeltaRestorer(Site site, Snapshot snapshot, BlobStage stage)
    {
        _site = site;
        _stage = stage;
        _patches = [.. snapshot.Sources.SelectMany(s => s.Delta?.Recipes ?? []).Select(r => r.Patch)];
        _folder = Path.Combine(site.StagingFolder, "delta-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(_folder);
    }

    public Stream? Open(string sha256, long size) =>
        !_patches.Contains(sha256) ? _stage.Open(sha256, size)
        : File.Exists(PathOf(sha256)) ? null
        : new FileStream(PathOf(sha256), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);

    public void Accept(string sha256, long size)
    {
        if (!_patches.Contains(sha256))
        {
            _stage.Accept(sha256, size);
        }
    }

    /// <summary>Makes every content that the store does not have yet. The layers were verified.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleRecipe"/>, <see cref="ErrorIds.BlobDamaged"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public async Task RestoreAsync(Snapshot snapshot, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        // Each content once, whatever sources have it; and the largest first, so that none is left alone at the end.
        IEnumerable<Work> work = snapshot.Sources.Where(s => s.Delta is not null).SelectMany(WorkOf)
            .DistinctBy(w => w.Content.Sha256, StringComparer.Ordinal).OrderByDescending(w => w.Recipe.Unpacked ?? w.Content.Size);
        await Parallel.ForEachAsync(
            work.ToList(), new ParallelOptions { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, MaxAtOnce), CancellationToken = cancellationToken },
            (item, token) =>
            {
                progress?.Report(new FeedProgress(item.Source.Name, "Restoring", item.Content.Url, item.Place, item.Source.Delta!.Recipes.Count));
                if (!Has(item.Content))
                {
                    Restore(item.Source.Name, item.Recipe, item.Content, token);
                }

                return ValueTask.CompletedTask;
            }).ConfigureAwait(false);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static IEnumerable<Work> WorkOf(SourceSnapshot source)
    {
        Dictionary<string, LayerEntry> contents = SourceLayer.ContentsOf(source).ToDictionary(e => e.Sha256, StringComparer.Ordinal);
        return source.Delta!.Recipes.Select((recipe, i) => new Work(source, recipe, contents[recipe.Sha256], i));
    }

    private bool Has(LayerEntry content)
    {
        lock (_gate)
        {
            return _stage.Has(content.Sha256, content.Size);
        }
    }

    private void Restore(string source, DeltaRecipe recipe, LayerEntry content, CancellationToken cancellationToken)
    {
        string output = _stage.PathOf(content.Sha256);
        string baseFile = _site.Store.PathOf(recipe.Base);
        string wrong;
        try
        {
            string made = RecipeRestorer.Restore(recipe, content.Size, baseFile, PathOf(recipe.Patch), _folder, output, cancellationToken);
            if (made == content.Sha256)
            {
                lock (_gate)
                {
                    _stage.Accept(content.Sha256, content.Size);
                }

                return;
            }

            wrong = "it makes another content than the one that is signed for";
        }
        catch (InvalidDataException e)
        {
            wrong = e.Message;
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(_site.StagingFolder, e);
        }

        File.Delete(output);
        throw IsWhole(baseFile, recipe.Base)
            ? BundleErrors.Recipe(source, $"the recipe for '{content.Url}' (source '{source}') does not work: {wrong}")
            : new FeedException(
                ErrorIds.BlobDamaged, $"The store's content {recipe.Base}, which '{content.Url}' builds on, has another SHA-256 than its name.", source,
                $"Delete '{baseFile}', check the disk, and import the newest full bundle.");
    }

    private static bool IsWhole(string file, string sha256)
    {
        using FileStream content = File.OpenRead(file);
        return Sha256Digest.ToText(System.Security.Cryptography.SHA256.HashData(content)) == sha256;
    }

    private string PathOf(string sha256) => Path.Combine(_folder, sha256);

    /// <summary>One content to make.</summary>
    /// <param name="Place">Which of its source's recipes it is, from 0 on.</param>
    private sealed record Work(SourceSnapshot Source, DeltaRecipe Recipe, LayerEntry Content, int Place);
}

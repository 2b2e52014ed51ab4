using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Content that was verified, but is not the store's yet: a folder of the site's staging. Content that the store has is not written
/// again. Dispose it without committing and nothing is left.
/// </summary>
public sealed class BlobStage : IBlobSink, IDisposable
{
    private readonly Site _site;
    private readonly string _folder;
    private readonly Dictionary<string, long> _accepted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _damaged;

    public BlobStage(Site site)
    {
        _site = site;
        _damaged = [.. site.Damage.Load()];
        _folder = Path.Combine(site.StagingFolder, "bundle-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(_folder);
    }

    /// <summary>How many pieces of content are staged: those that the store does not have.</summary>
    public int Count => _accepted.Count;

    /// <summary>Their bytes.</summary>
    public long Bytes => _accepted.Values.Sum();

    public Stream? Open(string sha256, long size) => Has(sha256, size) ? null : new StagedFile(PathOf(sha256));

    /// <summary>Whether a content is staged, or the store has it.</summary>
    public bool Has(string sha256, long size) => _accepted.ContainsKey(sha256) || (_site.Store.Contains(sha256, size) && !_damaged.Contains(sha256));

    public void Accept(string sha256, long size) => _accepted[sha256] = size;

    /// <summary>
    /// Moves everything into the store. A kill in between leaves blobs that nothing refers to yet, each of them whole.
    /// <see cref="Durable.Barrier"/> must run before anything refers to them.
    /// </summary>
    public void Commit()
    {
        // Their content first: under its digest a content must never be torn, because a later import believes the name and the size.
        foreach (string sha256 in _accepted.Keys)
        {
            Durable.Wrote(PathOf(sha256));
        }

        Durable.Barrier(_folder);
        foreach ((string sha256, long size) in _accepted)
        {
            if (_damaged.Contains(sha256))
            {
                // A whole one that is there would win; this one is known not to be whole.
                _site.Store.Remove(sha256);
            }

            _site.Store.Adopt(PathOf(sha256), sha256, size);
        }

        _accepted.Clear();
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>Where a content is staged, or would be.</summary>
    internal string PathOf(string sha256) => Path.Combine(_folder, sha256);
}

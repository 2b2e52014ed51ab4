using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sites;

/// <summary>Keeps a site from growing for ever: old generations and snapshots go, and the content that only they needed. Needs the site's lock.</summary>
internal sealed class SiteSweeper(Site site, SnapshotStore snapshots)
{
    private readonly GenerationStore _generations = new(site);

    /// <param name="keep">How many of the newest generations, and of the newest snapshots, stay; and what these were built on as deltas.</param>
    public void Sweep(int keep)
    {
        IReadOnlyList<int> numbers = _generations.Numbers();
        var needed = new HashSet<string>(StringComparer.Ordinal);
        var neededSnapshots = new HashSet<string>(StringComparer.Ordinal);
        foreach (int number in numbers.TakeLast(keep))
        {
            Generation generation = _generations.Load(number);
            needed.UnionWith(generation.Blobs());
            neededSnapshots.Add(generation.SnapshotSha256);
        }

        foreach (int number in numbers.SkipLast(keep))
        {
            // Out of the way in one step, so that no half-deleted folder ever bears a number; staging is emptied by the next command.
            string gone = Path.Combine(site.StagingFolder, $"old-{number}");
            Directory.Move(_generations.FolderOf(number), gone);
            Directory.Delete(gone, recursive: true);
        }

        IReadOnlyList<StoredSnapshot> stored = snapshots.List();
        neededSnapshots.UnionWith(stored.TakeLast(keep).Select(s => s.Sha256));

        // Whoever built one delta on a base builds the next ones on it too: a full bundle a week and a delta against it every day.
        neededSnapshots.UnionWith(
            stored.Where(s => neededSnapshots.Contains(s.Sha256)).Select(s => snapshots.Load(s.Sha256).Base).OfType<string>().ToList());
        foreach (StoredSnapshot snapshot in stored)
        {
            if (neededSnapshots.Contains(snapshot.Sha256))
            {
                needed.UnionWith(snapshots.Load(snapshot.Sha256).Sources.SelectMany(s => s.Files).Select(f => f.Sha256));
            }
            else
            {
                snapshots.Remove(snapshot.Sha256);
            }
        }

        foreach ((string sha256, _) in site.Store.List())
        {
            if (!needed.Contains(sha256))
            {
                site.Store.Remove(sha256);
            }
        }
    }
}

using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Parts that came on one medium and wait for the others: volumes/SETID/part-NNN.qagvol of the site. Only parts of a bundle that the site's policy
/// would take are kept, each after its digest held; the signed snapshot bounds their bytes. They go when their bundle was imported, when it is too old
/// to be imported, and when parts of more than <see cref="MaxSets"/> bundles wait. Whoever writes holds the site's lock.
/// </summary>
internal sealed class VolumeShelf(Site site)
{
    /// <summary>A full bundle and the delta on it.</summary>
    public const int MaxSets = 2;

    private const string PartialSuffix = ".partial";

    /// <summary>The parts that are kept of a set; a file that cannot be read is as one that is not there.</summary>
    public IReadOnlyList<VolumePart> Find(string setId)
    {
        string folder = FolderOf(setId);
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*" + VolumeFormat.Extension).Order(StringComparer.Ordinal).Select(TryRead).OfType<VolumePart>().Where(p => p.SetId == setId)]
            : [];
    }

    /// <summary>Copies what is not kept yet, part by part: flushed, then renamed, so that a kept part is a whole one.</summary>
    /// <returns>Why parts were not kept.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.DiskFull"/></exception>
    public IReadOnlyList<FeedException> Keep(VolumeSet brought, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        string folder = FolderOf(brought.SetId);
        var refused = new List<FeedException>();
        HashSet<int> kept = [.. Find(brought.SetId).Select(p => p.Number)];
        if (brought.Parts.All(p => kept.Contains(p.Number)))
        {
            return refused;
        }

        MakeRoomFor(brought.SetId);
        Directory.CreateDirectory(folder);
        foreach (VolumePart part in brought.Parts.Where(p => !kept.Contains(p.Number)))
        {
            string path = Path.Combine(folder, VolumeFormat.PieceName(part.Number) + VolumeFormat.Extension);
            try
            {
                using (var copy = new FileStream(path + PartialSuffix, FileMode.Create, FileAccess.Write, FileShare.None, 1))
                {
                    part.Verify(copy, progress, cancellationToken);
                    Durable.Flush(copy);
                }

                Durable.Rename(path + PartialSuffix, path, overwrite: true);
            }
            catch (FeedException e)
            {
                refused.Add(e);
            }
            finally
            {
                File.Delete(path + PartialSuffix);
            }
        }

        if (Directory.EnumerateFiles(folder).Any())
        {
            Durable.FlushFolder(folder);
        }
        else
        {
            Remove(brought.SetId);
        }

        return refused;
    }

    /// <summary>Forgets one part that turned out to be damaged.</summary>
    public static void Forget(VolumePart part) => File.Delete(part.Path);

    public bool IsKept(VolumePart part) => Path.GetDirectoryName(part.Path) == FolderOf(part.SetId);

    public void Remove(string setId)
    {
        if (Directory.Exists(FolderOf(setId)))
        {
            Directory.Delete(FolderOf(setId), recursive: true);
        }

        if (Directory.Exists(site.VolumesFolder) && !Directory.EnumerateFileSystemEntries(site.VolumesFolder).Any())
        {
            Directory.Delete(site.VolumesFolder);
        }
    }

    /// <summary>Lets go of what no import will ever want.</summary>
    /// <param name="newest">The newest generation, or null.</param>
    /// <param name="now">UTC.</param>
    public void Sweep(Generation? newest, DateTimeOffset now)
    {
        foreach (string folder in Folders())
        {
            string setId = Path.GetFileName(folder);
            foreach (string partial in Directory.EnumerateFiles(folder, "*" + PartialSuffix))
            {
                File.Delete(partial);
            }

            if (!Sha256Digest.IsValid(setId) || !IsWanted(Find(setId), newest, now))
            {
                Remove(setId);
            }
        }
    }

    private static bool IsWanted(IReadOnlyList<VolumePart> parts, Generation? newest, DateTimeOffset now)
    {
        try
        {
            return parts.Count > 0
                && SnapshotDocument.Parse(parts[0].ReadOpening().Document) is { } snapshot
                && snapshot.Expires > now
                && (newest is null || newest.Stream != snapshot.Stream || snapshot.Sequence > newest.HighestSequence);
        }
        catch (Exception e) when (e is FeedException or IOException)
        {
            return false;
        }
    }

    private void MakeRoomFor(string setId)
    {
        string[] others = [.. Folders().Where(f => Path.GetFileName(f) != setId).OrderBy(Directory.GetLastWriteTimeUtc)];
        foreach (string folder in others.SkipLast(MaxSets - 1))
        {
            Remove(Path.GetFileName(folder));
        }
    }

    private string[] Folders() => Directory.Exists(site.VolumesFolder) ? Directory.GetDirectories(site.VolumesFolder) : [];

    private string FolderOf(string setId) => Path.Combine(site.VolumesFolder, setId);

    private static VolumePart? TryRead(string path)
    {
        try
        {
            return VolumePart.Read(path);
        }
        catch (FeedException)
        {
            return null;
        }
    }
}

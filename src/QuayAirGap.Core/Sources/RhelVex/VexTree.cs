using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// The documents that a capture publishes, in an order that follows from the content alone: the archive's, then what the archive does not
/// have, sorted.
/// </summary>
/// <param name="holdBack">Told of the paths that cannot be published.</param>
internal sealed class VexTree(VexFiles files, VexLists lists, Action<string> holdBack)
{
    private readonly HashSet<string> _placed = new(StringComparer.Ordinal);
    private int _listed;

    /// <summary>What was placed so far.</summary>
    public List<SeekableArchiveDocument> Documents { get; } = [];

    /// <summary>How many listed documents are missing, once everything is placed.</summary>
    public int Missing => lists.Changes.Keys.Count(p => VexPath.IsRead(p) && !lists.IsDeleted(p)) - _listed;

    /// <summary>Puts in the place of a document of the archive itself, the later one that travelled singly, or nothing.</summary>
    public void Place(SeekableArchiveDocument archived)
    {
        SnapshotFile? single = files.Documents.GetValueOrDefault(archived.Path);
        if (single is not null)
        {
            _placed.Add(archived.Path);
        }

        if (Takes(archived.Path))
        {
            Documents.Add(single is null ? archived : Single(archived.Path, single));
        }
    }

    /// <summary>Places what the archive does not have. To be called once, behind the last of its documents.</summary>
    public void PlaceRest()
    {
        foreach ((string path, SnapshotFile single) in files.Documents.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            if (!_placed.Contains(path) && VexPath.IsRead(path) && Takes(path))
            {
                Documents.Add(Single(path, single));
            }
        }
    }

    private static SeekableArchiveDocument Single(string path, SnapshotFile file) =>
        new(path, SeekableArchiveDigest.Parse(file.Sha256), file.Size);

    private bool Takes(string path)
    {
        if (lists.IsDeleted(path))
        {
            return false;
        }

        _listed += lists.Changes.ContainsKey(path) ? 1 : 0;
        if (VexPath.IsDeletable(path))
        {
            return true;
        }

        holdBack(path);
        return false;
    }
}

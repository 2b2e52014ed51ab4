using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>A capture's files by what they are.</summary>
internal sealed record VexFiles
{
    public const string LatestName = "archive_latest.txt";

    public const string ChangesName = "changes.csv";

    public const string DeletionsName = "deletions.csv";

    public const string ArchiveSuffix = ".tar.zst";

    public const string ChecksumSuffix = ".sha256";

    public required SnapshotFile Archive { get; init; }

    public required SnapshotFile Changes { get; init; }

    public required SnapshotFile Deletions { get; init; }

    /// <summary>The documents that travel singly, by path: they are newer than the archive's.</summary>
    public required IReadOnlyDictionary<string, SnapshotFile> Documents { get; init; }

    /// <summary>Sorts the files of a capture, or returns null where it is not a whole one. Clair reads no others.</summary>
    public static VexFiles? Of(IEnumerable<SnapshotFile> files, Uri baseUrl)
    {
        SnapshotFile? archive = null;
        SnapshotFile? changes = null;
        SnapshotFile? deletions = null;
        var documents = new Dictionary<string, SnapshotFile>(StringComparer.Ordinal);
        string prefix = baseUrl.AbsoluteUri;
        foreach (SnapshotFile file in files)
        {
            string name = file.Url.StartsWith(prefix, StringComparison.Ordinal) ? file.Url[prefix.Length..] : "";
            if (name == ChangesName)
            {
                changes = file;
            }
            else if (name == DeletionsName)
            {
                deletions = file;
            }
            else if (name.EndsWith(ArchiveSuffix, StringComparison.Ordinal))
            {
                if (archive is not null)
                {
                    return null; // nobody could say which of two is the older
                }

                archive = file;
            }
            else if (VexPath.IsSafe(name))
            {
                documents.Add(name, file);
            }
        }

        return archive is null || changes is null || deletions is null
            ? null
            : new VexFiles { Archive = archive, Changes = changes, Deletions = deletions, Documents = documents };
    }
}

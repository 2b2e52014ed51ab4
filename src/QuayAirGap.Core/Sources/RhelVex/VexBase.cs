using System.Security.Cryptography;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>The archive that a bundle carries, as its collector packed it: most of what is published is copied out of it.</summary>
internal sealed class VexBase
{
    private readonly IPublication _publication;
    private readonly string _sha256;
    private readonly SeekableArchivePlace[] _places;

    private VexBase(IPublication publication, string sha256, List<SeekableArchiveDocument> documents, SeekableArchivePlace[] places)
    {
        _publication = publication;
        _sha256 = sha256;
        _places = places;
        Documents = documents;
    }

    /// <summary>Its documents, in its order.</summary>
    public IReadOnlyList<SeekableArchiveDocument> Documents { get; }

    /// <summary>Opens the archive of a bundle.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.PublicationFailed"/>: it is not one that the collector can have made.</exception>
    public static VexBase Open(IPublication publication, SnapshotFile archive, CancellationToken cancellationToken)
    {
        // Collectors up to 0.1 sent upstream's own archive: what those of today do with it is done here then, with each publication.
        string sha256 = archive.PackedFrom is not null
            ? archive.Sha256
            : publication.AddUnserved(
                output =>
                {
                    using var upstream = new VexArchive(publication.OpenRead(archive), archive.Url);
                    VexPacker.Pack(upstream, _ => true, output, cancellationToken);
                },
                cancellationToken);
        try
        {
            using Stream content = publication.OpenBlob(sha256);
            (List<SeekableArchiveDocument> documents, SeekableArchivePlace[] places) =
                SeekableArchiveTable.Read(content) ?? throw new InvalidDataException("it has no table of its documents");
            var paths = new HashSet<string>(documents.Count, StringComparer.Ordinal);
            SeekableArchiveDocument? wrong = documents.Find(d => !VexPath.IsSafe(d.Path) || !VexPath.IsRead(d.Path) || !paths.Add(d.Path));
            return wrong is null
                ? new VexBase(publication, sha256, documents, places)
                : throw new InvalidDataException($"it tells of '{wrong.Path}', which is no document's path, or there twice");
        }
        catch (InvalidDataException e)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed, $"The archive '{archive.Url}' is not what its collector should have packed: {e.Message}.", archive.Url,
                "Have the bundle made again, with the same version of QuayAirGap on both sides.", e);
        }
    }

    /// <summary>Whether the store still has a content as it was: damage must not be copied onwards.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobMissing"/></exception>
    public static bool IsWhole(IPublication publication, string sha256, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using Stream content = publication.OpenBlob(sha256);
        return Sha256Digest.ToText(SHA256.HashData(content)) == sha256;
    }

    /// <summary>Opens its bytes, which are read only when they are needed: most publications find everything in the one before them.</summary>
    public SeekableArchiveReader OpenReader(CancellationToken cancellationToken)
    {
        bool isWhole = false;
        return new SeekableArchiveReader(_places, () =>
        {
            isWhole = isWhole || IsWhole(_publication, _sha256, cancellationToken);
            return isWhole ? _publication.OpenBlob(_sha256) : throw SeekableArchive.Damaged(Documents[0].Path);
        });
    }
}

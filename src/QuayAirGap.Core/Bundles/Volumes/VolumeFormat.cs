using System.Globalization;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// A part as it lies on its medium: a tar archive of the set's index, the snapshot with its signatures, and a piece of the bundle's archive. Whoever has
/// no QuayAirGap at hand joins the pieces with tar and cat.
/// </summary>
internal static class VolumeFormat
{
    public const string Extension = ".qagvol";
    public const string IndexName = "volume.json";
    public const string DocumentName = "snapshot.json.zst";
    public const string PiecePrefix = "part-";

    /// <summary>Files of a folder that are looked into: four sets of the largest kind.</summary>
    public const int MaxFiles = 4096;

    /// <summary>What a medium's size, as people and shops say it, is short of for its file system.</summary>
    public const long MediumReserve = 4L << 20;

    /// <summary>The least that a part may hold of the bundle: below, parts would be mostly what they say of themselves.</summary>
    public const long MinPiece = 4 * 1024;

    public static string SignatureName(int number) => string.Create(CultureInfo.InvariantCulture, $"snapshot.{number}.p7s");

    public static string PieceName(int number) => string.Create(CultureInfo.InvariantCulture, $"{PiecePrefix}{number:D3}");

    /// <summary>"clairfeed-7b6a6c3e-000007.vol001of005.qagvol".</summary>
    public static string FileName(string bundle, int number, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{bundle}.vol{number:D3}of{count:D3}{Extension}");

    /// <summary>Where a part's piece begins.</summary>
    public static long PieceOffset(VolumeIndex index, int indexLength) =>
        ArchiveEntry.LengthOf(indexLength) + ArchiveEntry.LengthOf(index.Document.Size) + index.Signatures.Sum(s => ArchiveEntry.LengthOf(s.Size)) + UstarHeader.BlockSize;

    /// <summary>All bytes of a part's file.</summary>
    public static long FileLength(VolumeIndex index, int indexLength, int number) =>
        PieceOffset(index, indexLength) - UstarHeader.BlockSize + ArchiveEntry.LengthOf(index.Parts[number - 1].Size) + SourceLayer.EndSize;
}

using System.Globalization;
using System.Security.Cryptography;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>What every part says of its bundle.</summary>
/// <param name="Document">The snapshot; its SHA-256 is what the index says, its signatures are unverified.</param>
internal sealed record VolumeOpening(byte[] Document, IReadOnlyList<byte[]> Signatures);

/// <summary>One file of a split bundle: well formed, and its own. Nothing in it is trusted.</summary>
public sealed class VolumePart
{
    private readonly int _indexLength;

    private VolumePart(string path, VolumeIndex index, byte[] indexBytes, int number)
    {
        Path = path;
        Index = index;
        Number = number;
        SetId = Sha256Digest.Of(indexBytes);
        _indexLength = indexBytes.Length;
    }

    /// <summary>The file; absolute.</summary>
    public string Path { get; }

    /// <summary>From 1.</summary>
    public int Number { get; }

    /// <summary>How many parts the set has.</summary>
    public int Count => Index.Parts.Count;

    /// <summary>SHA-256 of what all parts of the set say: parts with another one belong to another set.</summary>
    public string SetId { get; }

    /// <summary>Where its piece lies in the bundle's archive, in bytes.</summary>
    public long Offset => Index.Parts.Take(Number - 1).Sum(p => p.Size);

    /// <summary>Bytes of its piece.</summary>
    public long Size => Index.Parts[Number - 1].Size;

    /// <summary>SHA-256 that its piece must have.</summary>
    public string Sha256 => Index.Parts[Number - 1].Sha256;

    /// <summary>Bytes of its file.</summary>
    public long FileSize => VolumeFormat.FileLength(Index, _indexLength, Number);

    /// <summary>The bundle's stream. Unverified.</summary>
    public Guid Stream => Index.Stream;

    /// <summary>The bundle's number. Unverified.</summary>
    public long Sequence => Index.Sequence;

    /// <summary>SHA-256 of the bundle's snapshot. Unverified.</summary>
    public string SnapshotSha256 => Index.Snapshot;

    internal VolumeIndex Index { get; }

    internal FileSlice Piece => new(Path, VolumeFormat.PieceOffset(Index, _indexLength), Size);

    /// <summary>Reads what the part says of itself, and holds everything but its piece against it.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleNotFound"/>, <see cref="ErrorIds.BundleVolumeInvalid"/>,
    /// <see cref="ErrorIds.BundleVolumeTruncated"/>, <see cref="ErrorIds.BundleVolumeAltered"/>, <see cref="ErrorIds.BundleVolumeLimit"/>,
    /// <see cref="ErrorIds.BundleLink"/> or <see cref="ErrorIds.BundleVersion"/></exception>
    public static VolumePart Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new FeedException(ErrorIds.BundleNotFound, $"There is no part of a bundle at '{path}'.", path, "Correct the path.");
            }

            if (file.LinkTarget is not null || (file.Attributes & FileAttributes.ReparsePoint) != 0)
            {
                throw BundleErrors.Link(path, $"'{file.Name}'");
            }

            using FileStream stream = Open(path);
            return Read(path, stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, $"the part cannot be read ({e.Message})", e);
        }
    }

    /// <summary>Whether a file calls itself a part, by its content.</summary>
    internal static bool LooksLikeOne(string path)
    {
        try
        {
            using FileStream file = Open(path);
            byte[] block = new byte[UstarHeader.BlockSize];
            return file.ReadAtLeast(block, block.Length, throwOnEndOfStream: false) == block.Length && UstarHeader.Parse(block).Name == VolumeFormat.IndexName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return false;
        }
    }

    /// <summary>The snapshot and its signatures; what they say is unverified.</summary>
    internal VolumeOpening ReadOpening()
    {
        using FileStream stream = Open(Path);
        stream.Position = ArchiveEntry.LengthOf(_indexLength);
        byte[] packed = ReadContent(stream, VolumeFormat.DocumentName, Index.Document);
        byte[] document = SnapshotPacking.Unpack(Path, packed);
        return Sha256Digest.Of(document) == Index.Snapshot
            ? new VolumeOpening(document, [.. Index.Signatures.Select((s, i) => ReadContent(stream, VolumeFormat.SignatureName(i + 1), s))])
            : throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, Path, "its snapshot has another SHA-256 than its index says");
    }

    /// <summary>Reads its piece to the end and compares it with its digest.</summary>
    /// <param name="copy">Gets all bytes of the file; null to verify only.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleVolumeAltered"/> or <see cref="ErrorIds.BundleVolumeTruncated"/></exception>
    public void Verify(Stream? copy, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        using FileStream stream = Open(Path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BundleFormat.BufferSize);
        try
        {
            FileSlice piece = Piece;
            long end = piece.Offset + piece.Length;
            for (long at = 0; at < FileSize;)
            {
                cancellationToken.ThrowIfCancellationRequested();

                // Never over a border between what is hashed and what is not.
                long border = at < piece.Offset ? piece.Offset : at < end ? end : FileSize;
                int read = stream.Read(buffer, 0, (int)Math.Min(BundleFormat.BufferSize, border - at));
                if (read == 0)
                {
                    throw VolumeErrors.Create(ErrorIds.BundleVolumeTruncated, Path, $"part {Number} became shorter while it was read");
                }

                if (at >= piece.Offset && at < end)
                {
                    hash.AppendData(buffer, 0, read);
                }

                copy?.Write(buffer, 0, read);
                at += read;
                progress?.Report(new FeedProgress(VolumeFormat.PieceName(Number), copy is null ? "Verifying" : "Keeping", System.IO.Path.GetFileName(Path), at, FileSize));
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }

        progress?.Report(new FeedProgress(VolumeFormat.PieceName(Number), "Verifying", Completed: true));
        if (Sha256Digest.ToText(hash.GetHashAndReset()) != Sha256)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeAltered, Path, $"the content of part {Number} of {Count} has another SHA-256 than its index says");
        }
    }

    private static VolumePart Read(string path, FileStream stream)
    {
        byte[] block = new byte[UstarHeader.BlockSize];
        UstarHeader header;
        try
        {
            ReadExactly(path, stream, block);
            header = UstarHeader.Parse(block);
        }
        catch (FormatException e)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, $"the file is no part of a bundle ({e.Message})", e);
        }

        if (header.Name != VolumeFormat.IndexName || header.Size < 1)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, "the file is no part of a bundle");
        }

        if (header.Size > VolumeIndex.MaxBytes)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeLimit, path, $"its index has {header.Size} bytes; {VolumeIndex.MaxBytes} are allowed");
        }

        Expect(path, block, VolumeFormat.IndexName, header.Size);
        byte[] indexBytes = new byte[header.Size];
        ReadExactly(path, stream, indexBytes);
        ReadZeros(path, stream, UstarHeader.Padding(header.Size));
        VolumeIndex index = VolumeIndex.Parse(path, indexBytes);

        // Small, and in every part: what two media say of one bundle must not differ in a bit.
        ReadContent(path, stream, VolumeFormat.DocumentName, index.Document);
        for (int i = 0; i < index.Signatures.Count; i++)
        {
            ReadContent(path, stream, VolumeFormat.SignatureName(i + 1), index.Signatures[i]);
        }

        ReadExactly(path, stream, block);
        int number = NumberOf(path, block, index);
        Expect(path, block, VolumeFormat.PieceName(number), index.Parts[number - 1].Size);
        var part = new VolumePart(path, index, indexBytes, number);
        if (stream.Length != part.FileSize)
        {
            throw stream.Length < part.FileSize
                ? VolumeErrors.Create(ErrorIds.BundleVolumeTruncated, path, $"part {number} has {stream.Length} of {part.FileSize} bytes")
                : VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, $"something follows the end of part {number}");
        }

        stream.Position = part.Piece.Offset + part.Size;
        ReadZeros(path, stream, UstarHeader.Padding(part.Size) + SourceLayer.EndSize);
        return part;
    }

    private static int NumberOf(string path, byte[] block, VolumeIndex index)
    {
        string name;
        try
        {
            name = UstarHeader.Parse(block).Name;
        }
        catch (FormatException e)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, e.Message, e);
        }

        return name.StartsWith(VolumeFormat.PiecePrefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(VolumeFormat.PiecePrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= 1 && number <= index.Parts.Count
            ? number
            : throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, $"it says that it is '{name}' of {index.Parts.Count} parts");
    }

    private byte[] ReadContent(FileStream stream, string name, VolumeContent content) => ReadContent(Path, stream, name, content);

    private static byte[] ReadContent(string path, FileStream stream, string name, VolumeContent content)
    {
        byte[] block = new byte[UstarHeader.BlockSize];
        ReadExactly(path, stream, block);
        Expect(path, block, name, content.Size);

        // The file's own length bounds what is taken for it: an index alone claims no memory.
        if (content.Size > stream.Length - stream.Position)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeTruncated, path, $"it ends within '{name}'");
        }

        byte[] bytes = new byte[content.Size];
        ReadExactly(path, stream, bytes);
        ReadZeros(path, stream, UstarHeader.Padding(content.Size));
        return Sha256Digest.Of(bytes) == content.Sha256
            ? bytes
            : throw VolumeErrors.Create(ErrorIds.BundleVolumeAltered, path, $"'{name}' has another SHA-256 than its index says");
    }

    private static void Expect(string path, byte[] block, string name, long size)
    {
        byte[] expected = new byte[UstarHeader.BlockSize];
        UstarHeader.Format(expected, name, size);
        if (!block.AsSpan().SequenceEqual(expected))
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, $"where '{name}' with {size} bytes must be is something else");
        }
    }

    private static void ReadZeros(string path, FileStream stream, int count)
    {
        byte[] zeros = new byte[count];
        ReadExactly(path, stream, zeros);
        if (zeros.AsSpan().ContainsAnyExcept((byte)0))
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, "there is something between what it must hold");
        }
    }

    private static void ReadExactly(string path, FileStream stream, Span<byte> buffer)
    {
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeTruncated, path, $"the part ends after {stream.Length} bytes, within what it says of itself");
        }
    }

    private static FileStream Open(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Open,
        Access = FileAccess.Read,
        Share = FileShare.Read | FileShare.Delete,
        BufferSize = 4096,
        Options = FileOptions.SequentialScan,
    });
}

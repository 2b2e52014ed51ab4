using System.Security.Cryptography;
using QuayAirGap.Core.Publishing;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Store;

/// <summary>
/// A tar as a sequence of independent zstd frames (RFC 8878, section 3: concatenated frames are one stream), so that any reader of
/// .tar.zst takes it whole while one document is had by unpacking one frame. Frames begin at documents chosen by the hash of their
/// names and hold about 16, of 4 MiB at most, since the compressor does not look back further; so a change touches its own frame only, and the others are copied as they are.
/// </summary>
public static class SeekableArchive
{
    /// <summary>The largest document that is written or read, in bytes.</summary>
    public const long MaxDocumentSize = 256L << 20;

    /// <summary>A frame is cut before it unpacks to more than this, unless a single document does. Bytes.</summary>
    internal const long MaxFrameSize = 4L << 20;

    internal const int BlockSize = 512;

    /// <summary>What the header of a zstd frame has at most (RFC 8878, 3.1.1.1, with the magic number). Bytes.</summary>
    internal const int MaxFrameHeader = 18;

    private const int BoundaryThreshold = 16;

    /// <summary>Reads one document. Safe for parallel use on separate streams.</summary>
    /// <param name="archive">The archive; readable and seekable. Its position is moved.</param>
    /// <param name="member">Where the document is, as the generation's table tells.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/>: the archive does not hold that document there.</exception>
    public static byte[] ReadMember(Stream archive, ArchiveMember member)
    {
        if (member.Size is < 0 or > MaxDocumentSize || member.FrameOffset < 0 || member.FrameLength <= 0
            || member.Skip is < 0 or > MaxFrameSize + MaxDocumentSize || member.FrameOffset > archive.Length - member.FrameLength)
        {
            throw Damaged(member.Path);
        }

        byte[] content = new byte[member.Size];
        try
        {
            archive.Position = member.FrameOffset;
            using var frame = new DecompressionStream(new SeekableArchiveSlice(archive, member.FrameLength));
            Skip(frame, member.Skip);
            frame.ReadExactly(content);
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException or InvalidDataException)
        {
            throw Damaged(member.Path, e);
        }

        return Sha256Digest.Of(content) == member.Sha256 ? content : throw Damaged(member.Path);
    }

    /// <summary>Whether a frame begins with the document of that name, whatever stands before it.</summary>
    internal static bool StartsFrame(string path)
    {
        Span<byte> name = stackalloc byte[BlockSize];
        int length = System.Text.Encoding.ASCII.GetBytes(path, name);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(name[..length], hash);
        return hash[0] < BoundaryThreshold;
    }

    /// <summary>Bytes of a document within the tar: its header, and its content in whole blocks.</summary>
    internal static long SizeInTar(long size) => BlockSize + ((size + BlockSize - 1) / BlockSize * BlockSize);

    /// <summary>How much a frame unpacks to by its own word, or -1 where no frame begins here that tells.</summary>
    /// <param name="head">Its first <see cref="MaxFrameHeader"/> bytes, or all where it has fewer.</param>
    internal static unsafe long UnpackedSize(ReadOnlySpan<byte> head)
    {
        fixed (byte* start = head)
        {
            // Two values at the very end of the range say "unknown" and "no frame".
            ulong size = Methods.ZSTD_getFrameContentSize(start, (nuint)head.Length);
            return size <= long.MaxValue ? (long)size : -1;
        }
    }

    internal static void Skip(Stream stream, long count)
    {
        byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Min(count, 128 << 10));
        try
        {
            while (count > 0)
            {
                int read = stream.Read(buffer, 0, (int)Math.Min(count, buffer.Length));
                if (read == 0)
                {
                    throw new EndOfStreamException();
                }

                count -= read;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal static FeedException Damaged(string path, Exception? cause = null) => new(
        ErrorIds.BlobDamaged, $"The archive does not hold the document '{path}' as it should.", path,
        "Import the newest bundle again; the store is damaged.", cause);
}

using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Publishing;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Store;

/// <summary>
/// Writes a <see cref="SeekableArchive"/>. The bytes follow from the documents and their order alone: whether frames are compressed or
/// copied from an earlier archive makes no difference. Memory does not grow with the archive, but for the table that it returns.
/// </summary>
internal static class SeekableArchiveWriter
{
    /// <param name="documents">In the order in which they are to stand; no path twice.</param>
    /// <param name="output">Where the archive goes; left open.</param>
    /// <param name="previous">An earlier archive to take unchanged documents from, or null.</param>
    /// <param name="openContent">
    /// Opens the bytes of a document that is not taken from <paramref name="previous"/>; called in the documents' order.
    /// </param>
    /// <returns>The table of members, ordered by path.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/>: content is not what its size and digest say.</exception>
    public static IReadOnlyList<ArchiveMember> Write(
        List<SeekableArchiveDocument> documents, Stream output, SeekableArchivePrevious? previous,
        Func<SeekableArchiveDocument, Stream> openContent, CancellationToken cancellationToken)
    {
        using var compressor = new Compressor(3);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        var counted = new CountingStream(output);
        var members = new ArchiveMember[documents.Count];
        try
        {
            ReadOnlySpan<SeekableArchiveDocument> all = CollectionsMarshal.AsSpan(documents);
            for (int start = 0; start < all.Length;)
            {
                ReadOnlySpan<SeekableArchiveDocument> frame = all.Slice(start, FrameLength(all[start..]));
                if (previous?.FindFrame(frame) is { } same)
                {
                    Copy(same, frame, counted, previous, buffer, members.AsSpan(start), cancellationToken);
                }
                else
                {
                    Compress(frame, counted, compressor, previous, openContent, hash, buffer, members.AsSpan(start), cancellationToken);
                }

                start += frame.Length;
            }

            using (var end = new CompressionStream(counted, compressor, 0))
            {
                end.SetPledgedSrcSize(2 * SeekableArchive.BlockSize);
                end.Write(new byte[2 * SeekableArchive.BlockSize]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        Array.Sort(members, static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return members;
    }

    private static int FrameLength(ReadOnlySpan<SeekableArchiveDocument> documents)
    {
        long size = SeekableArchive.SizeInTar(documents[0].Size);
        int count = 1;
        while (count < documents.Length)
        {
            size += SeekableArchive.SizeInTar(documents[count].Size);
            if (size > SeekableArchive.MaxFrameSize || SeekableArchive.StartsFrame(documents[count].Path))
            {
                break;
            }

            count++;
        }

        return count;
    }

    private static void Copy(
        IReadOnlyList<ArchiveMember> same, ReadOnlySpan<SeekableArchiveDocument> frame, CountingStream output,
        SeekableArchivePrevious previous, byte[] buffer, Span<ArchiveMember> members, CancellationToken cancellationToken)
    {
        long offset = output.Written;
        using (Stream content = previous.OpenFrame(same[0]))
        {
            int read;
            while ((read = content.Read(buffer)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                output.Write(buffer, 0, read);
            }
        }

        if (output.Written - offset != same[0].FrameLength)
        {
            throw SeekableArchive.Damaged(same[0].Path);
        }

        for (int i = 0; i < frame.Length; i++)
        {
            members[i] = same[i] with { FrameOffset = offset, LastModified = frame[i].LastModified };
        }
    }

    private static void Compress(
        ReadOnlySpan<SeekableArchiveDocument> frame, CountingStream output, Compressor compressor, SeekableArchivePrevious? previous,
        Func<SeekableArchiveDocument, Stream> openContent, IncrementalHash hash, byte[] buffer, Span<ArchiveMember> members,
        CancellationToken cancellationToken)
    {
        long offset = output.Written;
        long position = 0;
        long total = 0;
        foreach (SeekableArchiveDocument document in frame)
        {
            total += SeekableArchive.SizeInTar(document.Size);
        }

        var skips = new long[frame.Length];

        // Disposed when the frame is whole, and only then: disposing ends the frame, and an unfinished one makes that an error of its own
        // in the place of the one that stopped it.
        var compressed = new CompressionStream(output, compressor, 0);

        // A frame that tells its size needs no larger window than that, in whoever unpacks it.
        compressed.SetPledgedSrcSize((ulong)total);
        for (int i = 0; i < frame.Length; i++)
        {
            SeekableArchiveDocument document = frame[i];
            compressed.Write(Header(document));
            skips[i] = position + SeekableArchive.BlockSize;
            ArchiveMember? known = previous?.Find(document.Path, document.Digest);
            try
            {
                using Stream content = known is null ? openContent(document) : previous!.OpenDocument(known);
                WriteContent(document, content, compressed, hash, buffer, cancellationToken);
            }
            catch (Exception e) when (known is not null && e is ZstdException or EndOfStreamException)
            {
                throw SeekableArchive.Damaged(document.Path, e);
            }

            position += SeekableArchive.SizeInTar(document.Size);
            int padding = (int)(position - skips[i] - document.Size);
            buffer.AsSpan(0, padding).Clear();
            compressed.Write(buffer, 0, padding);
            members[i] = new ArchiveMember(
                document.Path, known?.Sha256 ?? document.Digest.ToString(), document.Size, offset, 0, skips[i], document.LastModified);
        }

        compressed.Dispose();
        long length = output.Written - offset;
        for (int i = 0; i < frame.Length; i++)
        {
            members[i] = members[i] with { FrameLength = length };
        }
    }

    private static void WriteContent(
        SeekableArchiveDocument document, Stream content, CompressionStream output, IncrementalHash hash, byte[] buffer,
        CancellationToken cancellationToken)
    {
        long left = document.Size;
        int read;
        while ((read = content.Read(buffer)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            left -= read;
            if (left < 0)
            {
                break;
            }

            hash.AppendData(buffer, 0, read);
            output.Write(buffer, 0, read);
        }

        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        if (left != 0 || SeekableArchiveDigest.Of(digest) != document.Digest)
        {
            throw SeekableArchive.Damaged(document.Path);
        }
    }

    /// <summary>
    /// A plain ustar header (POSIX.1-2017, pax, "ustar Interchange Format"). Owner, mode and time are the same for all documents: a
    /// document whose stamp moved while its content did not must not change its frame.
    /// </summary>
    private static byte[] Header(SeekableArchiveDocument document)
    {
        if (document.Path.Length > 100 || !Ascii.IsValid(document.Path) || document.Size is < 0 or > SeekableArchive.MaxDocumentSize)
        {
            throw new ArgumentException($"'{document.Path}' with {document.Size} bytes does not fit into the archive.");
        }

        byte[] header = new byte[SeekableArchive.BlockSize];
        Encoding.ASCII.GetBytes(document.Path, header);
        "0000644\0"u8.CopyTo(header.AsSpan(100));
        "0000000\0"u8.CopyTo(header.AsSpan(108));
        "0000000\0"u8.CopyTo(header.AsSpan(116));
        Octal(document.Size, header.AsSpan(124, 11));
        "00000000000\0"u8.CopyTo(header.AsSpan(136));
        header.AsSpan(148, 8).Fill((byte)' ');
        header[156] = (byte)'0';
        "ustar\0"u8.CopyTo(header.AsSpan(257));
        "00"u8.CopyTo(header.AsSpan(263));
        "0000000\0"u8.CopyTo(header.AsSpan(329));
        "0000000\0"u8.CopyTo(header.AsSpan(337));
        int sum = 0;
        foreach (byte b in header)
        {
            sum += b;
        }

        Octal(sum, header.AsSpan(148, 6));
        header[154] = 0;
        return header;

        static void Octal(long value, Span<byte> field)
        {
            for (int i = field.Length - 1; i >= 0; i--)
            {
                field[i] = (byte)('0' + (value & 7));
                value >>= 3;
            }
        }
    }

    private sealed class CountingStream(Stream inner) : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written;

        public override long Position { get => Written; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            inner.Write(buffer);
            Written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

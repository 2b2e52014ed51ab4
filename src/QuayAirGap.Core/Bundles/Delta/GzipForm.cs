using System.Buffers.Binary;
using System.IO.Compression;
using QuayAirGap.Core.Sources.Osv.Zip;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// A gzip file of one member (RFC 1952) that classic zlib packed: its level, its header as it is, and its content. The trailer follows from
/// the content.
/// </summary>
internal sealed class GzipForm : IContentForm
{
    private const int TrailerSize = 8;
    private const int MaxHeader = 4096;

    /// <summary>One byte of level, two of the header's length.</summary>
    private const int HeadSize = 3;

    public void UnpackBase(string packed, Stream output, CancellationToken cancellationToken)
    {
        using FileStream file = File.OpenRead(packed);
        Inflate(file, ReadHeader(file), output, cancellationToken);
    }

    public bool TryUnpack(string packed, string form, CancellationToken cancellationToken)
    {
        int headerLength;
        byte hint;
        using (FileStream file = File.OpenRead(packed))
        using (FileStream output = File.Create(form))
        {
            byte[] header;
            try
            {
                header = ReadHeader(file);
                output.Write(Head(0, header.Length));
                output.Write(header);
                Inflate(file, header, output, cancellationToken);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
                return false;
            }

            headerLength = header.Length;
            hint = header[8];
            if (output.Length > ZstdPatch.MaxSize || file.Length < headerLength + TrailerSize)
            {
                return false;
            }
        }

        // XFL 2 says "slowest algorithm", which is zlib's level 9; others say nothing.
        foreach (int level in hint == 2 ? [9, 6] : (ReadOnlySpan<int>)[6, 9])
        {
            using (FileStream output = File.OpenWrite(form))
            {
                output.WriteByte((byte)level);
            }

            if (IsPackedAs(packed, form, cancellationToken))
            {
                return true;
            }
        }

        return false;
    }

    public void Pack(MappedFile form, PackedBase? older, Stream output, CancellationToken cancellationToken)
    {
        Span<byte> whole = form.Span;
        if (whole.Length < HeadSize || BinaryPrimitives.ReadUInt16LittleEndian(whole[1..]) is var headerLength && whole.Length - HeadSize < headerLength)
        {
            throw new InvalidDataException("it is shorter than its own header");
        }

        output.Write(whole.Slice(HeadSize, headerLength));
        int start = HeadSize + headerLength;
        PackContent(whole[start..], whole[0], older, output, cancellationToken);
        Span<byte> trailer = stackalloc byte[TrailerSize];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.Of(whole[start..]));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)(whole.Length - start));
        output.Write(trailer);
    }

    private static void PackContent(ReadOnlySpan<byte> content, int level, PackedBase? older, Stream output, CancellationToken cancellationToken)
    {
        if (older is null)
        {
            ClassicDeflate.Pack(content, level, output, cancellationToken);
            return;
        }

        int headerLength;
        using (FileStream file = File.OpenRead(older.File))
        {
            headerLength = ReadHeader(file).Length;
        }

        using MappedFile packed = MappedFile.OpenRead(older.File);
        ClassicDeflate.Pack(content, level, older.Unpacked.Span, packed.Span[headerLength..], output, cancellationToken);
    }

    private static byte[] Head(byte level, int headerLength) => [level, (byte)headerLength, (byte)(headerLength >> 8)];

    private bool IsPackedAs(string packed, string form, CancellationToken cancellationToken)
    {
        using MappedFile expected = MappedFile.OpenRead(packed);
        using MappedFile content = MappedFile.OpenRead(form);
        var compare = new ComparingStream(expected, 0, expected.Length);
        try
        {
            Pack(content, null, compare, cancellationToken);
            return compare.IsSame;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static void Inflate(FileStream file, byte[] header, Stream output, CancellationToken cancellationToken)
    {
        file.Position = header.Length;
        using var inflate = new DeflateStream(file, CompressionMode.Decompress, leaveOpen: true);
        byte[] buffer = new byte[1 << 17];
        int read;
        while ((read = inflate.Read(buffer)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            output.Write(buffer, 0, read);
        }
    }

    private static byte[] ReadHeader(FileStream file)
    {
        byte[] start = new byte[MaxHeader];
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        ReadOnlySpan<byte> found = start.AsSpan(0, read);
        if (found.Length < 10 || !found.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]))
        {
            throw new InvalidDataException("it is no gzip file");
        }

        int length = 10;
        byte flags = found[3];
        if ((flags & 4) != 0)
        {
            length += found.Length >= 12 ? 2 + BinaryPrimitives.ReadUInt16LittleEndian(found[10..]) : MaxHeader;
        }

        for (int texts = ((flags >> 3) & 1) + ((flags >> 4) & 1); texts > 0 && length < found.Length; texts--)
        {
            int end = found[length..].IndexOf((byte)0);
            length = end < 0 ? MaxHeader : length + end + 1;
        }

        length += (flags & 2) != 0 ? 2 : 0;
        return (flags & 0xE0) == 0 && length < found.Length
            ? start[..length]
            : throw new InvalidDataException("its gzip header is of a kind that is not known");
    }
}

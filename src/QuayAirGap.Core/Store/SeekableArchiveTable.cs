using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace QuayAirGap.Core.Store;

/// <summary>
/// The table of an archive's documents, behind the archive in a skippable frame (RFC 8878, section 3.1.2), which every reader of zstd
/// passes over. It says per frame how long it is, and per document its path, size and digest; where a document stands follows from that,
/// so that a table cannot contradict itself. It is not compressed: the layer around it is, and of the next archive's table a delta then
/// carries the lines that changed.
/// </summary>
internal static class SeekableArchiveTable
{
    /// <summary>One of the sixteen magic numbers that are free for anybody.</summary>
    private const uint Magic = 0x184D2A57;

    private const int HeaderSize = 8;

    /// <summary>The table's SHA-256, its length, and the mark.</summary>
    private const int TrailerSize = SHA256.HashSizeInBytes + 8;

    /// <summary>Bytes of the table: enough for two million documents.</summary>
    private const int MaxSize = 256 << 20;

    /// <summary>The very end of the file.</summary>
    private static ReadOnlySpan<byte> Mark => "QAGT"u8;

    private static ReadOnlySpan<byte> Format => "quayairgap.archive/1"u8;

    /// <param name="output">Stands at the archive's end.</param>
    /// <param name="documents">Every document in the archive's order, with its frame.</param>
    public static void Write(Stream output, IEnumerable<(SeekableArchiveDocument Document, long FrameOffset, long FrameLength)> documents)
    {
        using var text = new MemoryStream();
        using (var writer = new StreamWriter(text, Encoding.ASCII, 64 << 10, leaveOpen: true) { NewLine = "\n" })
        {
            writer.WriteLine(Encoding.ASCII.GetString(Format));
            long offset = -1;
            foreach ((SeekableArchiveDocument document, long frameOffset, long frameLength) in documents)
            {
                if (frameOffset != offset)
                {
                    offset = frameOffset;
                    writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{frameLength}"));
                }

                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{document.Path}\t{document.Size}\t{document.Digest}"));
            }
        }

        ReadOnlySpan<byte> table = text.GetBuffer().AsSpan(0, (int)text.Length);
        Span<byte> header = stackalloc byte[HeaderSize];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], table.Length + TrailerSize);
        output.Write(header);
        output.Write(table);
        Span<byte> trailer = stackalloc byte[TrailerSize];
        SHA256.HashData(table, trailer);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[^8..], table.Length);
        Mark.CopyTo(trailer[^4..]);
        output.Write(trailer);
    }

    /// <summary>Reads the table, without the archive before it.</summary>
    /// <param name="archive">Readable and seekable. Its position is moved.</param>
    /// <returns>The documents in the archive's order, and where each stands; null where the file ends in no table.</returns>
    /// <exception cref="InvalidDataException">There is a table, and it is not a whole one, or not of this archive.</exception>
    public static (List<SeekableArchiveDocument> Documents, SeekableArchivePlace[] Places)? Read(Stream archive)
    {
        if (archive.Length < HeaderSize + TrailerSize)
        {
            return null;
        }

        Span<byte> trailer = stackalloc byte[TrailerSize];
        archive.Position = archive.Length - TrailerSize;
        archive.ReadExactly(trailer);
        if (!trailer[^4..].SequenceEqual(Mark))
        {
            return null;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(trailer[^8..]);
        long end = archive.Length - TrailerSize - length - HeaderSize;
        Require(length is > 0 and <= MaxSize && end >= 0);
        Span<byte> header = stackalloc byte[HeaderSize];
        archive.Position = end;
        archive.ReadExactly(header);
        Require(BinaryPrimitives.ReadUInt32LittleEndian(header) == Magic && BinaryPrimitives.ReadInt32LittleEndian(header[4..]) == length + TrailerSize);
        byte[] table = new byte[length];
        archive.ReadExactly(table);
        Require(SHA256.HashData(table).AsSpan().SequenceEqual(trailer[..SHA256.HashSizeInBytes]));
        try
        {
            return Parse(table, end);
        }
        catch (FormatException e)
        {
            throw new InvalidDataException("its table of documents cannot be read", e);
        }
    }

    private static (List<SeekableArchiveDocument> Documents, SeekableArchivePlace[] Places) Parse(ReadOnlySpan<byte> text, long end)
    {
        var documents = new List<SeekableArchiveDocument>();
        var places = new List<SeekableArchivePlace>();
        long offset = 0;
        long frameLength = 0;
        long unpacked = 0;
        Require(NextLine(ref text).SequenceEqual(Format));
        while (!text.IsEmpty)
        {
            ReadOnlySpan<byte> line = NextLine(ref text);
            int first = line.IndexOf((byte)'\t');
            if (first < 0)
            {
                Require(unpacked > 0 || places.Count == 0); // a frame has a document at least
                offset += frameLength;
                frameLength = Number(line);
                unpacked = 0;
                Require(frameLength > 0 && frameLength <= end - offset);
                continue;
            }

            int second = line.LastIndexOf((byte)'\t');
            Require(frameLength > 0 && second > first);
            long size = Number(line[(first + 1)..second]);
            Require(size <= SeekableArchive.MaxDocumentSize);
            var document = new SeekableArchiveDocument(
                Encoding.ASCII.GetString(line[..first]), SeekableArchiveDigest.Parse(Encoding.ASCII.GetString(line[(second + 1)..])), size);
            documents.Add(document);
            places.Add(new SeekableArchivePlace(document.Path, document.Digest, size, offset, frameLength, unpacked + SeekableArchive.BlockSize));
            unpacked += SeekableArchive.SizeInTar(size);
        }

        Require(unpacked > 0 || places.Count == 0);
        return (documents, [.. places]);
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)'\n');
        Require(end >= 0);
        ReadOnlySpan<byte> line = text[..end];
        text = text[(end + 1)..];
        return line;
    }

    private static long Number(ReadOnlySpan<byte> text)
    {
        Require(Utf8Parser.TryParse(text, out long value, out int used) && used == text.Length && value >= 0);
        return value;
    }

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw new InvalidDataException("its table of documents is damaged, or of another archive");
        }
    }
}

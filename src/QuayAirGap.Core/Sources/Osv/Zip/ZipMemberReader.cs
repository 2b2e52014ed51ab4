using System.Buffers.Binary;
using System.IO.Compression;

namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>Unpacks one member after the other into one buffer, and holds each against its size and CRC.</summary>
internal sealed class ZipMemberReader : IDisposable
{
    private readonly ZipIndex _index;
    private readonly BufferedStream _zip;
    private byte[] _packed = [];
    private byte[] _content = [];

    /// <param name="index">The structure of <paramref name="zip"/>.</param>
    /// <param name="zip">Seekable; disposed with this reader.</param>
    public ZipMemberReader(ZipIndex index, Stream zip)
    {
        _index = index;
        _zip = new BufferedStream(zip, 1 << 17);
    }

    /// <summary>
    /// The member's content, valid until the next call; null where Clair has no means to unpack it either (encrypted, or a method
    /// other than stored and deflated).
    /// </summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public ReadOnlyMemory<byte>? Read(in ZipMember member)
    {
        Span<byte> header = stackalloc byte[ZipIndex.LocalHeaderSize];
        _zip.Position = member.Offset;
        _zip.ReadExactly(header);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]);
        int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        long dataStart = ZipIndex.LocalHeaderSize + nameLength + extraLength;
        if (!header.StartsWith("PK\x03\x04"u8) || dataStart > member.RecordLength - member.CompressedSize)
        {
            throw Damaged(member, "its local header is damaged");
        }

        long rest = member.RecordLength - dataStart - member.CompressedSize;
        _zip.Position = member.Offset + dataStart;
        int packed = (int)member.CompressedSize;
        Grow(ref _packed, packed);
        _zip.ReadExactly(_packed, 0, packed);
        if (member.HasDescriptor)
        {
            CheckDescriptor(member, rest);
        }

        if (member.IsEncrypted || member.Method is not (ZipMember.Stored or ZipMember.Deflated))
        {
            return null;
        }

        int size = (int)member.Size;
        ReadOnlyMemory<byte> content;
        if (member.Method == ZipMember.Stored)
        {
            content = packed == size ? _packed.AsMemory(0, size) : throw Damaged(member, "its sizes differ although it is stored as it is");
        }
        else
        {
            Inflate(member, packed, size);
            content = _content.AsMemory(0, size);
        }

        return Crc32.Of(content.Span) == member.Crc ? content : throw Damaged(member, "its CRC is not that of its content");
    }

    public void Dispose() => _zip.Dispose();

    /// <summary>archive/zip compares the CRC of a data descriptor too, and fails where it differs (APPNOTE.TXT 4.3.9).</summary>
    private void CheckDescriptor(in ZipMember member, long rest)
    {
        Span<byte> descriptor = stackalloc byte[16];
        if (rest < 12)
        {
            throw Damaged(member, "its data descriptor is missing");
        }

        int length = (int)Math.Min(rest, descriptor.Length);
        _zip.ReadExactly(descriptor[..length]);
        int at = descriptor.StartsWith("PK\x07\x08"u8) && length == 16 ? 4 : 0;
        if (BinaryPrimitives.ReadUInt32LittleEndian(descriptor[at..]) != member.Crc)
        {
            throw Damaged(member, "its data descriptor has another CRC");
        }
    }

    private void Inflate(in ZipMember member, int packed, int size)
    {
        Grow(ref _content, size + 1);
        int read;
        try
        {
            using var inflater = new DeflateStream(new MemoryStream(_packed, 0, packed, writable: false), CompressionMode.Decompress);

            // One byte more than declared: content that goes on is a lie about its size.
            read = inflater.ReadAtLeast(_content.AsSpan(0, size + 1), size + 1, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(member, "its compressed content is damaged", e);
        }

        if (read != size)
        {
            throw Damaged(member, "it does not unpack to the size that it declares");
        }
    }

    private InvalidDataException Damaged(in ZipMember member, string how, Exception? cause = null) =>
        new($"member '{MemberName.ForPeople(_index.Name(member))}': {how}", cause);

    private static void Grow(ref byte[] buffer, int size)
    {
        if (buffer.Length < size)
        {
            buffer = new byte[Math.Max(size, Math.Min(buffer.Length * 2, 1 << 20))];
        }
    }
}

using System.Buffers.Binary;
using System.Text;

namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>
/// The structure of a zip file, read as Go's archive/zip reads it (Clair's reader) and stricter wherever two readers could disagree about
/// what the file holds: nothing before the first or after the last structure, one directory, no two records over the same bytes.
/// Format: PKWARE's APPNOTE.TXT.
/// </summary>
internal sealed class ZipIndex
{
    public const int LocalHeaderSize = 30;

    private const int EndSize = 22;
    private const int LocatorSize = 20;
    private const int End64Size = 56;
    private const int HeaderSize = 46;

    private readonly ZipMember[] _members;

    private ZipIndex(byte[] directory, ZipMember[] members, long length, byte[] end, byte[]? end64)
    {
        Directory = directory;
        _members = members;
        Length = length;
        End = end;
        End64 = end64;
    }

    /// <summary>In the directory's order, which is the order in which Clair reads them.</summary>
    public IReadOnlyList<ZipMember> Members => _members;

    /// <summary>Of the whole file, in bytes.</summary>
    public long Length { get; }

    /// <summary>The central directory as it is in the file.</summary>
    public byte[] Directory { get; }

    /// <summary>The end of central directory record with its comment.</summary>
    public byte[] End { get; }

    /// <summary>The fixed part of the Zip64 end of central directory record, where the file has one.</summary>
    public byte[]? End64 { get; }

    /// <param name="zip">Seekable.</param>
    /// <param name="limits">What is refused before it is unpacked.</param>
    /// <exception cref="InvalidDataException">It is no zip file, is cut short or damaged, or exceeds a limit.</exception>
    public static ZipIndex Read(Stream zip, ZipLimits limits)
    {
        long length = zip.Length;
        byte[] tail = ReadAt(zip, Math.Max(0, length - EndSize - ushort.MaxValue), (int)Math.Min(length, EndSize + ushort.MaxValue));
        int endStart = tail.Length < EndSize ? -1 : tail.AsSpan(0, tail.Length - EndSize + 4).LastIndexOf("PK\x05\x06"u8);
        if (endStart < 0)
        {
            throw new InvalidDataException("it is no zip file, or its end is missing");
        }

        byte[] end = tail[endStart..];
        if (EndSize + Short(end, 20) != end.Length)
        {
            throw new InvalidDataException("its end is not where the file ends");
        }

        long endOffset = length - end.Length;
        long count = Short(end, 10);
        long directorySize = Int(end, 12);
        long directoryOffset = Int(end, 16);
        if (Short(end, 4) != 0 || Short(end, 6) != 0 || Short(end, 8) != count)
        {
            throw new InvalidDataException("it is one volume of several");
        }

        byte[]? end64 = null;
        if (count == ushort.MaxValue || directorySize == ushort.MaxValue || directoryOffset == uint.MaxValue)
        {
            // The same condition as archive/zip's, its odd second part included.
            end64 = ReadEnd64(zip, ref endOffset);
            if (end64 is not null)
            {
                (count, directorySize, directoryOffset) = (Long(end64, 32), Long(end64, 40), Long(end64, 48));
            }
        }

        if (directorySize < 0 || directoryOffset < 0 || directoryOffset > endOffset || directorySize != endOffset - directoryOffset)
        {
            throw new InvalidDataException("its directory is not where its end says");
        }

        if (count < 0 || count > limits.Members || directorySize > limits.DirectorySize)
        {
            throw new InvalidDataException($"it has {count} members in a directory of {directorySize} bytes: more than any feed has");
        }

        byte[] directory = ReadAt(zip, directoryOffset, (int)directorySize);
        ZipMember[] members = ReadHeaders(directory, (int)count);
        PlaceRecords(members, directoryOffset);
        ThrowIfTooLarge(members, length, limits);
        return new ZipIndex(directory, members, length, end, end64);
    }

    /// <summary>The name as bytes; usually UTF-8.</summary>
    public ReadOnlySpan<byte> RawName(in ZipMember member) => Directory.AsSpan(member.HeaderStart + HeaderSize, member.NameLength);

    /// <summary>The name for people.</summary>
    public string Name(in ZipMember member) => Encoding.UTF8.GetString(RawName(member));

    private static byte[]? ReadEnd64(Stream zip, ref long endOffset)
    {
        long locatorOffset = endOffset - LocatorSize;
        if (locatorOffset < End64Size)
        {
            return null;
        }

        byte[] locator = ReadAt(zip, locatorOffset, LocatorSize);
        if (!locator.AsSpan().StartsWith("PK\x06\x07"u8))
        {
            return null;
        }

        long offset = Long(locator, 8);
        if (Int(locator, 4) != 0 || Int(locator, 16) != 1 || offset < 0 || offset > locatorOffset - End64Size)
        {
            throw new InvalidDataException("its Zip64 locator is damaged");
        }

        byte[] end64 = ReadAt(zip, offset, End64Size);
        if (!end64.AsSpan().StartsWith("PK\x06\x06"u8) || Long(end64, 4) != locatorOffset - offset - 12
            || Int(end64, 16) != 0 || Int(end64, 20) != 0 || Long(end64, 24) != Long(end64, 32))
        {
            throw new InvalidDataException("its Zip64 end is damaged");
        }

        endOffset = offset;
        return end64;
    }

    private static ZipMember[] ReadHeaders(byte[] directory, int count)
    {
        if ((long)count * HeaderSize > directory.Length)
        {
            throw new InvalidDataException("its directory is shorter than its number of members");
        }

        var members = new ZipMember[count];
        int position = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = directory.AsSpan(position);
            if (header.Length < HeaderSize || !header.StartsWith("PK\x01\x02"u8))
            {
                throw new InvalidDataException($"entry {i + 1} of its directory is damaged");
            }

            int nameLength = Short(header, 28);
            int extraLength = Short(header, 30);
            int headerLength = HeaderSize + nameLength + extraLength + Short(header, 32);
            if (headerLength > header.Length || Short(header, 34) != 0)
            {
                throw new InvalidDataException($"entry {i + 1} of its directory is damaged");
            }

            long size = Int(header, 24);
            long compressedSize = Int(header, 20);
            long offset = Int(header, 42);
            int offsetField = position + 42;
            bool wide = false;
            if (size == uint.MaxValue || compressedSize == uint.MaxValue || offset == uint.MaxValue)
            {
                int extraStart = HeaderSize + nameLength;
                int field = FindZip64Field(header.Slice(extraStart, extraLength));
                ReadOnlySpan<byte> values = field < 0 ? default : header.Slice(extraStart + field + 4, Short(header, extraStart + field + 2));
                int at = 0;
                size = Wide(size, values, ref at);
                compressedSize = Wide(compressedSize, values, ref at);
                if (offset == uint.MaxValue)
                {
                    offsetField = position + extraStart + field + 4 + at;
                    wide = true;
                    offset = Wide(offset, values, ref at);
                }
            }

            members[i] = new ZipMember(
                position, headerLength, nameLength, Short(header, 8), Short(header, 10), (uint)Int(header, 16), compressedSize, size, offset,
                offsetField, wide, RecordLength: 0);
            position += headerLength;
        }

        if (position != directory.Length)
        {
            throw new InvalidDataException("its directory is longer than its number of members");
        }

        return members;
    }

    /// <summary>Where the field with Zip64 sizes begins among the extra fields, or -1.</summary>
    private static int FindZip64Field(ReadOnlySpan<byte> extra)
    {
        for (int at = 0; extra.Length - at >= 4;)
        {
            int end = at + 4 + Short(extra, at + 2);
            if (end > extra.Length)
            {
                break;
            }

            if (Short(extra, at) == 1)
            {
                return at;
            }

            at = end;
        }

        return -1;
    }

    private static long Wide(long value, ReadOnlySpan<byte> values, ref int at)
    {
        if (value != uint.MaxValue)
        {
            return value;
        }

        if (values.Length - at < 8)
        {
            throw new InvalidDataException("an entry of its directory lacks its Zip64 sizes");
        }

        at += 8;
        return BinaryPrimitives.ReadInt64LittleEndian(values[(at - 8)..]);
    }

    /// <summary>A record reaches to the next one: two that begin at one place, or overlap, would be read twice.</summary>
    private static void PlaceRecords(ZipMember[] members, long directoryOffset)
    {
        int[] order = [.. Enumerable.Range(0, members.Length).OrderBy(i => members[i].Offset)];
        if (order.Length > 0 && members[order[0]].Offset != 0)
        {
            throw new InvalidDataException("it does not begin with its first member");
        }

        for (int i = 0; i < order.Length; i++)
        {
            ZipMember member = members[order[i]];
            long next = i + 1 < order.Length ? members[order[i + 1]].Offset : directoryOffset;
            if (member.Offset < 0 || member.CompressedSize < 0 || member.Size < 0
                || next - member.Offset < LocalHeaderSize || member.CompressedSize > next - member.Offset - LocalHeaderSize)
            {
                throw new InvalidDataException("two of its members overlap, or one lies outside of it");
            }

            members[order[i]] = member with { RecordLength = next - member.Offset };
        }
    }

    private static void ThrowIfTooLarge(ZipMember[] members, long length, ZipLimits limits)
    {
        long total = 0;
        foreach (ZipMember member in members)
        {
            if (member.Size > limits.MemberSize || member.CompressedSize > limits.MemberSize)
            {
                long largest = Math.Max(member.Size, member.CompressedSize);
                throw new InvalidDataException($"one of its members has {largest} bytes: no advisory is that large");
            }

            total += member.Size;
        }

        if (total > limits.FreeSize && total / limits.Ratio > length)
        {
            throw new InvalidDataException($"its {length} bytes unpack to {total}: no feed shrinks that well");
        }
    }

    private static byte[] ReadAt(Stream zip, long offset, int count)
    {
        byte[] content = new byte[count];
        zip.Position = offset;
        zip.ReadExactly(content);
        return content;
    }

    private static ushort Short(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static long Int(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}

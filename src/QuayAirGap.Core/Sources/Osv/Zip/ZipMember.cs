namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>One entry of a central directory. Offsets and lengths in bytes.</summary>
/// <param name="HeaderStart">Where its header begins within the directory.</param>
/// <param name="HeaderLength">The header with name, extra fields and comment.</param>
/// <param name="NameLength">Of the name, which follows the header's 46 fixed bytes.</param>
/// <param name="Flags">General purpose bits (APPNOTE.TXT 4.4.4).</param>
/// <param name="Method">0 stored, 8 deflated.</param>
/// <param name="Crc">Of the unpacked content.</param>
/// <param name="CompressedSize">As packed.</param>
/// <param name="Size">Unpacked.</param>
/// <param name="Offset">Of its local header within the file.</param>
/// <param name="OffsetField">Where the directory holds <paramref name="Offset"/>.</param>
/// <param name="OffsetIsLong">Whether that place is the eight bytes of a Zip64 field, not four.</param>
/// <param name="RecordLength">From its local header to the next record or the directory.</param>
internal readonly record struct ZipMember(
    int HeaderStart, int HeaderLength, int NameLength, ushort Flags, ushort Method, uint Crc, long CompressedSize, long Size, long Offset,
    int OffsetField, bool OffsetIsLong, long RecordLength)
{
    public const ushort Stored = 0;

    public const ushort Deflated = 8;

    public bool IsEncrypted => (Flags & 1) != 0;

    public bool HasDescriptor => (Flags & 8) != 0;
}

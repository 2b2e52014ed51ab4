using System.Buffers.Binary;
using QuayAirGap.Core.Sources.Osv.Zip;

namespace QuayAirGap.Core.Sources.Gzip;

/// <summary>Writes a small gzip file without compression, so that the same content is the same bytes with every runtime.</summary>
internal static class StoredGzip
{
    /// <param name="content">At most 65,535 bytes: one stored block of deflate (RFC 1951, 3.2.4).</param>
    public static byte[] Pack(ReadOnlySpan<byte> content)
    {
        const int Head = 15;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, ushort.MaxValue);
        byte[] file = new byte[Head + content.Length + 8];

        // Magic number, deflate, no flags, no time, no hint, any system; then the last block, stored, its length and that inverted.
        ReadOnlySpan<byte> head = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1];
        head.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(11), (ushort)content.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(13), (ushort)~content.Length);
        content.CopyTo(file.AsSpan(Head));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(Head + content.Length), Crc32.Of(content));
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(Head + content.Length + 4), (uint)content.Length);
        return file;
    }
}

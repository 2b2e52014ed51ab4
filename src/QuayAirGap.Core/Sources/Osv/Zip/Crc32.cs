using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>The CRC-32 of zip files (APPNOTE.TXT 4.4.7: polynomial 0xEDB88320, reflected), sixteen bytes at a time.</summary>
internal static class Crc32
{
    /// <summary>Bytes that are taken at once.</summary>
    private const int Slices = 16;

    private static readonly uint[] s_tables = MakeTables();

    public static uint Of(ReadOnlySpan<byte> content)
    {
        uint[] t = s_tables;
        uint crc = ~0u;
        while (content.Length >= Slices)
        {
            ulong low = BinaryPrimitives.ReadUInt64LittleEndian(content) ^ crc;
            ulong high = BinaryPrimitives.ReadUInt64LittleEndian(content[8..]);
            crc = Of(t, low, 8) ^ Of(t, high, 0);
            content = content[Slices..];
        }

        foreach (byte b in content)
        {
            crc = (crc >> 8) ^ t[(byte)(crc ^ b)];
        }

        return ~crc;
    }

    /// <summary>What eight bytes add, behind which so many others follow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Of(uint[] t, ulong bytes, int behind) =>
        t[((behind + 7) * 256) + (byte)bytes] ^ t[((behind + 6) * 256) + (byte)(bytes >> 8)]
        ^ t[((behind + 5) * 256) + (byte)(bytes >> 16)] ^ t[((behind + 4) * 256) + (byte)(bytes >> 24)]
        ^ t[((behind + 3) * 256) + (byte)(bytes >> 32)] ^ t[((behind + 2) * 256) + (byte)(bytes >> 40)]
        ^ t[((behind + 1) * 256) + (byte)(bytes >> 48)] ^ t[(behind * 256) + (byte)(bytes >> 56)];

    private static uint[] MakeTables()
    {
        uint[] tables = new uint[Slices * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }

            tables[i] = crc;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            tables[i] = (tables[i - 256] >> 8) ^ tables[(byte)tables[i - 256]];
        }

        return tables;
    }
}

using System.Buffers.Binary;

namespace QuayAirGap.Core.Sources.Osv.Zip;

/// <summary>The CRC-32 of zip files (APPNOTE.TXT 4.4.7: polynomial 0xEDB88320, reflected), eight bytes at a time.</summary>
internal static class Crc32
{
    private static readonly uint[] s_tables = MakeTables();

    public static uint Of(ReadOnlySpan<byte> content)
    {
        uint[] t = s_tables;
        uint crc = ~0u;
        while (content.Length >= 8)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(content) ^ crc;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(content[4..]);
            crc = t[(7 * 256) + (byte)low] ^ t[(6 * 256) + (byte)(low >> 8)]
                ^ t[(5 * 256) + (byte)(low >> 16)] ^ t[(4 * 256) + (byte)(low >> 24)]
                ^ t[(3 * 256) + (byte)high] ^ t[(2 * 256) + (byte)(high >> 8)] ^ t[256 + (byte)(high >> 16)] ^ t[(byte)(high >> 24)];
            content = content[8..];
        }

        foreach (byte b in content)
        {
            crc = (crc >> 8) ^ t[(byte)(crc ^ b)];
        }

        return ~crc;
    }

    private static uint[] MakeTables()
    {
        uint[] tables = new uint[8 * 256];
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

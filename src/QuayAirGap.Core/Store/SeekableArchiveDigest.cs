using System.Buffers.Binary;

namespace QuayAirGap.Core.Store;

/// <summary>
/// A SHA-256 as a value of 32 bytes. As text it takes five times that, and the inventories of an archive hold hundreds of thousands.
/// </summary>
internal readonly record struct SeekableArchiveDigest(ulong A, ulong B, ulong C, ulong D)
{
    public static SeekableArchiveDigest Of(ReadOnlySpan<byte> hash) => new(
        BinaryPrimitives.ReadUInt64BigEndian(hash),
        BinaryPrimitives.ReadUInt64BigEndian(hash[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(hash[16..]),
        BinaryPrimitives.ReadUInt64BigEndian(hash[24..]));

    /// <exception cref="FormatException">The text is not 64 lower-case hexadecimal digits.</exception>
    public static SeekableArchiveDigest Parse(ReadOnlySpan<char> text)
    {
        if (!Sha256Digest.IsValid(text))
        {
            throw new FormatException("A SHA-256 digest has 64 lower-case hexadecimal digits.");
        }

        return Of(Convert.FromHexString(text));
    }

    public override string ToString()
    {
        Span<byte> hash = stackalloc byte[32];
        BinaryPrimitives.WriteUInt64BigEndian(hash, A);
        BinaryPrimitives.WriteUInt64BigEndian(hash[8..], B);
        BinaryPrimitives.WriteUInt64BigEndian(hash[16..], C);
        BinaryPrimitives.WriteUInt64BigEndian(hash[24..], D);
        return Sha256Digest.ToText(hash);
    }
}

using System.Buffers.Binary;
using System.Text;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// One 512-byte header of a tar archive (POSIX.1-1988 ustar; sizes of 8 GiB and more in GNU's base-256). Names of at most 100 ASCII
/// bytes: nothing in a bundle has a longer one.
/// </summary>
/// <param name="Name">As it stands there.</param>
/// <param name="Type">The type flag: '0' or NUL a file, '5' a directory, 'x' extended attributes of the next entry.</param>
/// <param name="Size">Bytes of content.</param>
internal readonly record struct UstarHeader(string Name, byte Type, long Size)
{
    public const int BlockSize = 512;

    private const int SizeAt = 124;
    private const int ChecksumAt = 148;
    private const int TypeAt = 156;
    private const int LinkAt = 157;
    private const int MagicAt = 257;
    private const int PrefixAt = 345;
    private const long LargestOctal = (1L << 33) - 1;

    /// <summary>Bytes of zero after content of this size.</summary>
    public static int Padding(long size) => (int)(-size & (BlockSize - 1));

    /// <summary>Writes the header of a file with metadata that is always the same.</summary>
    public static void Format(Span<byte> block, string name, long size)
    {
        block.Clear();
        if (Encoding.ASCII.GetBytes(name, block) > 100)
        {
            throw new ArgumentException($"'{name}' is too long for a tar header.", nameof(name));
        }

        "0000644\0"u8.CopyTo(block[100..]);
        "0000000\0"u8.CopyTo(block[108..]);
        "0000000\0"u8.CopyTo(block[116..]);
        if (size <= LargestOctal)
        {
            WriteOctal(block.Slice(SizeAt, 11), size);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(block.Slice(SizeAt + 4, 8), size);
            block[SizeAt] = 0x80;
        }

        "00000000000\0"u8.CopyTo(block[136..]);
        block[TypeAt] = (byte)'0';
        "ustar\000"u8.CopyTo(block[MagicAt..]);
        "0000000\0"u8.CopyTo(block[329..]);
        "0000000\0"u8.CopyTo(block[337..]);
        WriteOctal(block.Slice(ChecksumAt, 6), Checksum(block));
        block[ChecksumAt + 7] = (byte)' ';
    }

    /// <summary>Reads a header, or says what is wrong with it.</summary>
    public static UstarHeader Parse(ReadOnlySpan<byte> block)
    {
        // Six digits, NUL, space: every writer since 1988 does, and an exact form leaves no bit of the field without meaning.
        if (block[ChecksumAt + 6] != 0 || block[ChecksumAt + 7] != (byte)' ' || !TryReadOctal(block.Slice(ChecksumAt, 6), out long checksum)
            || checksum != Checksum(block))
        {
            throw new FormatException("the checksum of an entry's header is wrong");
        }

        ReadOnlySpan<byte> magic = block.Slice(MagicAt, 8);
        bool gnu = magic.SequenceEqual("ustar  \0"u8);
        if (!gnu && !magic.SequenceEqual("ustar\000"u8))
        {
            throw new FormatException("an entry is not in the ustar format");
        }

        if (!IsLink(block[TypeAt]) && block.Slice(LinkAt, 100).ContainsAnyExcept((byte)0))
        {
            throw new FormatException("an entry that is no link has the target of one");
        }

        // GNU keeps times where ustar has the front part of long names.
        if (!gnu && block[PrefixAt..500].ContainsAnyExcept((byte)0))
        {
            throw new FormatException("an entry's name is too long");
        }

        return new UstarHeader(ReadName(block[..100]), block[TypeAt], ReadSize(block.Slice(SizeAt, 12)));
    }

    /// <summary>A hard or a symbolic link: read so that it can be refused by that name.</summary>
    public static bool IsLink(byte type) => type is (byte)'1' or (byte)'2';

    /// <summary>Whether a program that unpacks this name, on any platform, would write outside of the folder that it unpacks into.</summary>
    public static bool Escapes(string name) =>
        name.StartsWith('/') || name.Contains('\\') || name.Contains(':') || name.Split('/').Contains("..");

    private static string ReadName(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        ReadOnlySpan<byte> name = end < 0 ? field : field[..end];
        if (end >= 0 && field[end..].ContainsAnyExcept((byte)0))
        {
            throw new FormatException("an entry's name goes on after its end");
        }

        return name.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? throw new FormatException("an entry's name is not plain ASCII") : Encoding.ASCII.GetString(name);
    }

    private static long ReadSize(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            long size = BinaryPrimitives.ReadInt64BigEndian(field[4..]);
            return field[0] == 0x80 && field[1] == 0 && field[2] == 0 && field[3] == 0 && size >= 0
                ? size
                : throw new FormatException("an entry's size is impossible");
        }

        return field[11] is 0 or (byte)' ' && TryReadOctal(field[..11], out long octal)
            ? octal
            : throw new FormatException("an entry's size is not a number");
    }

    private static int Checksum(ReadOnlySpan<byte> block)
    {
        int sum = 8 * ' ';
        for (int i = 0; i < BlockSize; i++)
        {
            sum += i is >= ChecksumAt and < ChecksumAt + 8 ? 0 : block[i];
        }

        return sum;
    }

    private static bool TryReadOctal(ReadOnlySpan<byte> digits, out long number)
    {
        number = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            number = (number << 3) | (uint)(digit - '0');
        }

        return true;
    }

    private static void WriteOctal(Span<byte> field, long number)
    {
        for (int i = field.Length - 1; i >= 0; i--, number >>= 3)
        {
            field[i] = (byte)('0' + (number & 7));
        }
    }
}

using System.Numerics;
using System.Runtime.Intrinsics;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Finds the bracket that closes a value of a JSON document, and looks at nothing else in it: most of a report is worth no more. It takes 64 bytes at a time, each a bit of a
/// mask: which of them are quotes, which of those are escaped, what then stands within a text, and which brackets do not (the first stage of Langdale and Lemire,
/// "Parsing Gigabytes of JSON per Second"). Of what is no JSON it says something or other, but never more than once, and nothing is read twice.
/// </summary>
internal sealed class BracketSkipper
{
    private const ulong EvenBits = 0x5555_5555_5555_5555;

    private int _depth = 1;
    private bool _isInText;
    private bool _isEscaped;

    /// <summary>Whether there is nothing but space between the brackets, as far as was read.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Whether the closing bracket was found.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Reads on.</summary>
    /// <param name="json">What follows what was read before: at first, what follows the opening bracket.</param>
    /// <returns>How many bytes were read: all, or up to the closing bracket, which is not.</returns>
    public int Read(ReadOnlySpan<byte> json)
    {
        int at = 0;
        if (IsEmpty)
        {
            at = json.IndexOfAnyExcept(" \n\r\t"u8);
            if (at < 0)
            {
                return json.Length;
            }

            IsEmpty = json[at] is (byte)'}' or (byte)']';
        }

        for (; !IsAtEnd && json.Length - at >= 64; at += 64)
        {
            int end = ReadBlock(json.Slice(at, 64));
            if (IsAtEnd)
            {
                return at + end;
            }
        }

        for (; at < json.Length; at++)
        {
            ReadByte(json[at]);
            if (IsAtEnd)
            {
                return at;
            }
        }

        return at;
    }

    private void ReadByte(byte c)
    {
        bool isEscaped = _isEscaped;
        _isEscaped = c == '\\' && !isEscaped;
        if (c == '"')
        {
            _isInText ^= !isEscaped;
        }
        else if (!_isInText && c is (byte)'{' or (byte)'[')
        {
            _depth++;
        }
        else if (!_isInText && c is (byte)'}' or (byte)']')
        {
            IsAtEnd = --_depth == 0;
        }
    }

    /// <returns>Where the closing bracket is, if it is there.</returns>
    private int ReadBlock(ReadOnlySpan<byte> block)
    {
        var first = Vector256.Create(block);
        var second = Vector256.Create(block[32..]);
        ulong quotes = Mask(first, second, '"') & ~Escaped(Mask(first, second, '\\'));
        ulong text = PrefixXor(quotes) ^ (_isInText ? ulong.MaxValue : 0);
        _isInText = text >> 63 != 0;

        // In ASCII one bit is between '[' and '{', and between ']' and '}'.
        var bit = Vector256.Create((byte)0x20);
        (first, second) = (first | bit, second | bit);
        ulong opening = Mask(first, second, '{') & ~text;
        ulong closing = Mask(first, second, '}') & ~text;
        if (BitOperations.PopCount(closing) < _depth)
        {
            _depth += BitOperations.PopCount(opening) - BitOperations.PopCount(closing);
            return 0;
        }

        for (ulong brackets = opening | closing; brackets != 0; brackets &= brackets - 1)
        {
            int place = BitOperations.TrailingZeroCount(brackets);
            _depth += (closing >> place & 1) == 0 ? 1 : -1;
            if (_depth == 0)
            {
                IsAtEnd = true;
                return place;
            }
        }

        return 0;
    }

    /// <summary>Which bytes follow a backslash that is not escaped itself: in a row of them, every second one is.</summary>
    private ulong Escaped(ulong backslashes)
    {
        ulong before = _isEscaped ? 1UL : 0;
        if (backslashes == 0)
        {
            _isEscaped = false;
            return before;
        }

        backslashes &= ~before;
        ulong follows = backslashes << 1 | before;
        ulong oddStarts = backslashes & ~EvenBits & ~follows;
        ulong evenRows = oddStarts + backslashes;
        _isEscaped = evenRows < oddStarts; // carried out of the block
        return (EvenBits ^ (evenRows << 1)) & follows;
    }

    /// <returns>For each bit, whether the number of bits up to it is odd.</returns>
    private static ulong PrefixXor(ulong bits)
    {
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        return bits ^ bits << 32;
    }

    private static ulong Mask(Vector256<byte> first, Vector256<byte> second, char c)
    {
        var wanted = Vector256.Create((byte)c);
        return Vector256.Equals(first, wanted).ExtractMostSignificantBits() | (ulong)Vector256.Equals(second, wanted).ExtractMostSignificantBits() << 32;
    }
}

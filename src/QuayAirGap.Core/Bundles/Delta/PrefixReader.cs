using System.Runtime.CompilerServices;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>Reads one of deflate's prefix codes (RFC 1951, 3.2.2): short codes from a table, the rest bit by bit.</summary>
internal sealed class PrefixReader
{
    private const int MaxLength = 15;
    private const int TableBits = 10;
    private const int MaxSymbols = 288;

    /// <summary>By the next bits: the symbol and, in the low four bits, its code's length; 0 where the code is longer.</summary>
    private readonly int[] _table = new int[1 << TableBits];

    /// <summary>How many codes of each length there are.</summary>
    private readonly int[] _counts = new int[MaxLength + 1];

    /// <summary>The symbols in the order of their codes.</summary>
    private readonly int[] _symbols = new int[MaxSymbols];

    /// <summary>False where there are more codes than their lengths leave room for.</summary>
    public bool TryBuild(ReadOnlySpan<byte> lengths)
    {
        Array.Clear(_counts);
        foreach (byte length in lengths)
        {
            _counts[length]++;
        }

        _counts[0] = 0;
        Span<int> places = stackalloc int[MaxLength + 2];
        Span<int> codes = stackalloc int[MaxLength + 2];
        places.Clear();
        codes.Clear();
        for (int length = 1; length <= MaxLength; length++)
        {
            places[length + 1] = places[length] + _counts[length];
            codes[length + 1] = (codes[length] + _counts[length]) << 1;
            if (codes[length] + _counts[length] > 1 << length)
            {
                return false;
            }
        }

        Array.Clear(_table);
        for (int symbol = 0; symbol < lengths.Length; symbol++)
        {
            int length = lengths[symbol];
            if (length == 0)
            {
                continue;
            }

            _symbols[places[length]++] = symbol;
            int code = codes[length]++;
            if (length <= TableBits)
            {
                for (int i = Reverse(code, length); i < _table.Length; i += 1 << length)
                {
                    _table[i] = (symbol << 4) | length;
                }
            }
        }

        return true;
    }

    /// <param name="bits">The next ones, the first of them lowest.</param>
    /// <returns>The symbol times 16 plus the bits that it takes; -1 where no code begins like this.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(uint bits)
    {
        int entry = _table[bits & ((1 << TableBits) - 1)];
        return entry != 0 ? entry : FindLong(bits);
    }

    private int FindLong(uint bits)
    {
        int code = 0;
        int first = 0;
        int place = 0;
        for (int length = 1; length <= MaxLength; length++, bits >>= 1)
        {
            code |= (int)(bits & 1);
            int count = _counts[length];
            if (code - first < count)
            {
                return (_symbols[place + code - first] << 4) | length;
            }

            place += count;
            first = (first + count) << 1;
            code <<= 1;
        }

        return -1;
    }

    private static int Reverse(int code, int length)
    {
        int turned = 0;
        for (int i = 0; i < length; i++, code >>= 1)
        {
            turned = (turned << 1) | (code & 1);
        }

        return turned;
    }
}

using System.Buffers.Binary;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// Deflate's blocks as classic zlib ends and encodes them (trees.c): up to 16,383 symbols each, stored, with the fixed codes or with codes
/// of their own, whichever is shortest, ties as zlib breaks them.
/// </summary>
internal sealed unsafe class DeflateBlocks(byte* input, Stream output)
{
    private const int MaxSymbols = (1 << 14) - 1;
    private const int EndOfBlock = 256;

    private static readonly byte[] s_lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    private static readonly byte[] s_distanceExtra = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
    private static readonly byte[] s_codeExtra = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];

    /// <summary>The order in which the lengths of the codes for code lengths are sent (RFC 1951, 3.2.7).</summary>
    private static readonly byte[] s_codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private static readonly int[] s_lengthBase = MakeBases(s_lengthExtra);
    private static readonly int[] s_distanceBase = MakeBases(s_distanceExtra);
    private static readonly byte[] s_lengthCode = MakeLengthCodes();
    private static readonly DeflateTree s_fixedLiterals = DeflateTree.Fixed(288, n => n <= 143 ? 8 : n <= 255 ? 9 : n <= 279 ? 7 : 8);
    private static readonly DeflateTree s_fixedDistances = DeflateTree.Fixed(30, _ => 5);

    private readonly DeflateTree _literals = new(286, 15, s_lengthExtra, 257, s_fixedLiterals);
    private readonly DeflateTree _distances = new(30, 15, s_distanceExtra, 0, s_fixedDistances);
    private readonly DeflateTree _codes = new(19, 7, s_codeExtra, 0, null);

    /// <summary>Distance (0: a literal) and literal, or length less three.</summary>
    private readonly (int Distance, int Value)[] _symbols = new (int, int)[MaxSymbols];

    private readonly byte[] _bytes = new byte[1 << 16];
    private int _count;
    private int _blockStart;
    private int _filled;
    private ulong _bits;
    private int _bitCount;

    /// <summary>Whether the block is full.</summary>
    public bool AddLiteral(byte literal)
    {
        _symbols[_count++] = (0, literal);
        _literals.Frequency[literal]++;
        return _count == MaxSymbols;
    }

    /// <summary>Whether the block is full.</summary>
    public bool AddMatch(int distance, int length)
    {
        _symbols[_count++] = (distance, length - 3);
        _literals.Frequency[s_lengthCode[length - 3] + EndOfBlock + 1]++;
        _distances.Frequency[DistanceCode(distance)]++;
        return _count == MaxSymbols;
    }

    /// <summary>Ends the block; the content that it stands for ends before <paramref name="end"/>.</summary>
    public void Flush(int end, bool last)
    {
        _literals.Frequency[EndOfBlock] = 1;
        long own = 0;
        long fixedCodes = 0;
        _literals.Build(ref own, ref fixedCodes);
        _distances.Build(ref own, ref fixedCodes);
        int codes = BuildCodeTree(ref own);
        long ownBytes = (own + 3 + 7) >> 3;
        long fixedBytes = (fixedCodes + 3 + 7) >> 3;
        long shortest = Math.Min(ownBytes, fixedBytes);
        int length = end - _blockStart;
        if (length + 4 <= shortest && length <= ushort.MaxValue)
        {
            WriteBits(last ? 1 : 0, 3);
            WriteStored(length);
        }
        else if (fixedBytes == shortest)
        {
            WriteBits((1 << 1) + (last ? 1 : 0), 3);
            WriteSymbols(s_fixedLiterals, s_fixedDistances);
        }
        else
        {
            WriteBits((2 << 1) + (last ? 1 : 0), 3);
            WriteBits(_literals.MaxCode + 1 - 257, 5);
            WriteBits(_distances.MaxCode + 1 - 1, 5);
            WriteBits(codes + 1 - 4, 4);
            for (int i = 0; i <= codes; i++)
            {
                WriteBits(_codes.Length[s_codeOrder[i]], 3);
            }

            EachRun(_literals, WriteRun);
            EachRun(_distances, WriteRun);
            WriteSymbols(_literals, _distances);
        }

        _literals.Clear();
        _distances.Clear();
        _codes.Clear();
        _count = 0;
        _blockStart = end;
        if (last)
        {
            AlignToByte();
            output.Write(_bytes, 0, _filled);
            _filled = 0;
        }
    }

    private static int DistanceCode(int distance)
    {
        int value = distance - 1;
        if (value < 4)
        {
            return value;
        }

        int log = System.Numerics.BitOperations.Log2((uint)value);
        return (2 * log) + ((value >> (log - 1)) & 1);
    }

    private static int[] MakeBases(byte[] extra)
    {
        int[] bases = new int[extra.Length];
        for (int i = 1; i < extra.Length; i++)
        {
            bases[i] = bases[i - 1] + (1 << extra[i - 1]);
        }

        return bases;
    }

    /// <summary>By length less three. 258 has a code of its own beside that of its range.</summary>
    private static byte[] MakeLengthCodes()
    {
        byte[] codes = new byte[256];
        for (int code = 0; code < 28; code++)
        {
            codes.AsSpan(s_lengthBase[code], Math.Min(1 << s_lengthExtra[code], 256 - s_lengthBase[code])).Fill((byte)code);
        }

        codes[255] = 28;
        return codes;
    }

    /// <summary>The tree of the codes in which the other two trees are sent; the index of the last that is sent.</summary>
    private int BuildCodeTree(ref long bits)
    {
        EachRun(_literals, (code, _, _) => _codes.Frequency[code]++);
        EachRun(_distances, (code, _, _) => _codes.Frequency[code]++);
        long ignored = 0;
        _codes.Build(ref bits, ref ignored);
        int last = s_codeOrder.Length - 1;
        while (last >= 3 && _codes.Length[s_codeOrder[last]] == 0)
        {
            last--;
        }

        bits += (3 * (last + 1)) + 5 + 5 + 4;
        return last;
    }

    /// <summary>Code lengths as runs (trees.c, scan_tree): the code, its extra bits and how many.</summary>
    private static void EachRun(DeflateTree tree, Action<int, int, int> run)
    {
        int previous = -1;
        int next = tree.Length[0];
        int count = 0;
        (int longest, int shortest) = next == 0 ? (138, 3) : (7, 4);
        for (int n = 0; n <= tree.MaxCode; n++)
        {
            int current = next;
            next = n < tree.MaxCode ? tree.Length[n + 1] : -1;
            if (++count < longest && current == next)
            {
                continue;
            }

            if (count < shortest)
            {
                for (int i = 0; i < count; i++)
                {
                    run(current, 0, 0);
                }
            }
            else if (current != 0)
            {
                if (current != previous)
                {
                    run(current, 0, 0);
                    count--;
                }

                run(16, count - 3, 2);
            }
            else if (count <= 10)
            {
                run(17, count - 3, 3);
            }
            else
            {
                run(18, count - 11, 7);
            }

            count = 0;
            previous = current;
            (longest, shortest) = next == 0 ? (138, 3) : current == next ? (6, 3) : (7, 4);
        }
    }

    private void WriteRun(int code, int value, int bits)
    {
        WriteBits(_codes.Code[code], _codes.Length[code]);
        if (bits > 0)
        {
            WriteBits(value, bits);
        }
    }

    private void WriteSymbols(DeflateTree literals, DeflateTree distances)
    {
        foreach ((int distance, int value) in _symbols.AsSpan(0, _count))
        {
            if (distance == 0)
            {
                WriteBits(literals.Code[value], literals.Length[value]);
                continue;
            }

            int lengthCode = s_lengthCode[value];
            int symbol = lengthCode + EndOfBlock + 1;
            WriteBits(literals.Code[symbol], literals.Length[symbol]);
            if (s_lengthExtra[lengthCode] is > 0 and var extra)
            {
                WriteBits(value - s_lengthBase[lengthCode], extra);
            }

            int distanceCode = DistanceCode(distance);
            WriteBits(distances.Code[distanceCode], distances.Length[distanceCode]);
            WriteBits(distance - 1 - s_distanceBase[distanceCode], s_distanceExtra[distanceCode]);
        }

        WriteBits(literals.Code[EndOfBlock], literals.Length[EndOfBlock]);
    }

    private void WriteStored(int length)
    {
        AlignToByte();
        WriteBits(length, 16);
        WriteBits(~length & 0xFFFF, 16);
        AlignToByte();
        output.Write(_bytes, 0, _filled);
        _filled = 0;
        output.Write(new ReadOnlySpan<byte>(input + _blockStart, length));
    }

    private void WriteBits(int value, int count)
    {
        _bits |= (ulong)(uint)value << _bitCount;
        _bitCount += count;
        if (_bitCount >= 32)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(_filled), (uint)_bits);
            _filled += 4;
            _bits >>= 32;
            _bitCount -= 32;
            if (_filled > _bytes.Length - 16)
            {
                output.Write(_bytes, 0, _filled);
                _filled = 0;
            }
        }
    }

    private void AlignToByte()
    {
        for (; _bitCount > 0; _bitCount -= 8, _bits >>= 8)
        {
            _bytes[_filled++] = (byte)_bits;
        }

        _bits = 0;
        _bitCount = 0;
    }
}

using System.Buffers.Binary;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// Deflate's blocks as classic zlib ends and encodes them (trees.c): up to 16,383 symbols each, stored, with the fixed codes or with codes
/// of their own, whichever is shortest, ties as zlib breaks them.
/// </summary>
internal sealed unsafe class DeflateBlocks(byte* input, Stream output)
{
    private const int MaxSymbols = (1 << 14) - 1;
    private const int EndOfBlock = DeflateCodes.EndOfBlock;
    private const int FirstLength = EndOfBlock + 1;

    /// <summary>What a write takes at once, a few bytes more than a symbol has.</summary>
    private const int Spare = 16;

    private static readonly byte[] s_lengthCode = MakeLengthCodes();
    private static readonly DeflateTree s_fixedLiterals = DeflateTree.Fixed(288, n => n <= 143 ? 8 : n <= 255 ? 9 : n <= 279 ? 7 : 8);
    private static readonly DeflateTree s_fixedDistances = DeflateTree.Fixed(30, _ => 5);

    private readonly DeflateTree _literals = new(286, 15, DeflateCodes.LengthExtra.ToArray(), FirstLength, s_fixedLiterals);
    private readonly DeflateTree _distances = new(30, 15, DeflateCodes.DistanceExtra.ToArray(), 0, s_fixedDistances);
    private readonly DeflateTree _codes = new(19, 7, DeflateCodes.CodeExtra.ToArray(), 0, null);

    /// <summary>Distance (0: a literal), and in the low byte the literal, or the length less three.</summary>
    private readonly int[] _symbols = new int[MaxSymbols];

    /// <summary>Of each length less three: its code with its extra bits behind it, and how many bits that is.</summary>
    private readonly (uint Bits, int Count)[] _lengths = new (uint, int)[256];

    private readonly byte[] _bytes = new byte[1 << 16];
    private int _count;
    private int _blockStart;
    private int _filled;
    private ulong _bits;
    private int _bitCount;

    /// <summary>Whether the block is full.</summary>
    public bool AddLiteral(byte literal)
    {
        _symbols[_count++] = literal;
        _literals.Frequency[literal]++;
        return _count == MaxSymbols;
    }

    /// <summary>Whether the block is full.</summary>
    public bool AddMatch(int distance, int length)
    {
        _symbols[_count++] = (distance << 8) | (length - DeflateCodes.MinMatch);
        _literals.Frequency[s_lengthCode[length - DeflateCodes.MinMatch] + FirstLength]++;
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
                WriteBits(_codes.Length[DeflateCodes.CodeOrder[i]], 3);
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

    /// <summary>By length less three. 258 has a code of its own beside that of its range.</summary>
    private static byte[] MakeLengthCodes()
    {
        byte[] codes = new byte[256];
        for (int code = 0; code < 28; code++)
        {
            codes.AsSpan(DeflateCodes.LengthBase[code], 1 << DeflateCodes.LengthExtra[code]).Fill((byte)code);
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
        int last = DeflateCodes.CodeOrder.Length - 1;
        while (last >= 3 && _codes.Length[DeflateCodes.CodeOrder[last]] == 0)
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

    /// <summary>Most of the time goes by here: a match is put together before it is written, and what is written are eight bytes at a time.</summary>
    private void WriteSymbols(DeflateTree literals, DeflateTree distances)
    {
        for (int value = 0; value < _lengths.Length; value++)
        {
            int code = s_lengthCode[value];
            int length = literals.Length[code + FirstLength];
            _lengths[value] = (
                (uint)(literals.Code[code + FirstLength] | ((value - DeflateCodes.LengthBase[code]) << length)), length + DeflateCodes.LengthExtra[code]);
        }

        ulong bits = _bits;
        int count = _bitCount;
        fixed (byte* bytes = _bytes)
        {
            foreach (int symbol in _symbols.AsSpan(0, _count))
            {
                int value = symbol & 0xFF;
                int distance = symbol >> 8;
                if (distance == 0)
                {
                    bits |= (ulong)(uint)literals.Code[value] << count;
                    count += literals.Length[value];
                }
                else
                {
                    (uint lengthBits, int lengthCount) = _lengths[value];
                    bits |= (ulong)lengthBits << count;
                    count += lengthCount;
                    int code = DistanceCode(distance);
                    bits |= (ulong)(uint)distances.Code[code] << count;
                    count += distances.Length[code];
                    bits |= (ulong)(uint)(distance - 1 - DeflateCodes.DistanceBase[code]) << count;
                    count += DeflateCodes.DistanceExtra[code];
                }

                BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(bytes + _filled, sizeof(ulong)), bits);
                _filled += count >> 3;
                bits >>= count & ~7;
                count &= 7;
                if (_filled > _bytes.Length - Spare)
                {
                    output.Write(_bytes, 0, _filled);
                    _filled = 0;
                }
            }
        }

        _bits = bits;
        _bitCount = count;
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

    /// <summary>Less than a byte of it stays behind.</summary>
    private void WriteBits(int value, int count)
    {
        _bits |= (ulong)(uint)value << _bitCount;
        _bitCount += count;
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_filled), _bits);
        _filled += _bitCount >> 3;
        _bits >>= _bitCount & ~7;
        _bitCount &= 7;
        if (_filled > _bytes.Length - Spare)
        {
            output.Write(_bytes, 0, _filled);
            _filled = 0;
        }
    }

    private void AlignToByte() => WriteBits(0, -_bitCount & 7);
}

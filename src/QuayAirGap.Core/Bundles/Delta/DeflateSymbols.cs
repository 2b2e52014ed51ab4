using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// What a deflate stream (RFC 1951) says, symbol by symbol, without making its content of it. It ends early where the stream is damaged, and
/// at a stored block, in which nothing tells what its maker saw.
/// </summary>
/// <param name="packed">Where the stream begins; what follows it is not read.</param>
/// <param name="length">Bytes up to which it may reach.</param>
internal sealed unsafe class DeflateSymbols(byte* packed, long length)
{
    private const int EndOfBlock = DeflateCodes.EndOfBlock;
    private const int LiteralCodes = 288;
    private const int DistanceCodes = 32;

    private readonly byte* _end = packed + length;
    private readonly PrefixReader _literals = new();
    private readonly PrefixReader _distances = new();
    private readonly PrefixReader _codes = new();
    private byte* _next = packed;
    private ulong _bits;
    private int _count;
    private bool _inBlock;
    private bool _last;
    private bool _ended;

    /// <summary>Bytes of content that the symbols so far stand for.</summary>
    public long Position { get; private set; }

    /// <summary>The last symbol was a match, or none was read yet.</summary>
    public bool IsAfterMatch { get; private set; } = true;

    /// <summary>Takes one symbol.</summary>
    /// <param name="distance">How far back a match begins; 0 for a literal.</param>
    /// <param name="span">Bytes that the symbol stands for: 1 for a literal.</param>
    /// <returns>False at the end.</returns>
    public bool TryRead(out int distance, out int span)
    {
        distance = 0;
        span = 1;
        for (; ; )
        {
            if (_ended || (!_inBlock && (_last || !TryBegin())))
            {
                _ended = true;
                return false;
            }

            Refill();
            int symbol = Take(_literals);
            if ((uint)symbol < EndOfBlock)
            {
                IsAfterMatch = false;
                Position++;
                return true;
            }

            if (symbol == EndOfBlock)
            {
                _inBlock = false;
                continue;
            }

            int lengthCode = symbol - EndOfBlock - 1;
            if ((uint)lengthCode >= (uint)DeflateCodes.LengthBase.Length)
            {
                _ended = true;
                return false;
            }

            // A symbol takes 48 bits at the most: one refill does for all of it.
            span = DeflateCodes.MinMatch + DeflateCodes.LengthBase[lengthCode] + Take(DeflateCodes.LengthExtra[lengthCode]);
            int distanceCode = Take(_distances);
            if ((uint)distanceCode >= (uint)DeflateCodes.DistanceBase.Length)
            {
                _ended = true;
                return false;
            }

            distance = 1 + DeflateCodes.DistanceBase[distanceCode] + Take(DeflateCodes.DistanceExtra[distanceCode]);
            IsAfterMatch = true;
            Position += span;
            return true;
        }
    }

    private bool TryBegin()
    {
        Refill();
        _last = Take(1) == 1;
        switch (Take(2))
        {
            case 1:
                Span<byte> literals = stackalloc byte[LiteralCodes];
                literals.Fill(8);
                literals[144..256].Fill(9);
                literals[256..280].Fill(7);
                Span<byte> distances = stackalloc byte[DistanceCodes];
                distances.Fill(5);
                _inBlock = _literals.TryBuild(literals) && _distances.TryBuild(distances);
                return _inBlock;
            case 2:
                _inBlock = TryReadCodes();
                return _inBlock;
            default:
                return false;
        }
    }

    private bool TryReadCodes()
    {
        int literals = Take(5) + 257;
        int distances = Take(5) + 1;
        int codes = Take(4) + 4;
        Span<byte> lengths = stackalloc byte[LiteralCodes + DistanceCodes];
        lengths.Clear();
        for (int i = 0; i < codes; i++)
        {
            Refill();
            lengths[DeflateCodes.CodeOrder[i]] = (byte)Take(3);
        }

        if (!_codes.TryBuild(lengths[..DeflateCodes.CodeOrder.Length]))
        {
            return false;
        }

        int total = literals + distances;
        if (total > lengths.Length)
        {
            return false;
        }

        lengths.Clear();
        for (int i = 0; i < total;)
        {
            Refill();
            int code = Take(_codes);
            if ((uint)code < 16)
            {
                lengths[i++] = (byte)code;
                continue;
            }

            (byte value, int count) = code switch
            {
                16 => (i > 0 ? lengths[i - 1] : (byte)0, 3 + Take(2)),
                17 => ((byte)0, 3 + Take(3)),
                18 => ((byte)0, 11 + Take(7)),
                _ => ((byte)0, int.MaxValue),
            };
            if (count > total - i)
            {
                return false;
            }

            lengths.Slice(i, count).Fill(value);
            i += count;
        }

        return _literals.TryBuild(lengths[..literals]) && _distances.TryBuild(lengths[literals..total]);
    }

    /// <summary>Makes at least 56 bits ready; behind the end there are zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Refill()
    {
        if (_end - _next >= sizeof(ulong))
        {
            _bits |= BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(_next, sizeof(ulong))) << _count;
            _next += (63 - _count) >> 3;
            _count |= 56;
            return;
        }

        RefillAtEnd();
    }

    private void RefillAtEnd()
    {
        while (_count < 56)
        {
            if (_next < _end)
            {
                _bits |= (ulong)*_next++ << _count;
            }

            _count += 8;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Take(int count)
    {
        int value = (int)(_bits & ((1UL << count) - 1));
        _bits >>= count;
        _count -= count;
        return value;
    }

    /// <summary>A symbol of a prefix code; -1 where the bits are none of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Take(PrefixReader code)
    {
        int entry = code.Find((uint)_bits);
        int taken = entry & 15;
        _bits >>= taken;
        _count -= taken;
        return entry < 0 ? -1 : entry >> 4;
    }
}

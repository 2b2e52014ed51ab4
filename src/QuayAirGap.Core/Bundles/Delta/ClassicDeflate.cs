namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// Deflate (RFC 1951) with the choices that classic zlib makes at memory level 8, so that what was packed with it packs to the same bytes
/// again: upstream gzip files are restored from their content. .NET's own deflate chooses otherwise. Only the levels that upstreams use.
/// </summary>
internal sealed unsafe class ClassicDeflate
{
    private const int WindowSize = 1 << 15;
    private const int WindowMask = WindowSize - 1;
    private const int HashMask = (1 << 15) - 1;
    private const int HashShift = 5;
    private const int MinMatch = 3;
    private const int MaxMatch = 258;

    /// <summary>zlib keeps room for one longest match and the next three bytes.</summary>
    private const int MaxDistance = WindowSize - (MaxMatch + MinMatch + 1);

    /// <summary>A match of three bytes further away than this costs more than three literals.</summary>
    private const int TooFar = 4096;

    /// <summary>How often a caller may ask to stop: every so many bytes.</summary>
    private const int CheckEvery = 1 << 20;

    private readonly byte* _input;
    private readonly int _length;
    private readonly Level _level;
    private readonly DeflateBlocks _blocks;

    /// <summary>The newest position of each hash; 0 is none, as in zlib: the very first byte is never referred to.</summary>
    private readonly int[] _head = new int[HashMask + 1];

    /// <summary>For each position within the window the one before it with the same hash.</summary>
    private readonly int[] _previous = new int[WindowSize];

    private int _matchStart;

    private ClassicDeflate(byte* input, int length, Level level, Stream output)
    {
        _input = input;
        _length = length;
        _level = level;
        _blocks = new DeflateBlocks(input, output);
    }

    /// <summary>The levels whose choices are known here.</summary>
    public static bool IsKnown(int level) => level is 6 or 9;

    /// <summary>Writes the deflate stream of the content.</summary>
    /// <exception cref="InvalidDataException">The level is none of the known ones.</exception>
    public static void Pack(ReadOnlySpan<byte> content, int level, Stream output, CancellationToken cancellationToken)
    {
        Level known = level switch
        {
            // deflate.c, configuration_table: good, lazy, nice, chain.
            6 => new Level(8, 16, 128, 128),
            9 => new Level(32, 258, 258, 4096),
            _ => throw new InvalidDataException($"level {level} is not one that can be packed again"),
        };
        fixed (byte* input = content)
        {
            new ClassicDeflate(input, content.Length, known, output).Run(cancellationToken);
        }
    }

    /// <summary>Lazy evaluation: a match is taken only when the one a byte later is not longer (deflate.c, deflate_slow).</summary>
    private void Run(CancellationToken cancellationToken)
    {
        int at = 0;
        int matchLength = MinMatch - 1;
        bool pending = false;
        int nextCheck = 0;
        while (at < _length)
        {
            if (at >= nextCheck)
            {
                cancellationToken.ThrowIfCancellationRequested();
                nextCheck = at + CheckEvery;
            }

            int left = _length - at;
            int candidate = left >= MinMatch ? Insert(at) : 0;
            int previousLength = matchLength;
            int previousMatch = _matchStart;
            matchLength = MinMatch - 1;
            if (candidate != 0 && previousLength < _level.Lazy && at - candidate <= MaxDistance)
            {
                matchLength = LongestMatch(at, left, candidate, previousLength);
                if (matchLength == MinMatch && at - _matchStart > TooFar)
                {
                    matchLength = MinMatch - 1;
                }
            }

            if (previousLength >= MinMatch && matchLength <= previousLength)
            {
                bool full = _blocks.AddMatch(at - 1 - previousMatch, previousLength);
                int lastInsert = _length - MinMatch;
                for (int i = 0; i < previousLength - 2; i++)
                {
                    if (++at <= lastInsert)
                    {
                        _ = Insert(at);
                    }
                }

                at++;
                pending = false;
                matchLength = MinMatch - 1;
                if (full)
                {
                    _blocks.Flush(at, last: false);
                }
            }
            else
            {
                if (pending && _blocks.AddLiteral(_input[at - 1]))
                {
                    _blocks.Flush(at, last: false);
                }

                pending = true;
                at++;
            }
        }

        if (pending)
        {
            _ = _blocks.AddLiteral(_input[at - 1]);
        }

        _blocks.Flush(at, last: true);
    }

    private int Insert(int at)
    {
        int hash = ((_input[at] << (2 * HashShift)) ^ (_input[at + 1] << HashShift) ^ _input[at + 2]) & HashMask;
        int before = _head[hash];
        _previous[at & WindowMask] = before;
        _head[hash] = at;
        return before;
    }

    /// <summary>deflate.c, longest_match. Sets where the match begins where it finds a longer one than there was.</summary>
    private int LongestMatch(int at, int left, int candidate, int previousLength)
    {
        int best = previousLength;
        if (best >= left)
        {
            return left; // the one before reaches the end already
        }

        int chain = previousLength >= _level.Good ? _level.Chain >> 2 : _level.Chain;
        int nice = Math.Min(_level.Nice, left);
        int limit = Math.Max(0, at - MaxDistance);
        int longest = Math.Min(MaxMatch, left);
        byte* scan = _input + at;
        do
        {
            byte* match = _input + candidate;
            if (match[best] != scan[best] || match[best - 1] != scan[best - 1] || match[0] != scan[0] || match[1] != scan[1])
            {
                continue;
            }

            int length = MinMatch;
            while (length + sizeof(ulong) <= longest && *(ulong*)(match + length) == *(ulong*)(scan + length))
            {
                length += sizeof(ulong);
            }

            while (length < longest && match[length] == scan[length])
            {
                length++;
            }

            if (length > best)
            {
                _matchStart = candidate;
                best = length;
                if (length >= nice)
                {
                    break;
                }
            }
        }
        while ((candidate = _previous[candidate & WindowMask]) > limit && --chain != 0);
        return best;
    }

    /// <summary>How hard a level tries.</summary>
    /// <param name="Good">From a match of this length on the search is a quarter as long.</param>
    /// <param name="Lazy">From this length on nothing better is looked for.</param>
    /// <param name="Nice">This length ends a search.</param>
    /// <param name="Chain">Candidates that are looked at.</param>
    private sealed record Level(int Good, int Lazy, int Nice, int Chain);
}

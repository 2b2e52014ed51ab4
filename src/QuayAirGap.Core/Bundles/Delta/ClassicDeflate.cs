using System.Numerics;

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

    /// <summary>A choice rests on no byte further ahead than this.</summary>
    private const int Ahead = MaxMatch + MinMatch + 1;

    /// <summary>Shorter stretches in common save nothing: a window of each is searched all the same.</summary>
    private const int ShortestRun = WindowSize + (WindowSize / 4);

    private readonly byte* _input;
    private readonly int _length;
    private readonly Level _level;
    private readonly DeflateBlocks _blocks;
    private readonly CancellationToken _cancellationToken;

    /// <summary>The newest position of each hash; 0 is none, as in zlib: the very first byte is never referred to.</summary>
    private readonly int* _head;

    /// <summary>For each position within the window the one before it with the same hash.</summary>
    private readonly int* _previous;

    /// <summary>The choices that were made for the older content, and what of it comes again.</summary>
    private readonly DeflateSymbols? _older;
    private readonly List<CommonRun> _runs;
    private int _run = -1;

    /// <summary>From where on the older choices may hold again.</summary>
    private int _followFrom = int.MaxValue;

    private int _matchStart;
    private int _nextCheck;

    private ClassicDeflate(
        byte* input, int length, int* head, int* previous, Level level, Stream output, DeflateSymbols? older, List<CommonRun> runs, CancellationToken cancellationToken)
    {
        _input = input;
        _length = length;
        _head = head;
        _previous = previous;
        _level = level;
        _blocks = new DeflateBlocks(input, output);
        _older = older;
        _runs = runs;
        _cancellationToken = cancellationToken;
    }

    /// <summary>The levels whose choices are known here.</summary>
    public static bool IsKnown(int level) => level is 6 or 9;

    /// <summary>Writes the deflate stream of the content.</summary>
    /// <exception cref="InvalidDataException">The level is none of the known ones.</exception>
    public static void Pack(ReadOnlySpan<byte> content, int level, Stream output, CancellationToken cancellationToken) =>
        Pack(content, level, default, default, output, cancellationToken);

    /// <summary>
    /// As <see cref="Pack(ReadOnlySpan{byte}, int, Stream, CancellationToken)"/>, and much faster where an older content was packed in the same way and is much
    /// the same: within a stretch that both have in common, from one window's length on, the choices can only be those that were made then, and
    /// are read out of the older stream. Where that was packed in another way, the outcome is another too: callers compare it, and do without.
    /// </summary>
    /// <param name="olderContent">The older content; none to do without it.</param>
    /// <param name="older">Its deflate stream; bytes may follow it.</param>
    /// <exception cref="InvalidDataException">The level is none of the known ones.</exception>
    public static void Pack(
        ReadOnlySpan<byte> content, int level, ReadOnlySpan<byte> olderContent, ReadOnlySpan<byte> older, Stream output, CancellationToken cancellationToken)
    {
        Level known = level switch
        {
            // deflate.c, configuration_table: good, lazy, nice, chain.
            6 => new Level(8, 16, 128, 128),
            9 => new Level(32, 258, 258, 4096),
            _ => throw new InvalidDataException($"level {level} is not one that can be packed again"),
        };
        List<CommonRun> runs = CommonRuns.Find(olderContent, content, ShortestRun, cancellationToken);
        fixed (byte* input = content, stream = older)
        fixed (int* head = new int[HashMask + 1], previous = new int[WindowSize])
        {
            DeflateSymbols? symbols = runs.Count > 0 ? new DeflateSymbols(stream, older.Length) : null;
            new ClassicDeflate(input, content.Length, head, previous, known, output, symbols, runs, cancellationToken).Run();
        }
    }

    /// <summary>Lazy evaluation: a match is taken only when the one a byte later is not longer (deflate.c, deflate_slow).</summary>
    private void Run()
    {
        int at = 0;
        int matchLength = MinMatch - 1;
        bool pending = false;
        NextRun(0);
        while (at < _length)
        {
            ThrowIfCancelled(at);
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

                // Behind a match nothing of what was seen before it weighs in: as good a place as the beginning.
                if (at >= _followFrom)
                {
                    at = Follow(at);
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

    private void ThrowIfCancelled(int at)
    {
        if (at >= _nextCheck)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            _nextCheck = at + CheckEvery;
        }
    }

    /// <summary>
    /// Takes over the choices that were made for the older content, where these began at the same place: a search sees one window back and
    /// <see cref="Ahead"/> bytes ahead, and both are the same here as there.
    /// </summary>
    /// <param name="at">Behind a match, a window's length within a stretch that both have in common.</param>
    /// <returns>Behind the last match that was taken over; everything before it is as if it had been searched.</returns>
    private int Follow(int at)
    {
        CommonRun run = _runs[_run];
        int stop = run.End - Ahead;
        if (at >= stop)
        {
            NextRun(at);
            return at;
        }

        long shift = (long)run.Old - run.New;
        while (_older!.Position < at + shift)
        {
            if (!_older.TryRead(out _, out _))
            {
                _followFrom = int.MaxValue;
                return at;
            }
        }

        if (_older.Position != at + shift || !_older.IsAfterMatch)
        {
            return at; // not yet in step: at the next match, perhaps
        }

        int done = at;
        int next = at;
        while (_older.TryRead(out int distance, out int length) && (next += length) <= stop)
        {
            if (distance == 0)
            {
                continue; // it counts when the match behind it does
            }

            ThrowIfCancelled(next);
            for (; done < next - length; done++)
            {
                if (_blocks.AddLiteral(_input[done]))
                {
                    _blocks.Flush(done + 1, last: false);
                }
            }

            done = next;
            if (_blocks.AddMatch(distance, length))
            {
                _blocks.Flush(done, last: false);
            }
        }

        for (int i = Math.Max(at, done - WindowSize); i < done; i++)
        {
            _ = Insert(i);
        }

        NextRun(done);
        return done;
    }

    /// <summary>The next stretch that leaves something to follow.</summary>
    private void NextRun(int at)
    {
        while (++_run < _runs.Count && _runs[_run].End - Ahead <= at)
        {
        }

        _followFrom = _run < _runs.Count ? _runs[_run].New + WindowSize : int.MaxValue;
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
        ushort scanStart = *(ushort*)scan;
        ushort scanEnd = *(ushort*)(scan + best - 1);
        do
        {
            byte* match = _input + candidate;
            if (*(ushort*)(match + best - 1) != scanEnd || *(ushort*)match != scanStart)
            {
                continue;
            }

            int length = CommonLength(match, scan, longest);
            if (length > best)
            {
                _matchStart = candidate;
                best = length;
                if (length >= nice)
                {
                    break;
                }

                scanEnd = *(ushort*)(scan + best - 1);
            }
        }
        while ((candidate = _previous[candidate & WindowMask]) > limit && --chain != 0);
        return best;
    }

    /// <summary>Up to a longest; the first three have one hash and two bytes in common, and so all three.</summary>
    private static int CommonLength(byte* match, byte* scan, int longest)
    {
        int length = MinMatch;
        for (; length + sizeof(ulong) <= longest; length += sizeof(ulong))
        {
            ulong other = *(ulong*)(match + length) ^ *(ulong*)(scan + length);
            if (other != 0)
            {
                return length + ((BitConverter.IsLittleEndian ? BitOperations.TrailingZeroCount(other) : BitOperations.LeadingZeroCount(other)) / 8);
            }
        }

        while (length < longest && match[length] == scan[length])
        {
            length++;
        }

        return length;
    }

    /// <summary>How hard a level tries.</summary>
    /// <param name="Good">From a match of this length on the search is a quarter as long.</param>
    /// <param name="Lazy">From this length on nothing better is looked for.</param>
    /// <param name="Nice">This length ends a search.</param>
    /// <param name="Chain">Candidates that are looked at.</param>
    private sealed record Level(int Good, int Lazy, int Nice, int Chain);
}

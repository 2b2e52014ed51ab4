using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>Bytes that two contents have in common, one after the other.</summary>
/// <param name="Old">Where they begin in the older content.</param>
/// <param name="New">Where they begin in the newer one.</param>
/// <param name="Length">How many they are.</param>
internal readonly record struct CommonRun(int Old, int New, int Length)
{
    /// <summary>Where they end in the newer content.</summary>
    public int End => New + Length;
}

/// <summary>
/// The long stretches that a content shares with an older one, in the order of both. What was moved to an earlier place is not found, and
/// stretches shorter than asked for are not either: whoever uses this must be right without them.
/// </summary>
internal static unsafe class CommonRuns
{
    /// <summary>A stretch is recognised by the bytes at every so many of the older content: the table stays small, and the shortest one has several.</summary>
    private const int Stride = 1 << 11;

    /// <summary>How many bytes it is recognised by.</summary>
    private const int Mark = 4 * sizeof(ulong);

    /// <param name="shortest">Bytes; several times <see cref="Stride"/>.</param>
    public static List<CommonRun> Find(ReadOnlySpan<byte> old, ReadOnlySpan<byte> content, int shortest, CancellationToken cancellationToken)
    {
        var runs = new List<CommonRun>();
        fixed (byte* oldStart = old, start = content)
        {
            int bits = Math.Max(4, BitOperations.Log2((uint)(old.Length / Stride) + 1) + 3);
            int[] places = MarksOf(oldStart, old.Length, bits);
            int at = 0;
            int oldFrom = 0;
            int from = 0;
            while (Next(places, bits, oldStart, oldFrom, start, content.Length, ref at, out int oldAt))
            {
                cancellationToken.ThrowIfCancellationRequested();
                int before = CommonBefore(old[oldFrom..oldAt], content[from..at]);
                int after = old[oldAt..].CommonPrefixLength(content[at..]);
                if (before + after >= shortest)
                {
                    runs.Add(new CommonRun(oldAt - before, at - before, before + after));
                    from = at + after;
                    oldFrom = oldAt + after;
                }

                at += after;
            }
        }

        return runs;
    }

    private static int CommonBefore(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        int most = Math.Min(one.Length, other.Length);
        int count = 0;
        while (count < most && one[^(count + 1)] == other[^(count + 1)])
        {
            count++;
        }

        return count;
    }

    private static int[] MarksOf(byte* old, int length, int bits)
    {
        int[] places = new int[1 << bits];
        Array.Fill(places, -1);
        for (int at = 0; at <= length - Mark; at += Stride)
        {
            // The first of several that look alike: one further on would keep all between from being found.
            ref int place = ref places[Hash(old + at, bits)];
            place = place < 0 ? at : place;
        }

        return places;
    }

    /// <summary>The next place in the content that looks like one of the older content's marks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Next(int[] places, int bits, byte* old, int oldFrom, byte* content, int length, ref int at, out int oldAt)
    {
        for (int i = at; i <= length - Mark; i++)
        {
            int place = places[Hash(content + i, bits)];
            if (place >= oldFrom && new ReadOnlySpan<byte>(old + place, Mark).SequenceEqual(new ReadOnlySpan<byte>(content + i, Mark)))
            {
                at = i;
                oldAt = place;
                return true;
            }
        }

        oldAt = 0;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Hash(byte* at, int bits)
    {
        ulong* words = (ulong*)at;
        ulong sum = (words[0] * 0x9E3779B97F4A7C15) ^ (words[1] * 0xC2B2AE3D27D4EB4F) ^ (words[2] * 0x165667B19E3779F9) ^ (words[3] * 0xD6E8FEB86659FD93);
        return (int)((sum ^ (sum >> 29)) * 0x9E3779B97F4A7C15 >> (64 - bits));
    }
}

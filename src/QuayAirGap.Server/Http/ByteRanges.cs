using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace QuayAirGap.Server.Http;

/// <summary>A part of a body. <paramref name="Count"/> is at least 1.</summary>
internal readonly record struct ByteRange(long Offset, long Count)
{
    public string ContentRange(long length) => $"bytes {Offset}-{Offset + Count - 1}/{length}";
}

/// <summary>The Range header (RFC 9110, section 14).</summary>
internal static class ByteRanges
{
    /// <summary>More parts than any honest client asks for: what is above is answered with the whole (section 14.2 allows it).</summary>
    private const int MostParts = 16;

    /// <summary>The parts to send in the order asked for; null to send the whole; empty when none can be had (416).</summary>
    public static IReadOnlyList<ByteRange>? Select(StringValues header, long length)
    {
        if (header.Count != 1 || length == 0
            || !RangeHeaderValue.TryParse(header.ToString(), out RangeHeaderValue? range)
            || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            || range.Ranges.Count > MostParts)
        {
            return null;
        }

        List<ByteRange> parts = [.. range.Ranges.Select(r => Resolve(r, length)).OfType<ByteRange>()];

        // Overlapping parts would send more than the whole has.
        return parts.Sum(p => p.Count) > length ? null : parts;
    }

    private static ByteRange? Resolve(RangeItemHeaderValue range, long length)
    {
        if (range.From is not { } from)
        {
            long suffix = Math.Min(range.To ?? 0, length);
            return suffix > 0 ? new ByteRange(length - suffix, suffix) : null;
        }

        return from < length ? new ByteRange(from, Math.Min(range.To ?? long.MaxValue, length - 1) - from + 1) : null;
    }
}

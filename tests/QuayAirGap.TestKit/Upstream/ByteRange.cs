using System.Globalization;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>A single byte range (RFC 9110, 14.1.2). Several ranges are not understood, which a server may answer with everything.</summary>
internal readonly struct ByteRange
{
    private readonly long? _first;
    private readonly long? _last;

    private ByteRange(long? first, long? last)
    {
        _first = first;
        _last = last;
    }

    public static bool TryParse(string header, out ByteRange range)
    {
        range = default;
        if (!header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase) || header[6..].Trim().Split('-') is not [var from, var to]
            || !TryNumber(from, out var first) || !TryNumber(to, out var last) || (first is null && last is null) || last < first)
        {
            return false;
        }

        range = new ByteRange(first, last);
        return true;
    }

    public bool TryResolve(long total, out long offset, out long length)
    {
        offset = _first ?? Math.Max(0, total - _last!.Value);
        var end = _first is null ? total : Math.Min(total, (_last ?? (total - 1)) + 1);
        length = end - offset;
        return length > 0;
    }

    private static bool TryNumber(string text, out long? number)
    {
        number = null;
        if (text.Length == 0)
        {
            return true;
        }

        var parsed = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        number = value;
        return parsed;
    }
}

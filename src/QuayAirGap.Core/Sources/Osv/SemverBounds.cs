using System.Globalization;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>
/// Clair keeps the numbers of a semantic version in 32 bits, larger ones come out negative. It drops a range that so ends before it
/// begins, except where no usable "introduced" came first: that one it hands to PostgreSQL, which refuses it
/// (claircore: version.go, FromSemver; updater/osv/osv.go).
/// </summary>
internal static class SemverBounds
{
    public static bool AreReversed(OsvRange range)
    {
        bool begun = false;
        foreach (OsvEvent step in range.Events)
        {
            if (step.Introduced.Length > 0)
            {
                begun = step.Introduced == "0" || TryParse(step.Introduced, out _);
            }
            else if (step.Fixed.Length > 0)
            {
                if (!begun && TryParse(step.Fixed, out (int, int, int) end) && end.CompareTo((0, 0, 0)) < 0)
                {
                    return true;
                }
            }
            else if (step.LastAffected.Length > 0 && !begun && TryParse(step.LastAffected, out (int Major, int Minor, int Patch) last)
                && (last.CompareTo((0, 0, 0)) < 0 || (last.Major, last.Minor, unchecked(last.Patch + 1)).CompareTo((0, 0, 0)) < 0))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Major, minor and patch, with an optional v before them and anything that begins with a hyphen or plus after them.</summary>
    private static bool TryParse(string text, out (int Major, int Minor, int Patch) version)
    {
        ReadOnlySpan<char> rest = text.StartsWith('v') ? text.AsSpan(1) : text;
        Span<int> numbers = stackalloc int[3];
        version = default;
        for (int i = 0; i < numbers.Length; i++)
        {
            int end = rest.IndexOfAnyExceptInRange('0', '9');
            ReadOnlySpan<char> digits = end < 0 ? rest : rest[..end];
            if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            {
                return false;
            }

            numbers[i] = unchecked((int)number);
            rest = rest[digits.Length..];
            if (i == 2 || rest.IsEmpty || rest[0] != '.')
            {
                break;
            }

            rest = rest[1..];
        }

        version = (numbers[0], numbers[1], numbers[2]);
        return rest.IsEmpty || rest[0] is '-' or '+';
    }
}

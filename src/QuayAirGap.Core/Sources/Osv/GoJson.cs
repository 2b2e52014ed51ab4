using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>The ways in which Go's encoding/json, which Clair decodes advisories with, differs from a plain JSON reader.</summary>
internal static class GoJson
{
    /// <summary>encoding/json's own limit of nesting.</summary>
    public const int MaxDepth = 10_000;

    /// <summary>A property matches a field in any case; K and S also match U+212A and U+017F.</summary>
    public static bool IsField(ref readonly Utf8JsonReader reader, ReadOnlySpan<byte> field)
    {
        ReadOnlySpan<byte> raw = reader.ValueSpan;
        if (raw.SequenceEqual(field) || (raw.Length == field.Length && Ascii.EqualsIgnoreCase(raw, field)))
        {
            return true;
        }

        if (!reader.ValueIsEscaped && Ascii.IsValid(raw))
        {
            return false;
        }

        string text = Text(in reader).Replace('\u212A', 'k').Replace('\u017F', 's');
        return text.Length == field.Length && Ascii.EqualsIgnoreCase(text, field);
    }

    /// <summary>A string's value. Broken UTF-8 and lone surrogates become U+FFFD instead of an error.</summary>
    public static string Text(ref readonly Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> raw = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
        {
            return Encoding.UTF8.GetString(raw);
        }

        var text = new StringBuilder(raw.Length);
        while (!raw.IsEmpty)
        {
            int escape = raw.IndexOf((byte)'\\');
            if (escape < 0)
            {
                text.Append(Encoding.UTF8.GetString(raw));
                break;
            }

            text.Append(Encoding.UTF8.GetString(raw[..escape]));
            char kind = (char)raw[escape + 1];
            raw = raw[(escape + 2)..];
            if (kind == 'u')
            {
                _ = Utf8Parser.TryParse(raw[..4], out ushort unit, out _, 'x');
                text.Append((char)unit);
                raw = raw[4..];
            }
            else
            {
                text.Append(kind switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', _ => kind });
            }
        }

        for (int i = 0; i < text.Length; i++)
        {
            bool pair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (pair)
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                text[i] = '�';
            }
        }

        return text.ToString();
    }

    /// <summary>
    /// A time as time.Time takes it: RFC 3339 to the letter, escapes not undone. Years that .NET lacks come back as the nearest it has.
    /// </summary>
    public static bool TryReadTime(ref readonly Utf8JsonReader reader, out DateTime utc)
    {
        utc = default;
        ReadOnlySpan<byte> s = reader.ValueSpan;
        if (s.Length < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':'
            || !Number(s[..4], 0, 9999, out int year) || !Number(s[5..7], 1, 12, out int month)
            || !Number(s[8..10], 1, DateTime.DaysInMonth(Math.Clamp(year == 0 ? 4 : year, 1, 9999), month), out int day)
            || !Number(s[11..13], 0, 23, out int hour)
            || !Number(s[14..16], 0, 59, out int minute)
            || !Number(s[17..19], 0, 59, out int second))
        {
            return false;
        }

        s = s[19..];
        if (s.Length > 1 && s[0] == '.' && char.IsAsciiDigit((char)s[1]))
        {
            int digits = s[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            s = digits < 0 ? default : s[(1 + digits)..];
        }

        int offset = 0;
        if (s is not [(byte)'Z'])
        {
            if (s.Length != 6 || s[0] is not ((byte)'+' or (byte)'-') || s[3] != ':'
                || !Number(s[1..3], 0, 23, out int hours) || !Number(s[4..6], 0, 59, out int minutes))
            {
                return false;
            }

            offset = ((hours * 60) + minutes) * (s[0] == '-' ? -1 : 1);
        }

        if (year > 0)
        {
            long ticks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks - (offset * TimeSpan.TicksPerMinute);
            utc = new DateTime(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
        }

        return true;
    }

    private static bool Number(ReadOnlySpan<byte> digits, int least, int most, out int value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            value = (value * 10) + digit - '0';
        }

        return value >= least && value <= most;
    }
}

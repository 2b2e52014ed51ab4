using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>changes.csv and deletions.csv: <c>"2024/cve-2024-1234.json","2024-05-06T07:08:09+00:00"</c>, one row a document.</summary>
internal static class VexRows
{
    private const int MaxRows = 4_000_000;

    private static readonly string[] s_formats = ["yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss'Z'"];

    /// <summary>The rows by path. Of two rows for one path the later counts.</summary>
    /// <param name="content">The file; disposed.</param>
    /// <param name="url">Where it was had from, for errors.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/></exception>
    public static Dictionary<string, DateTimeOffset> Read(Stream content, string url)
    {
        var rows = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        using var reader = new StreamReader(content, new UTF8Encoding(false, throwOnInvalidBytes: true), false, 64 << 10);
        try
        {
            int count = 0;
            foreach (IReadOnlyList<string> record in CsvRecords.Read(reader))
            {
                count++;
                if (record.Count != 2)
                {
                    throw new FormatException($"row {count} has {record.Count} fields instead of 2");
                }

                if (!VexPath.IsSafe(record[0]))
                {
                    throw new FormatException($"row {count} names '{Shorten(record[0])}', which is not a document's path");
                }

                if (!TryParseStamp(record[1], out DateTimeOffset stamp))
                {
                    throw new FormatException($"row {count} has '{Shorten(record[1])}' where a time of RFC 3339 belongs");
                }

                if (count > MaxRows)
                {
                    throw new FormatException($"it has more than {MaxRows} rows");
                }

                if (!rows.TryGetValue(record[0], out DateTimeOffset known) || known < stamp)
                {
                    rows[record[0]] = stamp;
                }
            }
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{url}' is not a list of documents: {e.Message}.", url,
                "The upstream, or a cache before it, delivers something else; try again later.", e);
        }

        return rows;
    }

    /// <summary>Writes one row in the form that upstream uses. Fractions of a second are dropped.</summary>
    public static void Write(TextWriter writer, string path, DateTimeOffset stamp)
    {
        writer.Write('"');
        writer.Write(path);
        writer.Write("\",\"");
        writer.Write(stamp.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture));
        writer.Write("+00:00\"\n");
    }

    /// <summary>Go takes any number of digits after the seconds; .NET's formats stop at seven.</summary>
    private static bool TryParseStamp(string text, out DateTimeOffset stamp)
    {
        long fraction = 0;
        if (text.Length > 19 && text[19] == '.')
        {
            int end = 20;
            for (long unit = TimeSpan.TicksPerSecond / 10; end < text.Length && char.IsAsciiDigit(text[end]); end++, unit /= 10)
            {
                fraction += (text[end] - '0') * unit;
            }

            if (end == 20)
            {
                stamp = default;
                return false;
            }

            text = string.Concat(text.AsSpan(0, 19), text.AsSpan(end));
        }

        if (!DateTimeOffset.TryParseExact(text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out stamp))
        {
            return false;
        }

        stamp = stamp.ToUniversalTime().AddTicks(fraction);
        return true;
    }

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "…";
}

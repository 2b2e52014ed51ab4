using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Sources.Gzip;

namespace QuayAirGap.Core.Sources.Epss;

/// <summary>
/// A day's scores as claircore's enricher/epss/epss.go reads them: gzip, a line about the model, a header, and a line for each CVE.
/// </summary>
internal static class EpssScores
{
    private const int LongestLine = 1000;

    // One line for each CVE there is: 10 MB in 2026.
    private static readonly GzipLimits s_limits = GzipLimits.Default with { Size = 256 << 20 };

    /// <summary>Reads it to its end.</summary>
    /// <param name="packed">Seekable; disposed.</param>
    /// <param name="census">Told of each CVE, with the date of the scores.</param>
    /// <param name="cancellationToken">Looked at between lines.</param>
    /// <returns>When the scores were made, UTC.</returns>
    /// <exception cref="InvalidDataException">Clair could not read it, would pass over a line of it, or it has no scores.</exception>
    public static DateTimeOffset Read(Stream packed, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        using var csv = new GunzipStream(packed, s_limits, HashAlgorithmName.SHA256);
        using var reader = new StreamReader(csv, new UTF8Encoding(false, throwOnInvalidBytes: false), detectEncodingFromByteOrderMarks: false, 1 << 16);
        DateTimeOffset made = ReadModel(ReadLine(reader) ?? "");
        if (ReadLine(reader) != "cve,epss,percentile")
        {
            throw new InvalidDataException("its second line is not \"cve,epss,percentile\"");
        }

        long count = 0;
        while (ReadLine(reader) is { } line)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string[] cells = line.Split(',');
            if (cells.Length != 3 || cells[0].Length == 0 || line.Contains('"') || !IsScore(cells[1]) || !IsScore(cells[2]))
            {
                throw new InvalidDataException($"its line {count + 3} is no score: '{line[..Math.Min(line.Length, 80)]}'");
            }

            census.Add(cells[0], made);
            count++;
        }

        return count > 0 ? made : throw new InvalidDataException("it has no score in it");
    }

    /// <summary><c>#model_version:v2025.03.14,score_date:2026-01-30T12:55:00Z</c></summary>
    private static DateTimeOffset ReadModel(string line)
    {
        Dictionary<string, string> about = [];
        foreach (string cell in line.Split(',').Select(c => c.Trim().TrimStart('#')))
        {
            int colon = cell.IndexOf(':', StringComparison.Ordinal);
            about[colon < 0 ? "" : cell[..colon]] = cell[(colon + 1)..];
        }

        return about.Count == 2 && about.TryGetValue("model_version", out string? model) && model.Length > 0
            && about.TryGetValue("score_date", out string? date)
            && DateTimeOffset.TryParse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset made)
                ? made
                : throw new InvalidDataException("its first line does not say which model made the scores, and when");
    }

    private static bool IsScore(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double score) && score is >= 0 and <= 1;

    /// <summary>The next line that is not empty, without its end; a line beyond any honest length is not read to its end.</summary>
    private static string? ReadLine(StreamReader reader)
    {
        var line = new StringBuilder();
        int c;
        while ((c = reader.Read()) >= 0)
        {
            if (c == '\n')
            {
                if (line.Length > 0 && line[^1] == '\r')
                {
                    line.Length--;
                }

                if (line.Length > 0)
                {
                    return line.ToString();
                }
            }
            else if (line.Append((char)c).Length > LongestLine)
            {
                throw new InvalidDataException($"it has a line of more than {LongestLine} characters");
            }
        }

        return line.Length > 0 ? line.ToString() : null;
    }
}

using System.Globalization;
using QuayAirGap.Core;

namespace QuayAirGap.Server.Contents;

/// <summary>
/// Times that a folder's files cannot keep themselves: FOLDER.times.csv beside it, rows of "host/path","2026-01-10T02:00:00+00:00"
/// (RFC 3339). Copies and checkouts lose file times, and Red Hat's archive is read by its own: documents older than it are not asked for.
/// </summary>
internal static class FolderTimes
{
    /// <returns>Times by absolute path; empty where there is no such file.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/>: better no answer than one of the wrong time.</exception>
    public static IReadOnlyDictionary<string, DateTimeOffset> Read(string root)
    {
        string file = Path.TrimEndingDirectorySeparator(root) + ".times.csv";
        var times = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        if (!File.Exists(file))
        {
            return times;
        }

        foreach (string line in File.ReadLines(file).Where(l => !string.IsNullOrWhiteSpace(l)))
        {
            string[] cells = [.. line.Split(',').Select(c => c.Trim().Trim('"'))];
            if (cells.Length != 2 || !DateTimeOffset.TryParse(
                cells[1], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time))
            {
                throw new FeedException(
                    ErrorIds.MirrorNotStarted, $"'{file}' has a line that is no path and time: {line}", file,
                    "Write each line as \"host/path\",\"2026-01-10T02:00:00+00:00\".");
            }

            times[Path.GetFullPath(Path.Combine(root, cells[0].Replace('/', Path.DirectorySeparatorChar)))] = time;
        }

        return times;
    }
}

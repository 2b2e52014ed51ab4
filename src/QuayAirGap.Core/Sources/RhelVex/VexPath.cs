using System.Globalization;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>Paths of documents below the feed's base: "2024/cve-2024-1234.json".</summary>
internal static partial class VexPath
{
    /// <summary>Clair reads no document of an earlier year (claircore rhel/vex/updater.go, lookBackToYear), so nobody needs them.</summary>
    public const int FirstYear = 2015;

    /// <summary>Whether an upstream path is one that may become a URL, a path of the mirror and a name in an archive.</summary>
    public static bool IsSafe(string path) => path.Length <= 100 && SafePath().IsMatch(path);

    /// <summary>Whether Clair reads the document. The path must be safe.</summary>
    public static bool IsRead(string path) => int.Parse(path.AsSpan(0, 4), CultureInfo.InvariantCulture) >= FirstYear;

    /// <summary>
    /// Whether Clair can be told to delete the document (claircore rhel/vex/fetcher.go, cvePathRegex). Any other row in deletions.csv
    /// becomes an empty line in Clair's spool, which fails its whole update.
    /// </summary>
    public static bool IsDeletable(string path) => DeletablePath().IsMatch(path);

    /// <summary>"2024/cve-2024-1234.json" → "CVE-2024-1234": the tracking id by which Clair deletes the document.</summary>
    public static string TrackingId(string path) => path[5..^5].ToUpperInvariant();

    [GeneratedRegex(@"\A[0-9]{4}/[A-Za-z0-9][A-Za-z0-9._-]*\.json\z", RegexOptions.CultureInvariant)]
    private static partial Regex SafePath();

    [GeneratedRegex(@"\A[0-9]{4}/cve-[0-9]{4}-[0-9]{4,}\.json\z", RegexOptions.CultureInvariant)]
    private static partial Regex DeletablePath();
}

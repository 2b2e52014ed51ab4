using System.Globalization;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Core.Scanning;

/// <summary>The words that all forms of a scan report use. Times are UTC.</summary>
internal static class ScanText
{
    public static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Score(double? cvss) => cvss?.ToString("0.0", CultureInfo.InvariantCulture) ?? "";

    /// <summary>What a number of findings is worth: it never stands without its verdict.</summary>
    public static string Findings(ScannedImage image) => image.TakenAt is null
        ? "not judged by Clair"
        : (image.Total == 1 ? "1 finding" : string.Create(CultureInfo.InvariantCulture, $"{image.Total:N0} findings"))
            + image.Coverage.Verdict switch
            {
                CoverageVerdict.Covered => ", all that the current feeds know",
                CoverageVerdict.Stale => ", of old feeds: there may be more",
                _ => ": there may be more that nobody looked for",
            };
}

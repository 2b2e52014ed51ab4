using System.Globalization;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Core.Scanning;

/// <summary>The words that all forms of a scan report use. Times are UTC.</summary>
internal static class ScanText
{
    public static string? Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Score(double? cvss) => cvss?.ToString("0.0", CultureInfo.InvariantCulture) ?? "";

    /// <summary>By what the verdicts were reached, a sentence.</summary>
    public static string Basis(string clairRelease, ClairAsked asked, DateTimeOffset? answeredAt) => $"Judged by the rules of Clair {clairRelease} and " + asked switch
    {
        ClairAsked.Answered => $"by what Clair has: it was asked, and last answered at {Time(answeredAt)}.",
        ClairAsked.Updaters => "by what the mirror serves; Clair was asked which updaters it ever ran, not how old what it has is.",
        ClairAsked.Silent => $"by what the mirror serves; Clair does not say what it has ({(answeredAt is null ? "it never answered" : $"it last answered at {Time(answeredAt)}")}).",
        _ => "by what the mirror serves; Clair's own state was not asked.",
    };

    public static string Basis(ScanReport report) => Basis(report.ClairRelease, report.ClairAsked, report.ClairAnsweredAt);

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

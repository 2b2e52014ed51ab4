using System.Globalization;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Pages;

/// <summary>The words that all pages use. Times are written in UTC.</summary>
internal static class PageText
{
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Machine(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Milliseconds since 1970: what the page's script reckons with.</summary>
    public static string Millis(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    public static string Millis(TimeSpan span) => ((long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>The script writes the same ("2 d 3 h").</summary>
    public static string Age(TimeSpan age) =>
        age.TotalDays >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} d {age.Hours} h")
        : age.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{age.Hours} h {age.Minutes} min")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, age.Minutes)} min");

    public static string Count(long n, string one, string many) => string.Create(CultureInfo.InvariantCulture, $"{n:N0} {(n == 1 ? one : many)}");

    /// <summary>The name of a level in the script, the style sheet and the shapes.</summary>
    public static string Key(FreshnessLevel level) => level switch
    {
        FreshnessLevel.Ok => "ok",
        FreshnessLevel.Warning => "warning",
        FreshnessLevel.Critical => "critical",
        _ => "expired",
    };

    public static string Word(FreshnessLevel level) => level switch
    {
        FreshnessLevel.Ok => "Fresh",
        FreshnessLevel.Warning => "Warning",
        FreshnessLevel.Critical => "Critical",
        _ => "Expired",
    };

    public static string State(FeedState state) => state switch
    {
        FeedState.Fresh => "fresh",
        FeedState.Stale => "stale",
        FeedState.Missing => "missing",
        FeedState.Failed => "failing",
        FeedState.Deselected => "deselected",
        _ => "unsupported",
    };
}

using System.Globalization;

namespace QuayAirGap.Core.Publishing;

/// <summary>
/// Header fields between a mirror and a collector that has it for its upstream (a cascade). Clair and other clients know neither and are
/// not touched by them. Without them a second collector would call fresh today whatever the first one got weeks ago.
/// </summary>
public static class MirrorHeaders
{
    /// <summary>On every answer with content of a source, also 304: when that was last confirmed against its true upstream, UTC, ISO 8601.</summary>
    public const string CapturedAt = "QuayAirGap-Captured-At";

    /// <summary>A collector's request for what the upstream itself says, where Clair is told something else by path (Ubuntu's series). Any value.</summary>
    public const string Cascade = "QuayAirGap-Cascade";

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    /// <returns>Null where it is no time in that form.</returns>
    public static DateTimeOffset? Parse(string text) => DateTimeOffset.TryParseExact(
        text, "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
        out DateTimeOffset time) ? time : null;
}

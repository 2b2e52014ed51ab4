using System.Globalization;
using System.Text.RegularExpressions;

namespace QuayAirGap.TestKit.Clair.Go;

/// <summary>The two forms of time that the updaters read; both as strict as Go.</summary>
internal static partial class GoTime
{
    private static readonly string[] s_weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    /// <summary>time.RFC3339. A fraction is accepted; lower-case letters and a missing zone are not.</summary>
    public static DateTimeOffset Rfc3339(string text)
    {
        if (Rfc3339Form().Match(text) is { Success: true } match)
        {
            var zone = match.Groups["zone"].Value;
            if (DateTimeOffset.TryParseExact(
                match.Groups["time"].Value + (zone == "Z" ? "+00:00" : zone),
                "yyyy-MM-dd'T'HH:mm:sszzz",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var time))
            {
                var fraction = match.Groups["fraction"].Value;
                return fraction.Length == 0
                    ? time
                    : time.AddTicks(long.Parse(fraction.PadRight(7, '0')[..7], CultureInfo.InvariantCulture));
            }
        }

        throw ClairException.Failed($"parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse");
    }

    /// <summary>http.TimeFormat. The day of the week must be one, not the right one.</summary>
    public static DateTimeOffset HttpDate(string text)
    {
        if (text.Length > 5 && s_weekdays.Contains(text[..3], StringComparer.Ordinal) && DateTimeOffset.TryParseExact(
            text[3..], "', 'dd MMM yyyy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        throw ClairException.Failed($"parsing time \"{text}\" as \"Mon, 02 Jan 2006 15:04:05 GMT\": cannot parse");
    }

    [GeneratedRegex(
        @"^(?<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
            + @"([.,](?<fraction>[0-9]+))?(?<zone>Z|[+-][0-9]{2}:[0-9]{2})\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339Form();
}

using System.Globalization;
using System.Net;
using System.Text;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Notifying;

/// <summary>
/// The words of a message. What comes from outside (an upstream's error) is made one line without control characters, and is markup
/// nowhere.
/// </summary>
internal static class WarningText
{
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan? age) => age is not { } a ? "unknown"
        : a.TotalDays >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{(int)a.TotalDays} d {a.Hours} h")
        : string.Create(CultureInfo.InvariantCulture, $"{a.Hours} h {a.Minutes} min");

    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));

    public static string Level(FreshnessLevel level) => level.ToString().ToUpperInvariant();

    /// <summary>One line that says it all.</summary>
    public static string Summary(FeedWarning warning) => warning.Kind switch
    {
        WarningKind.Test => $"{warning.Site}: test of the warnings about vulnerability feeds",
        WarningKind.Resolved => $"{warning.Site}: all required vulnerability feeds are fresh again",
        _ when warning.Facts.Count == 0 => $"{warning.Site}: {Level(warning.Level)}: the vulnerability feeds need attention",
        _ when warning.Facts.Count == 1 => $"{warning.Site}: {Level(warning.Level)}: vulnerability feed {warning.Facts[0].Source.Name} is {State(warning.Facts[0].Source)}",
        _ => string.Create(
            CultureInfo.InvariantCulture,
            $"{warning.Site}: {Level(warning.Level)}: {warning.Facts.Count} vulnerability feeds are not fresh ({string.Join(", ", warning.Facts.Select(f => f.Source.Name))})"),
    };

    /// <summary>What it means for whoever reads scan results.</summary>
    public static string Meaning(FeedWarning warning) => warning.Kind switch
    {
        WarningKind.Test => "This is a test. Nothing is wrong, and nothing is to be done.",
        WarningKind.Resolved => "Scan results rely on current feeds again.",
        _ when warning.Level == FreshnessLevel.Expired =>
            "Scan results must not be relied upon: an image without findings may still be vulnerable.",
        _ => "Scan results may lack vulnerabilities that became known since: an image without findings may still be vulnerable.",
    };

    public static string Body(FeedWarning warning)
    {
        var text = new StringBuilder();
        text.Append(Summary(warning)).Append("\n\n").Append(Meaning(warning)).Append('\n');
        foreach (WarningFact fact in warning.Facts)
        {
            SourceFreshness s = fact.Source;
            text.Append('\n').Append(s.Name).Append(": ").Append(Level(s.Level)).Append(" (").Append(State(s)).Append(")\n");
            foreach ((string name, string value) in Details(fact))
            {
                text.Append("  ").Append((name + ":").PadRight(15)).Append(value).Append('\n');
            }
        }

        foreach (string note in warning.Notes)
        {
            text.Append('\n').Append(Plain(note)).Append('\n');
        }

        if (warning.Kind == WarningKind.Problem)
        {
            text.Append("\nLook closer with:  Test-ClairFeedFreshness | Format-List\n");
        }

        return text.Append("\nIncident ").Append(warning.EventId).Append(", ").Append(Time(warning.At)).Append('\n').ToString();
    }

    public static string Html(FeedWarning warning)
    {
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>").Append(Encode(Summary(warning)))
            .Append("</title></head>\n<body style=\"font-family:sans-serif\">\n<h1 style=\"font-size:1.2em\">").Append(Encode(Summary(warning)))
            .Append("</h1>\n<p>").Append(Encode(Meaning(warning))).Append("</p>\n");
        foreach (WarningFact fact in warning.Facts)
        {
            html.Append("<h2 style=\"font-size:1em\">").Append(Encode($"{fact.Source.Name}: {Level(fact.Source.Level)} ({State(fact.Source)})"))
                .Append("</h2>\n<table>\n");
            foreach ((string name, string value) in Details(fact))
            {
                html.Append("<tr><th scope=\"row\" style=\"text-align:left;vertical-align:top;padding-right:1em\">").Append(Encode(name))
                    .Append("</th><td>").Append(Encode(value)).Append("</td></tr>\n");
            }

            html.Append("</table>\n");
        }

        foreach (string note in warning.Notes)
        {
            html.Append("<p>").Append(Encode(Plain(note))).Append("</p>\n");
        }

        if (warning.Kind == WarningKind.Problem)
        {
            html.Append("<p>Look closer with: <code>Test-ClairFeedFreshness | Format-List</code></p>\n");
        }

        return html.Append("<p><small>Incident ").Append(Encode(warning.EventId)).Append(", ").Append(Encode(Time(warning.At)))
            .Append("</small></p>\n</body></html>\n").ToString();
    }

    /// <summary>
    /// For Quay's pages: Markdown that stays the same while nothing changes, so that it holds times and no ages. Nothing that an
    /// upstream said stands in it: everybody who uses the registry reads it.
    /// </summary>
    public static string Banner(FeedWarning warning)
    {
        if (warning.Kind == WarningKind.Test)
        {
            return Markdown(Summary(warning)) + ". " + Meaning(warning);
        }

        IEnumerable<string> facts = warning.Facts.Select(f =>
            $"{Markdown(f.Source.Name)} {State(f.Source)} ({f.Source.Level.ToString().ToLowerInvariant()}, "
            + InShort(f.Source) + ")");
        string[] parts = [.. facts, .. warning.Notes.Select(Markdown)];
        return $"**{Level(warning.Level)}: vulnerability feeds of {Markdown(warning.Site)}.** {Meaning(warning)} Affected: {string.Join("; ", parts)}";
    }

    public static string State(SourceFreshness source) => source.State switch
    {
        FeedState.Stale => "stale",
        FeedState.Missing => "missing",
        FeedState.Failed => "failing",
        FeedState.Deselected => "deselected",
        FeedState.Unsupported => "unsupported",
        _ => "fresh",
    };

    private static IEnumerable<(string Name, string Value)> Details(WarningFact fact)
    {
        SourceFreshness s = fact.Source;
        yield return ("State", $"{State(s)} since {Time(fact.Since)}");
        yield return ("Age", s.Age is null ? "unknown" : Duration(s.Age));
        yield return ("Captured", s.CapturedAt is { } captured ? Time(captured) : "never");
        yield return ("Published here", s.PublishedAt is { } published ? Time(published) : "never");
        yield return ("In Clair", InClair(s));
        yield return (
            "Thresholds", $"warn {FeedDuration.Format(s.WarnAfter)}, critical {FeedDuration.Format(s.CriticalAfter)}, expired {FeedDuration.Format(s.ExpireAfter)}");
        yield return ("Cause", Plain($"{s.CauseText} {s.Reason}".Trim()));
        if (s.Remedy is { } remedy)
        {
            yield return ("What to do", Plain(remedy));
        }
    }

    /// <summary>How old it is where the scans are made.</summary>
    private static string InShort(SourceFreshness s) => s.Cause is FeedCause.NotIngested or FeedCause.ClairSilent
        ? s.IngestedCapturedAt is { } known ? $"Clair last seen with what was captured {Time(known)}" : "not known to be in Clair"
        : s.CapturedAt is { } captured ? $"last captured {Time(captured)}" : "never captured";

    private static string InClair(SourceFreshness s) => s.ClairHolding switch
    {
        ClairHolding.NotAsked => "not asked",
        ClairHolding.Untellable => "cannot be told",
        ClairHolding.Current => $"what is served, proved {(s.IngestedAt is { } proved ? Time(proved) : "now")}",
        ClairHolding.Missing => "not all of it",
        _ => (s.ClairHolding == ClairHolding.Unknown ? "not known" : s.ClairHolding == ClairHolding.Older ? "older" : "from elsewhere")
            + (s.IngestedCapturedAt is { } captured ? $", last seen with what was captured {Time(captured)}" : ""),
    };

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Text that Markdown leaves as it is.</summary>
    private static string Markdown(string text) =>
        string.Concat(Plain(text).Select(c => c is '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '#' or '|' or '!' or '~' or '&' ? $"\\{c}" : $"{c}"));
}

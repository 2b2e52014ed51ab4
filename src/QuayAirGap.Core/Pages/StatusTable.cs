using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Pages;

/// <summary>The table of sources: level, age against the thresholds, and the four clocks.</summary>
internal static class StatusTable
{
    public static void Write(HtmlWriter html, StatusFacts facts)
    {
        html.Open("section", ("aria-labelledby", "sources-title")).Element("h2", "Sources", ("id", "sources-title"))
            .Open("table", ("class", "sources")).Open("thead").Open("tr");
        foreach (string head in new[] { "Source", "Level", "Age", "Upstream (UTC)", "Captured (UTC)", "Published (UTC)", "In Clair (UTC)" })
        {
            html.Element("th", head, ("scope", "col"));
        }

        html.Close(2).Open("tbody").Line();
        foreach (SourceFreshness source in facts.Sources.OrderByDescending(s => s.Required).ThenByDescending(s => s.Required ? s.Level : FreshnessLevel.Ok))
        {
            Row(html, facts, source);
        }

        html.Close(3).Line();
    }

    private static void Row(HtmlWriter html, StatusFacts facts, SourceFreshness s)
    {
        string key = s.Required ? PageText.Key(s.Level) : "none";
        html.Open(
                "tr", ("id", "source-" + s.Name), ("class", "source"), ("data-name", s.Name), ("data-level", s.Required ? key : null), ("data-state", PageText.State(s.State)),
                ("data-captured", s.CapturedAt is { } c ? PageText.Millis(c) : null),
                ("data-since", s.Required && s.CapturedAt is null && facts.WithoutSince is { } w ? PageText.Millis(w) : null),
                ("data-warn", PageText.Millis(s.WarnAfter)), ("data-critical", PageText.Millis(s.CriticalAfter)), ("data-expire", PageText.Millis(s.ExpireAfter)))
            .Open("th", ("scope", "row")).Element("span", s.Name, ("class", "name")).Close()
            .Open("td", ("data-head", "Level")).Badge(key, s.Required ? PageText.Word(s.Level) : s.State == FeedState.Deselected ? "Deselected here" : "Not required");
        if (s.Required && s.State is not (FeedState.Fresh or FeedState.Stale))
        {
            html.Element("span", PageText.State(s.State), ("class", "state"));
        }

        html.Close().Open("td", ("data-head", "Age"), ("class", "age"));
        if (s.CapturedAt is not null)
        {
            Bar(html, s);
            html.Element("span", s.Age is { } age ? PageText.Age(age) : "unknown", ("class", "agetext"))
                .Element("span", " when this page was made", ("class", "static-only"));
        }
        else
        {
            html.Element("span", s.Required ? "no content" : "–", ("class", "unknown"));
        }

        html.Close();
        Clock(html, "Upstream", s.UpstreamModified, s.SilentSince is null ? null : "silent for longer than usual", s.Required ? "not known" : "–");
        Clock(html, "Captured", s.CapturedAt, null, s.Required ? "never" : "–");
        Clock(html, "Published", s.PublishedAt, null, s.Required ? "never" : "–");
        DateTimeOffset? ingested = s.IngestedAt;
        Clock(html, "In Clair", ingested, null, s.Required || ingested is not null ? "not known" : "–");
        html.Close().Line();
    }

    private static void Clock(HtmlWriter html, string head, DateTimeOffset? time, string? remark, string absent = "not known")
    {
        html.Open("td", ("data-head", head), ("class", "clock")).Moment(time, absent, utc: false);
        if (remark is not null)
        {
            html.Element("span", remark, ("class", "remark"));
        }

        html.Close();
    }

    /// <summary>The age on a scale that ends a quarter beyond expiry; what is older fills it. Presentation attributes, because the page's policy allows no styles in it.</summary>
    private static void Bar(HtmlWriter html, SourceFreshness s)
    {
        double full = s.ExpireAfter.TotalMilliseconds * 1.25;
        string At(TimeSpan span) => PageText.Number(Math.Clamp(span.TotalMilliseconds / full, 0, 1) * 200);
        string name = $"Age {(s.Age is { } age ? PageText.Age(age) : "unknown")}: {StatusPage.Thresholds(s)}";
        html.Open("svg", ("class", "bar"), ("viewBox", "0 0 200 14"), ("preserveAspectRatio", "none"), ("role", "img"), ("aria-label", name))
            .Open("rect", ("class", "track"), ("x", "0"), ("y", "4"), ("width", "200"), ("height", "6"))
            .Open("rect", ("class", "fill"), ("x", "0"), ("y", "4"), ("width", At(s.Age ?? TimeSpan.Zero)), ("height", "6"));
        foreach ((string mark, TimeSpan after) in new[] { ("m-warning", s.WarnAfter), ("m-critical", s.CriticalAfter), ("m-expired", s.ExpireAfter) })
        {
            html.Open("line", ("class", mark), ("x1", At(after)), ("x2", At(after)), ("y1", "0"), ("y2", "14"));
        }

        html.Close();
    }
}

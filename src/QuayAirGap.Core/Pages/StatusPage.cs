using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Pages;

/// <summary>
/// The status page: the level of the whole first, then what to do, then each source with its age against its thresholds and its clocks,
/// the ages over time, and what was done last. The page's script reckons ages and levels anew by the reader's clock, and only ever
/// makes them worse than they were when the page was made.
/// </summary>
public static class StatusPage
{
    /// <param name="links">Other pages, name and address; empty for a file that stands alone.</param>
    public static PageDocument Render(StatusFacts facts, IReadOnlyList<(string Name, string Address)>? links = null)
    {
        IReadOnlyList<(string, string, bool)> nav =
            links is { Count: > 0 } ? [("Feeds", "status", true), .. links.Select(l => (l.Name, l.Address, false))] : [];
        return PageFrame.Write("Vulnerability feeds", facts.Site, facts.MadeAt, nav, html =>
        {
            Verdict(html, facts);
            ToDo(html, facts);
            StatusTable.Write(html, facts);
            StatusCharts.Write(html, facts);
            StatusEvents.Write(html, facts);
            Words(html);
        });
    }

    /// <summary>For a site that cannot be judged: the page must not stay away, and must not look good.</summary>
    public static PageDocument RenderTrouble(string site, DateTimeOffset madeAt, FeedException trouble) =>
        PageFrame.Write("Vulnerability feeds", site, madeAt, [], html =>
        {
            html.Open("section", ("class", "verdict lv-critical"), ("aria-labelledby", "level")).Shape("critical").Open("div")
                .Element("h1", "Unknown: this site cannot be judged", ("id", "level"))
                .Element("p", "Nothing is known of the feeds here: a scan without findings does not mean that there are none.", ("class", "meaning"))
                .Element("p", trouble.Message).Element("p", trouble.Remedy).Close(2);
        });

    /// <summary>When the first required source passes its warning threshold; null where something is wrong already.</summary>
    internal static DateTimeOffset? GoodUntil(StatusFacts facts) =>
        facts.Level != FreshnessLevel.Ok ? null
        : facts.Sources.Where(s => s is { Required: true, CapturedAt: not null }).Select(s => s.CapturedAt!.Value + s.WarnAfter).Min();

    private static void Verdict(HtmlWriter html, StatusFacts facts)
    {
        string key = PageText.Key(facts.Level);
        html.Open(
                "section", ("class", $"verdict lv-{key}"), ("aria-labelledby", "level"), ("id", "verdict"),
                ("data-floor", facts.Notes.Count > 0 ? key : "ok"))
            .Shape(key).Open("div")
            .Open("h1", ("id", "level")).Element("span", Headline(facts.Level), ("class", "headline"))
            .Element("span", $" – as of {PageText.Time(facts.MadeAt)}", ("class", "asof")).Close()
            .Element("p", Meaning(facts.Level), ("class", "meaning"));
        int required = facts.Sources.Count(s => s.Required);
        int good = facts.Sources.Count(s => s is { Required: true, Level: FreshnessLevel.Ok });
        html.Open("p", ("class", "facts")).Element("span", $"{good} of {PageText.Count(required, "required source is fresh", "required sources are fresh")}.", ("class", "tally")).Text(" ");
        if (GoodUntil(facts) is { } until)
        {
            html.Open("span", ("class", "until")).Text("If nothing is brought in, this ends at ")
                .Element("time", PageText.Time(until), ("datetime", PageText.Machine(until))).Text(".").Close();
        }

        html.Close();
        if (facts.Generation is { } generation)
        {
            html.Open("p", ("class", "facts")).Text($"Generation {generation.Number} is served, of bundle {generation.Sequence}, published ").Moment(generation.PublishedAt).Text(".");
            if (generation.Sequence < generation.HighestSequence)
            {
                html.Text(" ").Element("strong", $"It is an older state, restored here: bundle {generation.HighestSequence} had been published before.");
            }

            if (facts.HeldBack > 0)
            {
                html.Text($" {PageText.Count(facts.HeldBack, "item of the upstreams is", "items of the upstreams are")} held back; Get-ClairFeed names them.");
            }

            html.Close();
        }
        else
        {
            html.Element("p", "This site serves nothing: what is shown is its newest capture.", ("class", "facts"));
        }

        html.Open("p", ("class", "facts")).Text("What this page says was found out ").Moment(facts.MadeAt).Text(".").Close();
        html.Close(2).Line().Open("p", ("class", "notice notice-warning"), ("id", "old"), ("hidden", "")).Close().Line();
    }

    private static void ToDo(HtmlWriter html, StatusFacts facts)
    {
        SourceFreshness[] bad = [.. facts.Sources.Where(s => s.Required && s.Level != FreshnessLevel.Ok).OrderByDescending(s => s.Level)];
        html.Open("section", ("aria-labelledby", "todo-title"), ("id", "todo"), ("hidden", bad.Length + facts.Notes.Count == 0 ? "" : null))
            .Element("h2", "What is missing, and what to do", ("id", "todo-title")).Open("ul", ("class", "todo"));
        // Those that are in the same trouble are told together: one late courier makes everything stale at once.
        foreach (IGrouping<(FreshnessLevel Level, FeedState State, string Reason, string Cause, string? Remedy), SourceFreshness> alike in
            bad.GroupBy(s => (s.Level, s.State, s.Reason, s.CauseText, s.Remedy)))
        {
            html.Open("li").Open("h3").Badge(PageText.Key(alike.Key.Level), PageText.Word(alike.Key.Level)).Text(" ");
            int number = 0;
            foreach (SourceFreshness source in alike)
            {
                html.Text(number++ == 0 ? "" : ", ").Element("a", source.Name, ("href", "#source-" + source.Name));
            }

            html.Text($" {(number == 1 ? "is" : "are")} {PageText.State(alike.Key.State)}").Close().Element("p", alike.Key.Reason);
            if (alike.Key.Cause.Length > 0)
            {
                html.Element("p", alike.Key.Cause, ("class", "cause"));
            }

            html.Open("p", ("class", "remedy")).Element("strong", "Do: ").Text(alike.Key.Remedy ?? "See Test-ClairFeedFreshness.").Close(2);
        }

        foreach (string note in facts.Notes)
        {
            html.Open("li").Element("p", note).Close();
        }

        // Filled by the script with what has grown old since the page was made.
        html.Close().Element("p", "", ("id", "since"), ("hidden", "")).Close().Line();
    }

    private static void Words(HtmlWriter html) => html.Open("section", ("aria-labelledby", "words-title"), ("class", "words"))
        .Element("h2", "How to read this page", ("id", "words-title")).Open("dl")
        .Element("dt", "Age").Element("dd", "Time since the content was last confirmed against its upstream – not since it was imported. The worst required source decides.")
        .Element("dt", "Upstream").Element("dd", "The newest change that the upstream itself says it made. Long ago is only wrong where the upstream usually speaks more often.")
        .Element("dt", "Captured").Element("dd", "When the content was last confirmed outside. If it is long ago: nobody collected, or nobody carried.")
        .Element("dt", "Published").Element("dd", "When this site last published it. If it is long ago: nothing was imported since.")
        .Element("dt", "In Clair").Element("dd", "When Clair was last seen to hold what is published. Until it does, Clair judges by older content, whatever is fresh here.")
        .Element("dt", "Deselected").Element("dd", "Left out by a decision. Images that need it are not judged: no findings there means nothing.")
        .Close(2).Line();

    private static string Headline(FreshnessLevel level) => level switch
    {
        FreshnessLevel.Ok => "Fresh: all required feeds",
        FreshnessLevel.Warning => "Warning: feeds are growing old",
        FreshnessLevel.Critical => "Critical: feeds are missing or too old",
        _ => "Expired: do not rely on scan results",
    };

    private static string Meaning(FreshnessLevel level) => level switch
    {
        FreshnessLevel.Ok => "Scan results rest on current feeds, for what the feeds cover.",
        FreshnessLevel.Expired => "Scan results must not be relied upon: an image without findings may still be vulnerable.",
        _ => "Scan results may lack vulnerabilities that became known since: an image without findings may still be vulnerable.",
    };

    internal static string Thresholds(SourceFreshness s) =>
        $"warning after {FeedDuration.Format(s.WarnAfter)}, critical after {FeedDuration.Format(s.CriticalAfter)}, expired after {FeedDuration.Format(s.ExpireAfter)}";
}

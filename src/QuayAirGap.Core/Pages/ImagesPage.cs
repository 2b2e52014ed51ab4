using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Scanning;

namespace QuayAirGap.Core.Pages;

/// <summary>
/// Images and what a clean result of each is worth: the verdict first, the highest risk of a false one on top. A number of findings never
/// stands without its verdict. A verdict that is good ends by itself in the browser when a feed that it rests on grows old.
/// </summary>
public static class ImagesPage
{
    /// <summary>How many findings one page tells in full: browsers must stay usable.</summary>
    private const int MaxFindings = 5000;

    /// <summary>How many images one page lists.</summary>
    private const int MaxImages = 10_000;

    /// <param name="links">Other pages, name and address; empty for a file that stands alone.</param>
    /// <param name="addressOf">Where an image has a page of its own; null for a file that holds what it tells.</param>
    /// <param name="troubles">What could not be read, a sentence each.</param>
    public static PageDocument Render(
        ScanReport report, IReadOnlyList<(string Name, string Address)>? links = null, Func<ScannedImage, string>? addressOf = null,
        IReadOnlyList<string>? troubles = null)
    {
        bool single = report.Images.Count == 1 && addressOf is null;
        IReadOnlyList<(string, string, bool)> nav = [.. (links ?? []).Select(l => (l.Name, l.Address, l.Name == "Images"))];
        return PageFrame.Write(single ? $"Scan of {report.Images[0].Name}" : "Images", report.Site, report.MadeAt, nav, html =>
        {
            foreach (string trouble in troubles ?? [])
            {
                html.Open("p", ("class", "notice notice-critical")).Element("strong", "Not shown: ").Text(trouble).Close().Line();
            }

            if (single)
            {
                Hero(html, report, report.Images[0]);
                ImageDetails.Write(html, report, report.Images[0], MaxFindings);
            }
            else
            {
                Hero(html, report);
                FleetReasons.Write(html, report);
                Fleet(html, report, addressOf);
            }

            Words(html);
        });
    }

    internal static string Key(CoverageVerdict verdict) => verdict switch
    {
        CoverageVerdict.Covered => "ok",
        CoverageVerdict.Stale => "warning",
        CoverageVerdict.EndOfLife or CoverageVerdict.Unsupported => "critical",
        _ => "expired",
    };

    internal static string Word(CoverageVerdict verdict) => verdict == CoverageVerdict.EndOfLife ? "End of life" : verdict.ToString();

    /// <summary>What the script needs to end a good verdict.</summary>
    internal static (string, string?)[] Data(ScannedImage image) =>
    [
        ("data-verdict", image.Coverage.Verdict.ToString().ToLowerInvariant()),
        ("data-turns", image.GoodUntil is { } until ? PageText.Millis(until) : null),
    ];

    private static void Hero(HtmlWriter html, ScanReport report, ScannedImage image)
    {
        ImageCoverage coverage = image.Coverage;
        string key = Key(coverage.Verdict);
        html.Open(
                "section", [("class", $"verdict image single lv-{key}"), ("id", "image"), ("aria-labelledby", "level"), .. Data(image)])
            .Shape(key).Open("div")
            .Open("h1", ("id", "level")).Element("span", coverage.Summary, ("class", "headline"))
            .Element("span", $" – as of {PageText.Time(report.MadeAt)}", ("class", "asof")).Close()
            .Element("p", Meaning(coverage.Verdict), ("class", "meaning"))
            .Open("p", ("class", "facts")).Element("strong", image.Name, ("class", "file")).Close()
            .Element("p", coverage.ManifestDigest, ("class", "facts file"))
            .Open("p", ("class", "facts")).Text($"{ScanText.Findings(image)}. {coverage.PackagesSpokenFor:N0} of {PageText.Count(coverage.PackageCount, "package", "packages")} are spoken for.");
        if (coverage.ImageCreatedAt is { } created)
        {
            html.Text($" The image is of {PageText.Time(created)} or earlier.");
        }

        if (image.TakenAt is { } taken)
        {
            html.Text(" Clair gave its report ").Moment(taken).Text(".");
        }

        if (image.GoodUntil is { } until)
        {
            html.Text(" ").Open("span", ("class", "until")).Text($"The verdict ends at {PageText.Time(until)} if nothing is brought in.").Close();
        }

        html.Close().Element("p", ScanText.Basis(report), ("class", "facts basis")).Close(2).Line();
    }

    private static void Hero(HtmlWriter html, ScanReport report)
    {
        int bad = report.Images.Count(i => i.Coverage.Verdict != CoverageVerdict.Covered);
        string key = report.Images.Count == 0 ? "unknown" : Key(report.Worst);
        html.Open("section", ("class", $"verdict lv-{key}"), ("id", "images"), ("aria-labelledby", "level"), ("data-total", PageText.Number(report.Images.Count)))
            .Shape(key).Open("div")
            .Open("h1", ("id", "level")).Element("span", Headline(bad, report.Images.Count), ("class", "headline"))
            .Element("span", $" – as of {PageText.Time(report.MadeAt)}", ("class", "asof")).Close()
            .Element("p", report.Images.Count == 0
                ? "No reports were published to this site: nothing is known of any image. Export-ClairScanReport -Publish puts them here."
                : bad == 0 ? Meaning(CoverageVerdict.Covered) : "The images below are sorted by the risk that a clean-looking result of them is false.", ("class", "meaning"))
            .Open("p", ("class", "facts")).Text(report.Generation is { } generation ? $"By generation {generation}" : "Nothing is published at this site")
            .Text(". What this page says was found out ").Moment(report.MadeAt).Text(".").Close()
            .Element("p", ScanText.Basis(report), ("class", "facts basis")).Close(2).Line();
    }

    private static void Fleet(HtmlWriter html, ScanReport report, Func<ScannedImage, string>? addressOf)
    {
        if (report.Images.Count == 0)
        {
            return;
        }

        html.Open("section", ("aria-labelledby", "list-title")).Element("h2", "Images, the highest risk of a false clean result first", ("id", "list-title"));
        html.Open("div", ("class", "controls"), ("id", "controls"), ("hidden", ""))
            .Open("label").Text("Name contains ").Open("input", ("type", "search"), ("id", "filter"), ("autocomplete", "off"), ("spellcheck", "false")).Close()
            .Open("div", ("class", "chips"), ("role", "group"), ("aria-label", "Verdicts shown"));
        foreach (IGrouping<CoverageVerdict, ScannedImage> group in report.Images.GroupBy(i => i.Coverage.Verdict).OrderByDescending(g => g.Key))
        {
            html.Open("button", ("type", "button"), ("class", $"chip lv-{Key(group.Key)}"), ("aria-pressed", "true"), ("data-verdict", group.Key.ToString().ToLowerInvariant()))
                .Shape(Key(group.Key)).Element("span", Word(group.Key)).Text(" ").Element("span", $"{group.Count():N0}", ("class", "count")).Close();
        }

        html.Close().Element("p", "", ("id", "shown"), ("role", "status")).Close().Line();
        html.Open("table", ("class", "images")).Open("thead").Open("tr");
        foreach (string head in new[] { "Image", "Verdict", "Findings, worth what the verdict says", "Packages not spoken for", "Why" })
        {
            html.Element("th", head, ("scope", "col"));
        }

        html.Close(2).Open("tbody").Line();
        int budget = MaxFindings;
        List<(int Number, ScannedImage Image)> told = [];
        int number = 0;
        foreach (ScannedImage image in report.Images.Take(MaxImages))
        {
            number++;
            bool details = addressOf is null && (image.Findings.Count + image.Coverage.Needs.Count + 3) is int cost && cost <= budget;
            if (details)
            {
                budget -= image.Findings.Count + image.Coverage.Needs.Count + 3;
                told.Add((number, image));
            }

            Row(html, image, addressOf?.Invoke(image) ?? (details ? $"#image-{number}" : null));
        }

        html.Close(2).Open("p", ("class", "pager"), ("id", "pager"), ("hidden", ""))
            .Element("button", "Previous", ("type", "button"), ("id", "previous")).Element("span", "", ("id", "page"))
            .Element("button", "Next", ("type", "button"), ("id", "next")).Close();
        if (report.Images.Count > MaxImages)
        {
            html.Element(
                "p", $"{report.Images.Count - MaxImages:N0} more images, of lower risk, are not listed here. Export-ClairScanReport -Format Json or Csv tells all.", ("class", "notice notice-warning"));
        }

        if (addressOf is null && told.Count < Math.Min(report.Images.Count, MaxImages))
        {
            html.Element(
                "p", $"The findings of {Math.Min(report.Images.Count, MaxImages) - told.Count:N0} images are counted here and not told: export them one by one, or as Json or Csv.",
                ("class", "notice notice-warning"));
        }

        html.Close().Line();
        foreach ((int at, ScannedImage image) in told)
        {
            html.Open("section", [("class", "image detail"), ("id", $"image-{at}"), ("aria-labelledby", $"image-{at}-title"), .. Data(image)])
                .Open("h2", ("id", $"image-{at}-title")).Badge(Key(image.Coverage.Verdict), Word(image.Coverage.Verdict)).Text(" ").Element("span", image.Name, ("class", "file")).Close();
            html.Open("p").Text($"{image.Coverage.Summary}. {ScanText.Findings(image)}.").Close();
            ImageDetails.Write(html, report, image, MaxFindings, at);
            html.Close().Line();
        }
    }

    private static void Row(HtmlWriter html, ScannedImage image, string? address)
    {
        ImageCoverage c = image.Coverage;
        html.Open("tr", [("class", "image row"), .. Data(image)]).Open("th", ("scope", "row"), ("class", "file"));
        _ = address is null ? html.Text(image.Name) : html.Element("a", image.Name, ("href", address));
        html.Close().Open("td", ("data-head", "Verdict")).Badge(Key(c.Verdict), Word(c.Verdict)).Close()
            .Open("td", ("data-head", "Findings"), ("class", "num"));
        Counts(html, image);
        html.Close().Element("td", $"{c.PackageCount - c.PackagesSpokenFor:N0} of {c.PackageCount:N0}", ("data-head", "Not spoken for"), ("class", "num"))
            .Open("td", ("data-head", "Why"));
        _ = c.Gaps.Count == 0
            ? html.Element("span", image.GoodUntil is { } until ? $"Good until {PageText.Time(until)} if nothing is brought in." : "–", ("class", "unknown wrapping"))
            : html.Element("span", Brief(c));
        foreach (CoverageNote held in c.Notes.Where(n => n.Code == CoverageCodes.FeedPartial))
        {
            html.Element("p", held.Message, ("class", "cause"));
        }

        html.Close(2).Line();
    }

    /// <summary>The summary without the verdict, which stands beside it; of a report that could not be read, why.</summary>
    private static string Brief(ImageCoverage coverage)
    {
        string brief = coverage.Summary[(coverage.Summary.IndexOf(": ", StringComparison.Ordinal) is var colon and >= 0 ? colon + 2 : 0)..];
        return coverage.Gaps[0].Code == ScannedImage.ReportUnreadable ? $"{brief}: {coverage.Gaps[0].Message}" : brief;
    }

    private static void Counts(HtmlWriter html, ScannedImage image)
    {
        if (image.TakenAt is null)
        {
            html.Element("span", "not judged", ("class", "unknown"));
            return;
        }

        if (image.Total == 0)
        {
            html.Element("span", image.Coverage.Verdict == CoverageVerdict.Covered ? "0" : "0, but see the verdict");
            return;
        }

        html.Open("span").Text(string.Join(", ", Enum.GetValues<ScanSeverity>().OrderDescending().Where(s => image.Counts.GetValueOrDefault(s) > 0)
            .Select(s => $"{image.Counts[s]:N0} {s.ToString().ToLowerInvariant()}"))).Close();
    }

    internal static string Headline(int bad, int total) => total == 0 ? "Unknown: no image has been reported"
        : bad == 0 ? (total == 1 ? "Covered: the image is judged from current feeds" : $"Covered: all {total:N0} images are judged from current feeds")
        : $"{bad:N0} of {PageText.Count(total, "image", "images")}: a clean result may be false";

    private static string Meaning(CoverageVerdict verdict) => verdict switch
    {
        CoverageVerdict.Covered => "Every package that Clair can judge is judged from current feeds. No finding means that these feeds know of none.",
        CoverageVerdict.Stale => "What became known since the feeds were captured is not in the findings: a clean result may be false.",
        CoverageVerdict.EndOfLife => "The upstream publishes nothing more for what the image is made of: no finding does not mean no vulnerability.",
        CoverageVerdict.Unsupported => "Clair never judges some of what is in the image, whatever feeds are there: no finding of it means nothing.",
        CoverageVerdict.Incomplete => "Feeds that the image needs are not there: no finding of what they cover means nothing.",
        _ => "Clair knows nothing of this image. That is not a clean result.",
    };

    private static void Words(HtmlWriter html) => html.Open("section", ("aria-labelledby", "words-title"), ("class", "words"))
        .Element("h2", "How to read this page", ("id", "words-title")).Open("dl")
        .Element("dt", "Covered").Element("dd", Meaning(CoverageVerdict.Covered))
        .Element("dt", "Stale").Element("dd", Meaning(CoverageVerdict.Stale))
        .Element("dt", "End of life").Element("dd", Meaning(CoverageVerdict.EndOfLife))
        .Element("dt", "Unsupported").Element("dd", Meaning(CoverageVerdict.Unsupported))
        .Element("dt", "Incomplete").Element("dd", Meaning(CoverageVerdict.Incomplete))
        .Element("dt", "Unindexed").Element("dd", Meaning(CoverageVerdict.Unindexed))
        .Element("dt", "Dates").Element("dd", "The dates of feeds are those of what this site publishes. Whether Clair has taken it in counts where sources.yaml names the Clair (clair: url) and it is asked; "
            + "what it had when it gave its report is for Get-ClairUpdateOperation to say.")
        .Close(2).Line();
}

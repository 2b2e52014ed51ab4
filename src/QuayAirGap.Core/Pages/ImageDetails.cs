using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Scanning;

namespace QuayAirGap.Core.Pages;

/// <summary>One image: what its result lacks, what it rests on, and what was found.</summary>
internal static class ImageDetails
{
    /// <param name="most">How many findings are told.</param>
    /// <param name="number">Tells the headings of several images on one page apart; 0 for the only one.</param>
    public static void Write(HtmlWriter html, ScanReport report, ScannedImage image, int most, int number = 0)
    {
        string level = number == 0 ? "h2" : "h3";
        Gaps(html, image, level);
        Needs(html, report, image, level);
        Findings(html, report, image, most, level);
    }

    private static void Gaps(HtmlWriter html, ScannedImage image, string level)
    {
        if (image.Coverage.Gaps.Count > 0)
        {
            html.Open("section").Element(level, "Why a clean result may be false, and what to do").Open("ul", ("class", "todo"));
            foreach (CoverageGap gap in image.Coverage.Gaps)
            {
                html.Open("li").Open("p", ("class", "head")).Badge(ImagesPage.Key(gap.Verdict), ImagesPage.Word(gap.Verdict)).Text(" ")
                    .Element("strong", gap.Subject).Text(" ").Element("span", gap.Code, ("class", "file unknown")).Close()
                    .Element("p", gap.Message);
                if (gap.PackageCount > 0)
                {
                    html.Element("p", $"It concerns {PageText.Count(gap.PackageCount, "package", "packages")}.", ("class", "cause"));
                }

                html.Open("p", ("class", "remedy")).Element("strong", "Do: ").Text(gap.Remedy).Close(2);
            }

            html.Close(2).Line();
        }

        foreach (CoverageNote note in image.Coverage.Notes)
        {
            html.Open("p", ("class", "notice")).Text(note.Message).Close().Line();
        }
    }

    /// <summary>What each non-finding rests on.</summary>
    private static void Needs(HtmlWriter html, ScanReport report, ScannedImage image, string level)
    {
        html.Open("section").Element(level, "What a missing finding rests on");
        if (image.Coverage.Needs.Count == 0)
        {
            html.Element("p", "On nothing: no feed speaks for anything in this image.").Close().Line();
            return;
        }

        html.Open("table").Open("thead").Open("tr");
        foreach (string head in new[] { "What", "Feed", "State", "Captured (UTC)", "Packages" })
        {
            html.Element("th", head, ("scope", "col"));
        }

        html.Close(2).Open("tbody");
        foreach (CoverageNeed need in image.Coverage.Needs)
        {
            TimeSpan? warn = report.Sources.FirstOrDefault(s => s.Name == need.Source)?.WarnAfter;
            html.Open(
                    "tr", ("class", "need"), ("data-level", PageText.Key(need.Level)),
                    ("data-turns", need.CapturedAt + warn is { } turns ? PageText.Millis(turns) : null))
                .Element("th", need.Subject, ("scope", "row"))
                .Element("td", need.Part is null ? need.Source : $"{need.Source} {need.Part}", ("data-head", "Feed"))
                .Open("td", ("data-head", "State")).Badge(PageText.Key(need.Level), PageText.State(need.State)).Close()
                .Open("td", ("data-head", "Captured"), ("class", "clock")).Moment(need.CapturedAt, "never", utc: false).Close()
                .Element("td", $"{need.PackageCount:N0}", ("data-head", "Packages"), ("class", "num")).Close().Line();
        }

        html.Close(3).Line();
    }

    private static void Findings(HtmlWriter html, ScanReport report, ScannedImage image, int most, string level)
    {
        html.Open("section").Element(level, "Findings").Element("p", $"{ScanText.Findings(image)}. The verdict is {ImagesPage.Word(image.Coverage.Verdict)}.", ("class", "worth"));
        if (image.Findings.Count > 0)
        {
            html.Open("table", ("class", "findings")).Open("thead").Open("tr");
            foreach (string head in new[] { "Vulnerability", "Severity", "CVSS", "Package", "Fixed in", "Feed, captured (UTC)" })
            {
                html.Element("th", head, ("scope", "col"));
            }

            html.Close(2).Open("tbody");
            foreach (ScanFinding f in image.Findings.Take(most))
            {
                Finding(html, report, f);
            }

            html.Close(2);
            if (image.Findings.Count > most)
            {
                html.Element(
                    "p", $"{image.Findings.Count - most:N0} more findings, of lower severity, are not told here: Export-ClairScanReport -Format Json or Csv tells all.",
                    ("class", "notice notice-warning"));
            }
        }

        html.Close().Line();
    }

    private static void Finding(HtmlWriter html, ScanReport report, ScanFinding f)
    {
        html.Open("tr").Open("th", ("scope", "row"));
        _ = f.Link.Length == 0 ? html.Text(f.Name) : html.Element("a", f.Name, ("href", f.Link), ("rel", "noreferrer noopener"));
        html.Close().Element("td", f.Severity.ToString(), ("data-head", "Severity"), ("class", f.Severity >= ScanSeverity.High ? "grave" : null))
            .Element("td", f.Cvss is null ? "–" : ScanText.Score(f.Cvss), ("data-head", "CVSS"), ("class", "num"))
            .Element("td", $"{f.Package} {f.PackageVersion}", ("data-head", "Package"), ("class", "file"))
            .Element("td", f.FixedIn.Length == 0 ? "no fix known" : f.FixedIn, ("data-head", "Fixed in"), ("class", f.FixedIn.Length == 0 ? "unknown" : "file"))
            .Element(
                "td", $"{f.Source ?? f.Updater}, {(report.CapturedAt(f.Source) is { } captured ? PageText.Time(captured)[..^4] : "not served here")}", ("data-head", "Feed"))
            .Close().Line();
    }
}

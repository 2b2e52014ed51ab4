using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Scanning;

namespace QuayAirGap.Core.Pages;

/// <summary>What stands behind the verdicts of many images, each reason once: mending one mends all of its images.</summary>
internal static class FleetReasons
{
    private const int Most = 10;

    public static void Write(HtmlWriter html, ScanReport report)
    {
        (CoverageGap Gap, int Images)[] reasons =
        [
            .. report.Images.SelectMany((image, i) => image.Coverage.Gaps.Select(gap => (gap, i)))
                .GroupBy(g => (g.gap.Verdict, g.gap.Code, g.gap.Source, g.gap.Part, Subject: g.gap.Source is null ? g.gap.Subject : ""))
                .Select(g => (g.First().gap, g.DistinctBy(p => p.i).Count()))
                .OrderByDescending(r => r.gap.Verdict).ThenByDescending(r => r.Item2).ThenBy(r => r.gap.Message, StringComparer.Ordinal),
        ];
        if (reasons.Length == 0)
        {
            return;
        }

        html.Open("section", ("aria-labelledby", "reasons-title")).Element("h2", "Why, each reason once, and what to do", ("id", "reasons-title")).Open("ul", ("class", "todo reasons"));
        foreach ((CoverageGap gap, int images) in reasons.Take(Most))
        {
            html.Open("li").Open("p", ("class", "head")).Badge(ImagesPage.Key(gap.Verdict), ImagesPage.Word(gap.Verdict)).Text(" ")
                .Element("strong", PageText.Count(images, "image", "images")).Text(" ").Element("span", gap.Code, ("class", "file unknown")).Close()
                .Element("p", gap.Message)
                .Open("p", ("class", "remedy")).Element("strong", "Do: ").Text(gap.Remedy).Close(2);
        }

        html.Close();
        if (reasons.Length > Most)
        {
            html.Element("p", $"{PageText.Count(reasons.Length - Most, "more reason stands", "more reasons stand")} with the images below.", ("class", "notice"));
        }

        html.Close().Line();
    }
}

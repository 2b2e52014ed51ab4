using System.Text;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Pages;

/// <summary>Ages over the last weeks: one curve for what decides about the whole, and a small one for each required source.</summary>
internal static class StatusCharts
{
    public static void Write(HtmlWriter html, StatusFacts facts)
    {
        SourceFreshness[] required = [.. facts.Sources.Where(s => s.Required)];
        IReadOnlyList<AgePoint> whole = facts.History.OldestOf(required.Select(s => s.Name));
        if (whole.Count == 0)
        {
            return;
        }

        // The tightest thresholds: the curve of the whole mixes sources that may have different ones.
        var (warn, critical, expire) = (required.Min(s => s.WarnAfter), required.Min(s => s.CriticalAfter), required.Min(s => s.ExpireAfter));
        html.Open("section", ("aria-labelledby", "history-title")).Element("h2", "Age over time", ("id", "history-title"))
            .Open("figure", ("class", "history"));
        Chart(html, "h", whole, facts.History, (warn, critical, expire), 720, 160, labelled: true, "The oldest required source");
        html.Open("figcaption").Element("strong", "The oldest required source. ").Text(Sentence(whole, warn))
            .Text($" Lines: warning after {FeedDuration.Format(warn)} (dotted), critical after {FeedDuration.Format(critical)} (dashed), expired after {FeedDuration.Format(expire)} (solid). Sources without any content have no age and are not in the curve.")
            .Close(2).Line();
        html.Open("div", ("class", "multiples"));
        int number = 0;
        foreach (SourceFreshness source in required)
        {
            IReadOnlyList<AgePoint> points = facts.History.PointsOf(source.Name);
            if (points.Count == 0)
            {
                continue;
            }

            html.Open("figure");
            Chart(
                html, $"h{++number}", points, facts.History, (source.WarnAfter, source.CriticalAfter, source.ExpireAfter), 220, 56, labelled: false, source.Name);
            html.Open("figcaption").Element("strong", source.Name).Text($" {Highest(points)}").Close(2).Line();
        }

        html.Close(2).Line();
    }

    private static void Chart(
        HtmlWriter html, string id, IReadOnlyList<AgePoint> points, AgeHistory history, (TimeSpan Warn, TimeSpan Critical, TimeSpan Expire) limits,
        int width, int height, bool labelled, string name)
    {
        double left = labelled ? 62 : 2, right = width - (labelled ? 8 : 2), top = labelled ? 10 : 4, bottom = height - (labelled ? 24 : 3);
        double most = Math.Max(limits.Expire.TotalMilliseconds * 1.15, points.Max(p => p.Age).TotalMilliseconds * 1.05);
        double X(DateTimeOffset time) => left + ((time - history.Since) / AgeHistory.Window * (right - left));
        double Y(TimeSpan age) => bottom - (Math.Max(0, age.TotalMilliseconds) / most * (bottom - top));
        static string N(double value) => PageText.Number(value);

        html.Open("svg", ("viewBox", $"0 0 {width} {height}"), ("role", "img"), ("aria-labelledby", id + "-t"), ("class", labelled ? "chart" : "chart small"))
            .Element("title", $"{name}: {Sentence(points, limits.Warn)}", ("id", id + "-t"));
        foreach ((string mark, string word, TimeSpan at) in new[]
        {
            ("m-warning", "warning", limits.Warn), ("m-critical", "critical", limits.Critical), ("m-expired", "expired", limits.Expire),
        })
        {
            html.Open("line", ("class", mark), ("x1", N(left)), ("x2", N(right)), ("y1", N(Y(at))), ("y2", N(Y(at))));
            if (labelled)
            {
                html.Element("text", word, ("x", N(left - 6)), ("y", N(Y(at) + 4)), ("text-anchor", "end"));
            }
        }

        html.Open("line", ("class", "axis"), ("x1", N(left)), ("x2", N(right)), ("y1", N(bottom)), ("y2", N(bottom)));
        var path = new StringBuilder();
        foreach (AgePoint p in points)
        {
            path.Append(path.Length == 0 ? 'M' : 'L').Append(N(X(p.Time))).Append(' ').Append(N(Y(p.Age)));
        }

        html.Open("path", ("class", "area"), ("d", $"{path}L{N(X(points[^1].Time))} {N(bottom)}L{N(X(points[0].Time))} {N(bottom)}z"))
            .Open("path", ("class", "curve"), ("d", path.ToString()));
        if (labelled)
        {
            for (int i = 0; i <= 3; i++)
            {
                DateTimeOffset at = history.Since + (AgeHistory.Window / 3 * i);
                html.Element(
                    "text", at.UtcDateTime.ToString("d MMM", System.Globalization.CultureInfo.InvariantCulture), ("x", N(X(at))), ("y", N(height - 6)),
                    ("text-anchor", i == 0 ? "start" : i == 3 ? "end" : "middle"));
            }
        }

        html.Close();
    }

    private static string Highest(IReadOnlyList<AgePoint> points) => $"at most {PageText.Age(points.MaxBy(p => p.Age).Age)}";

    private static string Sentence(IReadOnlyList<AgePoint> points, TimeSpan warn)
    {
        AgePoint highest = points.MaxBy(p => p.Age);
        TimeSpan above = TimeSpan.Zero;
        for (int i = 0; i + 1 < points.Count; i += 2)
        {
            // Between two corners it grows as time does.
            TimeSpan length = points[i + 1].Time - points[i].Time;
            TimeSpan over = points[i + 1].Age - warn;
            above += over <= TimeSpan.Zero ? TimeSpan.Zero : over < length ? over : length;
        }

        return $"In the 30 days to {PageText.Time(points[^1].Time)} it was at most {PageText.Age(highest.Age)} old ({PageText.Time(highest.Time)})"
            + (above > TimeSpan.Zero ? $", and above the warning threshold for {PageText.Age(above)}." : ", and never above the warning threshold.");
    }
}

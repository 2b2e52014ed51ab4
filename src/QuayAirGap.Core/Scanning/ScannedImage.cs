using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Core.Scanning;

/// <summary>One image: what the feeds can say of it, and what Clair found. Times are UTC.</summary>
public sealed record ScannedImage
{
    /// <summary>Clair's answer may not be older than this before what it does not say counts as old too.</summary>
    public static readonly TimeSpan AnswerHolds = TimeSpan.FromDays(3);

    /// <summary>As <see cref="CoverageGap.Code"/>: Clair's answer itself is old.</summary>
    public const string ReportStale = "REPORT-STALE";

    /// <summary>"registry/namespace/repository:tag", or the file it came from.</summary>
    public required string Name { get; init; }

    /// <summary>The verdict, with what makes Clair's answer itself unreliable.</summary>
    public required ImageCoverage Coverage { get; init; }

    /// <summary>When Clair gave the answer; null where it gave none.</summary>
    public DateTimeOffset? TakenAt { get; init; }

    /// <summary>The gravest first; empty says nothing by itself.</summary>
    public required IReadOnlyList<ScanFinding> Findings { get; init; }

    /// <summary>How many findings there are of each severity, also where they themselves are left out.</summary>
    public required IReadOnlyDictionary<ScanSeverity, int> Counts { get; init; }

    public int Total => Counts.Values.Sum();

    /// <summary>When a verdict that is good now ends by itself; null where it is not good, or ends nothing.</summary>
    public DateTimeOffset? GoodUntil { get; init; }

    /// <summary>As <see cref="CoverageGap.Code"/>: there was a report, but it could not be read.</summary>
    public const string ReportUnreadable = "REPORT-UNREADABLE";

    /// <summary>An image whose report could not be read or had: it stays in the list, as one of which nothing is known.</summary>
    public static ScannedImage Unreadable(string name, string manifestDigest, FeedException error, DateTimeOffset now) => new()
    {
        Name = name,
        Coverage = new ImageCoverage
        {
            ManifestDigest = manifestDigest,
            Verdict = CoverageVerdict.Unindexed,
            Gaps =
            [
                new CoverageGap
                {
                    Verdict = CoverageVerdict.Unindexed,
                    Code = ReportUnreadable,
                    Subject = "Clair's report",
                    Message = error.Message,
                    Remedy = error.Remedy ?? "Ask Clair for the report again.",
                },
            ],
            EvaluatedAt = now,
            Summary = "Unindexed: Clair's report could not be read",
        },
        Findings = [],
        Counts = new Dictionary<ScanSeverity, int>(),
    };

    /// <summary>Puts together what is known of an image.</summary>
    /// <param name="name">As <see cref="Name"/>.</param>
    /// <param name="coverage">What the feeds can say of it.</param>
    /// <param name="findings">What Clair found.</param>
    /// <param name="takenAt">As <see cref="TakenAt"/>.</param>
    /// <param name="feeds">The feeds that the verdict rests on.</param>
    public static ScannedImage Of(string name, ImageCoverage coverage, IReadOnlyList<ScanFinding> findings, DateTimeOffset? takenAt, SiteFeeds feeds)
    {
        DateTimeOffset now = coverage.EvaluatedAt;
        if (takenAt is { } taken && now - taken >= AnswerHolds)
        {
            // Whatever the feeds are by now: Clair has not judged the image by them.
            int days = (int)(now - taken).TotalDays;
            var gap = new CoverageGap
            {
                Verdict = CoverageVerdict.Stale,
                Code = ReportStale,
                Subject = "Clair's report",
                Message = FormattableString.Invariant($"Clair gave this report {days} days ago. What became known since, and what was imported since, is not in it."),
                Remedy = "Ask Clair for the report again.",
                Since = taken + AnswerHolds,
                Age = now - taken,
                PackageCount = coverage.PackageCount,
            };
            CoverageGap[] gaps = [.. coverage.Gaps.Append(gap).OrderByDescending(g => g.Verdict)];
            coverage = coverage with
            {
                Verdict = gaps[0].Verdict,
                Gaps = gaps,
                Summary = coverage.Verdict == CoverageVerdict.Covered ? FormattableString.Invariant($"Stale: Clair's report is {days} days old") : coverage.Summary,
            };
        }

        return new ScannedImage
        {
            Name = name,
            Coverage = coverage,
            TakenAt = takenAt,
            Findings = findings,
            Counts = findings.GroupBy(f => f.Severity).ToDictionary(g => g.Key, g => g.Count()),
            GoodUntil = coverage.Verdict == CoverageVerdict.Covered ? EndOf(coverage, takenAt, feeds) : null,
        };
    }

    private static DateTimeOffset? EndOf(ImageCoverage coverage, DateTimeOffset? takenAt, SiteFeeds feeds)
    {
        Dictionary<string, TimeSpan> warn = feeds.Sources.ToDictionary(s => s.Name, s => s.WarnAfter);
        IEnumerable<DateTimeOffset> ends = coverage.Needs.Where(n => n.CapturedAt is not null)
            .Select(n => n.CapturedAt!.Value + warn.GetValueOrDefault(n.Source, AnswerHolds));
        ends = ends.Concat(coverage.Needs.Where(n => n.Decides).Select(n => feeds.ClairGoodUntil(n.Source)).OfType<DateTimeOffset>());
        return ends.Concat(takenAt is { } taken ? [taken + AnswerHolds] : []).Select(e => (DateTimeOffset?)e).Min();
    }
}

using System.Globalization;

namespace QuayAirGap.Core.Coverage;

/// <summary>Gathers what is wrong with an image's coverage, and puts it in order.</summary>
/// <param name="packageCount">Of the whole image.</param>
internal sealed class CoverageFindings(int packageCount)
{
    private readonly List<(CoverageGap Gap, string Brief)> _gaps = [];
    private readonly List<CoverageNote> _notes = [];

    /// <summary>A feed that is needed and not met.</summary>
    public void Add(CoverageTarget target, string subject, FeedStanding standing, CoverageVerdict verdict, int packages)
    {
        string name = target.Part is null ? target.Source : $"{target.Source} {target.Part}";
        string consequence = standing.Code switch
        {
            CoverageCodes.FeedStale or CoverageCodes.ClairBehind => "What was published since is not found.",
            CoverageCodes.ClairSilent => "Whether what was published since is found is not known.",
            CoverageCodes.MappingStale => "Packages of repositories that are newer than it are judged by nothing.",
            _ when standing.HasContent => "What is not found may still be there.",
            _ => "That nothing is found in these packages is no result.",
        };
        _gaps.Add((
            new CoverageGap
            {
                Verdict = verdict,
                Code = standing.Code!,
                Source = target.Source,
                Part = target.Part,
                Subject = subject,
                Message = $"{subject}: {name} {standing.Brief}. {Sentence(standing.Reason)} {consequence}",
                Remedy = standing.Remedy,
                Since = standing.Since,
                Age = standing.Age,
                PackageCount = packages,
            },
            $"{name} {standing.Brief}"));
    }

    public void Add(Lack lack, int packages)
    {
        string brief = lack.Code == CoverageCodes.RhelNoRepository ? $"packages of {lack.Subject} have no repository" : $"Clair does not judge {lack.Subject}";
        Add(lack.Verdict, lack.Code, lack.Subject, brief, lack.Message + ".", lack.Remedy, packages);
    }

    public void AddEnd(DistributionUse ended)
    {
        DistributionRelease known = ended.Known!;
        DateOnly last = known.EndOfLife!.Value;
        string day = last.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        _gaps.Add((
            new CoverageGap
            {
                Verdict = CoverageVerdict.EndOfLife,
                Code = CoverageCodes.EndOfLife,
                Source = ended.Target?.Source,
                Part = ended.Target?.Part,
                Subject = ended.Title,
                Message = $"{ended.Title}: {known.Basis} ended on {day} ({known.Page}). Advisories published since may not speak of it. {known.Caveat}".TrimEnd(),
                Remedy = "Build the image on a release that is maintained.",
                Since = new DateTimeOffset(last.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero),
                PackageCount = ended.PackageCount,
            },
            $"{ended.Title} ended on {day}"));
    }

    /// <param name="verdict">Never <see cref="CoverageVerdict.Covered"/>.</param>
    /// <param name="code">One of <see cref="CoverageCodes"/>.</param>
    /// <param name="subject">What it concerns.</param>
    /// <param name="brief">For the summary.</param>
    /// <param name="message">For people.</param>
    /// <param name="remedy">What to do.</param>
    /// <param name="packages">How many it concerns.</param>
    /// <param name="source">The source, where one could help.</param>
    /// <param name="captured">When its content was captured, UTC.</param>
    /// <param name="now">The clock, where <paramref name="captured"/> is given.</param>
    /// <param name="part">The part of the source.</param>
    public void Add(
        CoverageVerdict verdict, string code, string subject, string brief, string message, string remedy, int packages = 0, string? source = null,
        DateTimeOffset? captured = null, DateTimeOffset? now = null, string? part = null) =>
        _gaps.Add((
            new CoverageGap
            {
                Verdict = verdict,
                Code = code,
                Source = source,
                Part = part,
                Subject = subject,
                Message = message,
                Remedy = remedy,
                Age = now - captured,
                PackageCount = packages,
            },
            brief));

    public void Note(string code, string? source, string? part, string message) => _notes.Add(new CoverageNote(code, source, part, message));

    public void Note(CoverageNote note) => _notes.Add(note);

    public ImageCoverage Result(
        string digest, IReadOnlyList<CoverageNeed> needs, int spokenFor, IReadOnlyList<string> distributions, DateTimeOffset now)
    {
        (CoverageGap Gap, string Brief)[] gaps =
        [
            .. _gaps.OrderByDescending(g => g.Gap.Verdict).ThenByDescending(g => g.Gap.PackageCount).ThenBy(g => g.Gap.Source, StringComparer.Ordinal)
                .ThenBy(g => g.Gap.Part, StringComparer.Ordinal).ThenBy(g => g.Gap.Code, StringComparer.Ordinal).ThenBy(g => g.Gap.Message, StringComparer.Ordinal),
        ];
        CoverageVerdict verdict = gaps.Length == 0 ? CoverageVerdict.Covered : gaps[0].Gap.Verdict;
        return new ImageCoverage
        {
            ManifestDigest = digest,
            Verdict = verdict,
            Gaps = [.. gaps.Select(g => g.Gap)],
            Needs = needs,
            Notes = _notes,
            Distributions = distributions,
            PackageCount = packageCount,
            PackagesSpokenFor = spokenFor,
            EvaluatedAt = now,
            Summary = Summary(verdict, gaps, spokenFor),
        };
    }

    private string Summary(CoverageVerdict verdict, (CoverageGap Gap, string Brief)[] gaps, int spokenFor)
    {
        int silent = packageCount - spokenFor;
        int held = _notes.Where(n => n.Code == CoverageCodes.FeedPartial).Sum(n => n.ItemCount);
        string partial = held == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {held} held back");
        if (gaps.Length == 0)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{verdict}: {spokenFor} of {packageCount} packages are judged from fresh feeds{partial}");
        }

        string more = gaps.Length > 1 ? string.Create(CultureInfo.InvariantCulture, $", and {gaps.Length - 1} more") : "";
        string packages = silent > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({silent} of {packageCount} packages not judged)") : "";
        return $"{verdict}: {gaps[0].Brief}{more}{packages}{partial}";
    }

    private static string Sentence(string text) => text.Length == 0 || text.EndsWith('.') ? text : text + ".";
}

using System.Globalization;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Coverage;

/// <summary>
/// Says what a site's feeds can say of images. Where anything that an image needs is not known to be served and fresh, the verdict is not
/// <see cref="CoverageVerdict.Covered"/>. Safe for concurrent use.
/// </summary>
/// <param name="feeds">What the site serves.</param>
/// <param name="release">The Clair that judges the images: releases differ in what they know.</param>
public sealed class CoverageEvaluator(SiteFeeds feeds, ClairRelease release)
{
    private const int MostExamples = 3;
    private const int MostNamed = 20;

    /// <summary>
    /// The updaters that the Clair in question has ingested, where it was asked: what is served here and never came there is a gap as well.
    /// Null where it was not asked. That it has what is served now, and not something older, is for <see cref="IngestionEvaluator"/> to prove.
    /// </summary>
    public IReadOnlySet<string>? IngestedUpdaters { get; init; }

    /// <summary>By whose rules.</summary>
    public ClairRelease Release { get; } = release;

    /// <summary>Whether Clair itself was asked.</summary>
    public ClairAsked ClairAsked => feeds.ClairAsked == ClairAsked.Answered || IngestedUpdaters is null ? feeds.ClairAsked : ClairAsked.Updaters;

    /// <param name="report">What Clair found in the image.</param>
    public ImageCoverage Evaluate(IndexReport report) => Evaluate(report, imageCreatedAt: null);

    /// <param name="report">What Clair found in the image.</param>
    /// <param name="imageCreatedAt">When the image was made, at the latest, UTC, where that is known: the indexer's mappings must not be older.</param>
    public ImageCoverage Evaluate(IndexReport report, DateTimeOffset? imageCreatedAt) => Told(Judge(report, imageCreatedAt)) with { ImageCreatedAt = imageCreatedAt };

    private ImageCoverage Told(ImageCoverage image) => image with { ClairRelease = Release.Name, ClairAsked = ClairAsked };

    private ImageCoverage Judge(IndexReport report, DateTimeOffset? imageCreatedAt)
    {
        if (!report.IsFinished)
        {
            return Unindexed(
                report.ManifestDigest, CoverageCodes.IndexUnfinished, "Clair did not finish indexing it",
                $"Clair's indexer is in the state {report.State}{(report.Error.Length > 0 ? ": " + report.Error.TrimEnd('.') : "")}. Nothing is known of what the image holds.",
                "See the indexer's log. Behind a gap, a missing repository-to-cpe mapping fails the indexing of every image: Test-ClairAirGap looks for it.");
        }

        DateTimeOffset now = feeds.Now;
        var found = new PackageAttribution(report, Release, now);
        var findings = new CoverageFindings(report.Packages.Count);
        AddWhatIsNotFound(findings, report, found);
        List<CoverageNeed> needs = [.. found.Needed.Select(n => Need(findings, n)), .. Mappings(findings, found, imageCreatedAt), Scores(findings, report.Packages.Count)];
        foreach ((Lack lack, int count) in found.Lacks)
        {
            findings.Add(lack, count);
        }

        foreach (DistributionUse ended in found.Distributions.Where(d => d.Known?.HasEnded(now) == true))
        {
            findings.AddEnd(ended);
        }

        if (report.Distributions.Count > 1)
        {
            findings.Note(
                CoverageCodes.SeveralDistributions, null, null,
                $"The image has {report.Distributions.Count} distributions ({string.Join(", ", found.Distributions.Select(d => d.Title).Distinct().Take(MostExamples))}): "
                + "Clair assigns packages to them by layer, and may assign some to the wrong one.");
        }

        return findings.Result(
            report.ManifestDigest, [.. needs.OrderBy(n => OrderOf(n.Source)).ThenBy(n => n.Part, StringComparer.Ordinal)],
            found.CountSpokenFor(t => feeds.StandingOf(t).HasContent), [.. found.Distributions.Select(d => d.Title).Distinct()], now);
    }

    /// <summary>Of an image that Clair has no report of: never skipped, and never clean.</summary>
    /// <param name="manifestDigest">"sha256:…".</param>
    public ImageCoverage NotIndexed(string manifestDigest) => Told(Unindexed(
        manifestDigest, CoverageCodes.NotIndexed, "Clair has no report of it",
        "Clair knows nothing of this image: it was not indexed yet, indexing it failed, or it is of a kind that is not scanned.",
        "See the state of the scan in Quay, and the indexer's log."));

    private static void AddWhatIsNotFound(CoverageFindings findings, IndexReport report, PackageAttribution found)
    {
        if (report.Packages.Count == 0)
        {
            found.NeedAllDistributions();
            findings.Add(
                CoverageVerdict.Unindexed, CoverageCodes.NoPackages, "the whole image", "Clair found no package in it",
                "Clair found no package in the image: what it holds is of no kind that Clair reads, or there is nothing in it. That nothing is found is no result.",
                "See what the image holds. A program that no package manager installed is judged by other scanners, or by its own vendor.");
        }
        else if (report.Distributions.Count > 0 && found.Distributions.All(d => d.PackageCount == 0))
        {
            found.NeedAllDistributions();
            string titles = string.Join(", ", found.Distributions.Select(d => d.Title).Distinct().Take(MostExamples));
            findings.Add(
                CoverageVerdict.Unindexed, CoverageCodes.NoDistributionPackages, titles, $"no package of {titles} was found",
                $"Clair recognised {titles} in the image and found not one package of it: the package database was removed, or is one that Clair cannot read.",
                "Build the image so that it keeps its package database, or have the distribution's part judged by another scanner.");
        }
    }

    private ImageCoverage Unindexed(string digest, string code, string brief, string message, string remedy)
    {
        var findings = new CoverageFindings(0);
        findings.Add(CoverageVerdict.Unindexed, code, "the whole image", brief, message, remedy);
        return findings.Result(digest, [], 0, [], feeds.Now);
    }

    private CoverageNeed Need(CoverageFindings findings, NeededTarget needed)
    {
        FeedStanding standing = feeds.StandingOf(needed.Target);
        string subject = string.Join(", ", needed.Subjects);
        if (!standing.IsMet)
        {
            findings.Add(needed.Target, subject, standing, standing.Verdict, needed.PackageCount);
        }

        else if (IngestedUpdaters is { } ingested && feeds.ServedOf(needed.Target).Where(u => !ingested.Contains(u)).ToArray() is { Length: > 0 } missing)
        {
            string name = needed.Target.Part is { } part ? $"{needed.Target.Source} {part}" : needed.Target.Source;
            string more = missing.Length > MostExamples ? $" and {missing.Length - MostExamples} more" : "";
            findings.Add(
                CoverageVerdict.Incomplete, CoverageCodes.FeedNotIngested, subject, $"{name} never came to Clair",
                $"{subject}: {name} is served here, and Clair has nothing of {string.Join(", ", missing.Take(MostExamples))}{more}. That nothing is found in these packages is no result.",
                "See Get-ClairUpdateOperation, and Test-ClairAirGap for the configuration; after an import Clair takes what is new at its next update.",
                needed.PackageCount, needed.Target.Source, part: needed.Target.Part);
        }

        NotePartial(findings, needed.Target);
        return Need(needed.Target, subject, standing, needed.PackageCount, decides: true);
    }

    private static CoverageNeed Need(CoverageTarget target, string subject, FeedStanding standing, int packages, bool decides) => new()
    {
        Source = target.Source,
        Part = target.Part,
        Subject = subject,
        Updaters = target.Updaters,
        State = standing.State,
        Level = standing.Level,
        CapturedAt = standing.CapturedAt,
        PackageCount = packages,
        Decides = decides,
    };

    /// <summary>
    /// The repositories of Red Hat's packages come from mappings. One that is old is worse than an old feed: packages of newer repositories
    /// are judged by nothing at all, so that it is not stale but incomplete what is known of them.
    /// </summary>
    private IEnumerable<CoverageNeed> Mappings(CoverageFindings findings, PackageAttribution found, DateTimeOffset? imageCreatedAt)
    {
        foreach (string name in found.IsRedHat ? new[] { CoverageRules.RepositoryMapping, CoverageRules.ContainerMapping } : [CoverageRules.RepositoryMapping])
        {
            var target = new CoverageTarget(name, null, []);
            FeedStanding standing = feeds.StandingOf(target);
            string subject = found.IsRedHat ? "Red Hat packages" : "the indexing of every image";
            if (found.IsRedHat && !standing.IsMet)
            {
                findings.Add(target, subject, standing, CoverageVerdict.Incomplete, found.RedHatPackages);
            }

            if (found.IsRedHat && standing.IsMet && imageCreatedAt is { } created && standing.CapturedAt is { } captured && created > captured)
            {
                findings.Add(
                    CoverageVerdict.Incomplete, CoverageCodes.MappingOlderThanImage, subject, $"{name} is older than the image",
                    $"The image is of {Time(created)}, the mapping '{name}' of {Time(captured)}: repositories that came between are unknown to Clair, and their packages are judged by nothing.",
                    "Bring in a newer bundle with Import-ClairFeed, then have Clair index the image again.", found.RedHatPackages, name, captured, now: feeds.Now);
            }

            yield return Need(target, subject, standing, found.RedHatPackages, found.IsRedHat);
        }
    }

    /// <summary>NVD's scores add to what is found and never find anything: without them no vulnerability is missed.</summary>
    private CoverageNeed Scores(CoverageFindings findings, int packages)
    {
        var target = new CoverageTarget(CoverageRules.Scores, null, ["clair.cvss"]);
        FeedStanding standing = feeds.StandingOf(target);
        if (!standing.IsMet)
        {
            findings.Note(
                CoverageCodes.ScoresIncomplete, target.Source, null,
                $"{target.Source} {standing.Brief}: no vulnerability is missed for it, but CVSS scores are missing or old. Rules that go by scores let more pass. {standing.Reason}");
        }

        NotePartial(findings, target);
        return Need(target, "CVSS scores of findings", standing, packages, decides: false);
    }

    /// <summary>Single advisories that are not published; a whole release or year that is missing is a gap of its own.</summary>
    private void NotePartial(CoverageFindings findings, CoverageTarget target)
    {
        HeldBackItem[] items = [.. feeds.HeldBack.Where(h => h.Source == target.Source && Concerns(h, target))];
        if (items.Length == 0)
        {
            return;
        }

        bool isOne = items.Length == 1;
        string name = target.Part is { } part ? $"{target.Source} {part}" : target.Source;
        string more = items.Length > MostNamed ? string.Create(CultureInfo.InvariantCulture, $" and {items.Length - MostNamed} more") : "";
        string reasons = string.Join("; ", items.Select(i => i.Reason.TrimEnd('.')).Distinct().Take(MostExamples));
        string what = string.Create(CultureInfo.InvariantCulture, $"{items.Length} {(HasSingleAdvisories(target) ? isOne ? "advisory" : "advisories" : isOne ? "part" : "parts")}");
        findings.Note(new CoverageNote(
            CoverageCodes.FeedPartial, target.Source, target.Part,
            $"{what} of {name} {(isOne ? "is" : "are")} held back from Clair: {string.Join(", ", items.Take(MostNamed).Select(i => i.Item))}{more} ({reasons}). "
            + $"Should this image have what {(isOne ? "it tells" : "they tell")} of, Clair does not find it.")
        {
            Items = [.. items.Take(CoverageNote.MostItems).Select(i => i.Item)],
            ItemCount = items.Length,
        });
    }

    /// <summary>Of the others whole releases or years are held back; those that an image needs are gaps besides.</summary>
    private static bool HasSingleAdvisories(CoverageTarget target) => target.Source is "osv" or CoverageRules.RhelVex;

    private static bool Concerns(HeldBackItem item, CoverageTarget target) => target.Source switch
    {
        "osv" => target.Part is { } part && item.Reason.StartsWith(part + ":", StringComparison.OrdinalIgnoreCase),
        _ => target.Part is null,
    };

    private static int OrderOf(string source)
    {
        for (int i = 0; i < SourceCatalog.All.Count; i++)
        {
            if (SourceCatalog.All[i].Name == source)
            {
                return i;
            }
        }

        return SourceCatalog.All.Count;
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

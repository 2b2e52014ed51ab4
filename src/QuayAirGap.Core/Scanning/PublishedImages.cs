using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Scanning;

/// <summary>
/// The images whose reports a site keeps, judged by its feeds as they are now. All of them are judged at once and the result is kept
/// while nothing has changed, for a time that grows with what judging costs. Safe for concurrent use.
/// </summary>
/// <param name="site">Whose.</param>
/// <param name="release">The Clair by whose rules they are judged; null for the one that the site's settings name.</param>
/// <param name="clock">Says what now is.</param>
public sealed class PublishedImages(Site site, ClairRelease? release, TimeProvider clock)
{
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(30);

    private readonly StoredReports _stored = new(site);
    private readonly object _judging = new();
    private Judged? _judged;

    public bool Any => _stored.Ids().Count > 0;

    /// <summary>All of them, without their findings but with their counts.</summary>
    /// <returns>The report, and a sentence for each that could not be read.</returns>
    /// <exception cref="FeedException">The site cannot be judged, as for <see cref="SiteFeeds.Load"/>.</exception>
    public (ScanReport Report, IReadOnlyList<string> Troubles) All()
    {
        lock (_judging)
        {
            string stamp = SiteFeeds.StampOf(site) + "|" + _stored.Stamp();
            if (_judged is { } judged && judged.Stamp == stamp && clock.GetElapsedTime(judged.At) < judged.Holds)
            {
                return (judged.Report, judged.Troubles);
            }

            long start = clock.GetTimestamp();
            (ScanReport report, IReadOnlyList<string> troubles) = JudgeAll();
            TimeSpan cost = clock.GetElapsedTime(start);
            _judged = new Judged(stamp, clock.GetTimestamp(), cost * 20 > s_shortest ? cost * 20 : s_shortest, report, troubles);
            return (report, troubles);
        }
    }

    /// <summary>One of them, with its findings; null where there is none of that id.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/>, or the site cannot be judged.</exception>
    public ScanReport? One(string id)
    {
        if (!StoredReports.IsId(id) || _stored.Load(id) is not { } stored)
        {
            return null;
        }

        var feeds = SiteFeeds.Load(site, clock);
        var evaluator = new CoverageEvaluator(feeds, release ?? feeds.Release);
        return ScanReport.Of(NameOfSite(), feeds, evaluator, [stored.Judge(evaluator, feeds)]);
    }

    private (ScanReport, IReadOnlyList<string>) JudgeAll()
    {
        var feeds = SiteFeeds.Load(site, clock);
        var evaluator = new CoverageEvaluator(feeds, release ?? feeds.Release);
        List<ScannedImage> images = [];
        List<string> troubles = [];
        foreach (string id in _stored.Ids())
        {
            try
            {
                if (_stored.Load(id)?.Judge(evaluator, feeds) is { } image)
                {
                    images.Add(image with { Findings = [], Coverage = image.Coverage with { Needs = [] } });
                }
            }
            catch (FeedException e)
            {
                troubles.Add($"{e.Message} {e.Remedy}");
            }
        }

        return (ScanReport.Of(NameOfSite(), feeds, evaluator, images), troubles);
    }

    private string NameOfSite() => SiteSettings.Load(site).Warnings.Name ?? Environment.MachineName;

    private sealed record Judged(string Stamp, long At, TimeSpan Holds, ScanReport Report, IReadOnlyList<string> Troubles);
}

using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Judges by what a site serves. The site is read anew when it has changed; reports themselves are not kept: Clair writes the members of its maps in
/// another order each time, so that no two are the same bytes, and judging one costs a few milliseconds.
/// </summary>
internal sealed class SiteJudge(Site site, ClairRelease? release, TimeProvider time) : IReportJudge
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private (SiteFeeds Feeds, CoverageEvaluator Evaluator)? _current;
    private long _lookedAt;

    public ImageCoverage Judge(ReadOnlyMemory<byte> report) => Evaluator().Evaluate(IndexReport.Read(report));

    private CoverageEvaluator Evaluator()
    {
        lock (_lock)
        {
            if (_current is { } current && time.GetElapsedTime(_lookedAt) < s_lookEvery)
            {
                return current.Evaluator;
            }

            if (_current is not { } known || SiteFeeds.StampOf(site) != known.Feeds.Stamp)
            {
                var feeds = SiteFeeds.Load(site, time);
                _current = (feeds, new CoverageEvaluator(feeds, release ?? feeds.Release));
            }

            _lookedAt = time.GetTimestamp();
            return _current.Value.Evaluator;
        }
    }
}

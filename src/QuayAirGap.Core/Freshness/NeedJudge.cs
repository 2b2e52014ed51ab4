using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Freshness;

/// <summary>Judges a source that images need, as the site knows: left out, or without a part that is needed, it is never good.</summary>
internal static class NeedJudge
{
    private const int MostNames = 8;

    /// <param name="judged">As the source is by itself.</param>
    /// <param name="source">What is known of it, or null.</param>
    /// <param name="need">What images need of it.</param>
    /// <param name="now">UTC.</param>
    public static SourceFreshness Judge(SourceFreshness judged, SourceSnapshot? source, NeededSource need, DateTimeOffset now)
    {
        if (!judged.Enabled)
        {
            return judged with
            {
                Required = true,
                Level = FreshnessLevel.Critical,
                Cause = FeedCause.Deselected,
                Reason = $"It is disabled in this site's settings, and {Images(need.Images)}.",
                Remedy = $"Enable it with Set-ClairFeedSource {judged.Name} -Enabled $true, here and where the feeds are collected; or make the list of needs again, if they are gone.",
            };
        }

        if (judged.State != FeedState.Fresh || source is null)
        {
            return judged;
        }

        // A release that has ended may be gone from its upstream for good: the verdict of the images says so, and an alarm would never end.
        NeededPart[] lacking =
        [
            .. need.Parts.Where(p => !source.Releases.Contains(p.Name, StringComparer.OrdinalIgnoreCase) && !HasEnded(judged.Name, p.Name, now)),
        ];
        if (lacking.Length == 0)
        {
            return judged;
        }

        bool deselected = lacking.All(p => source.Deselected.Contains(p.Name, StringComparer.OrdinalIgnoreCase));
        string names = string.Join(", ", lacking.Take(MostNames).Select(p => $"'{p.Name}'")) + (lacking.Length > MostNames ? $" and {lacking.Length - MostNames} more" : "");
        return judged with
        {
            State = deselected ? FeedState.Deselected : FeedState.Missing,
            Level = FreshnessLevel.Critical,
            Cause = deselected ? FeedCause.Deselected : FeedCause.NotCollected,
            Reason = $"It is fresh, but without {names}, and {Images(lacking.Max(p => p.Images))}.",
            Remedy = "Give the list of what is needed to the collecting site: Get-ClairFeedNeed -OutFile here, Set-ClairFeedSource -Need there.",
        };
    }

    private static bool HasEnded(string source, string part, DateTimeOffset now) => DistributionReleases.All.Any(r =>
        r.HasEnded(now) && CoverageRules.RuleOf(r.Indexed)?.TargetOf(r.Release, Clair.ClairRelease.Main, now) is { } target
        && target.Source == source && string.Equals(target.Part, part, StringComparison.OrdinalIgnoreCase));

    private static string Images(int count) => count == 1 ? "an image needs it" : FormattableString.Invariant($"{count} images need it");
}

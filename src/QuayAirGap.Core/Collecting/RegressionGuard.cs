using System.Globalization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// Tells a capture that lost something from one that only changed: an upstream that is broken, half there, rolled back or poisoned still
/// answers 200. What the user deselected is not lost.
/// </summary>
internal static class RegressionGuard
{
    /// <summary>Of the sample, in per cent: an advisory is withdrawn now and then, one in twenty never is within a few days.</summary>
    private const int MaxSampleLoss = 5;

    /// <summary>In a sample of few, one or two that are gone are a large share and no sign of anything.</summary>
    private const int FewOfSample = 2;

    private const int MostNames = 5;

    /// <summary>Withdrawals move the newest date back by hours; an old copy of the feed by weeks.</summary>
    private static readonly TimeSpan s_maxSetback = TimeSpan.FromDays(7);

    /// <returns>What is lost, with figures, as the inside of a sentence; null where nothing is.</returns>
    public static string? Find(SourceSnapshot before, SourceSnapshot now, SourceSettings settings)
    {
        List<string> findings = [];

        // Without a part that was there, totals cannot be compared: what they lost may be what was deselected.
        List<string> gone = [.. before.Releases.Except(now.Releases, StringComparer.OrdinalIgnoreCase)];
        List<string> lost = [.. gone.Except(now.Deselected, StringComparer.OrdinalIgnoreCase)];
        bool narrowed = lost.Count < gone.Count;
        if (!narrowed)
        {
            AddIf(findings, CountLoss(before, now, settings.MaxShrink));
            AddIf(findings, SampleLoss(before, now));
            AddIf(findings, Setback(before, now));
            AddIf(findings, Gone(before.Updaters.Except(now.Updaters, StringComparer.Ordinal), "updater"));
        }

        AddIf(findings, Gone(lost, settings.Definition.PartKind ?? "release"));
        return findings.Count == 0 ? null : string.Join("; ", findings);
    }

    private static string? CountLoss(SourceSnapshot before, SourceSnapshot now, int maxShrink)
    {
        long lost = before.AdvisoryCount - now.AdvisoryCount;
        bool regressed = lost > 0 && (now.AdvisoryCount == 0 || lost * 100m > before.AdvisoryCount * (decimal)maxShrink);
        return regressed ? string.Create(CultureInfo.InvariantCulture, $"{now.AdvisoryCount:N0} advisories instead of {before.AdvisoryCount:N0}") : null;
    }

    private static string? SampleLoss(SourceSnapshot before, SourceSnapshot now)
    {
        if (now.Sample.Count == 0)
        {
            return null; // not counted this time: the total says what there is to say
        }

        List<string> due = [.. before.Sample.Where(id => AdvisoryCensus.WouldBeIn(now.Sample, id))];
        List<string> gone = [.. due.Except(now.Sample, StringComparer.Ordinal)];
        return gone.Count > FewOfSample && gone.Count * 100 > due.Count * MaxSampleLoss
            ? $"{gone.Count} of {due.Count} sampled advisories are gone ({Names(gone)})"
            : null;
    }

    private static string? Setback(SourceSnapshot before, SourceSnapshot now)
    {
        // A date that was in the future was an error, and its correction is none.
        return before.NewestAdvisory is { } then && now.NewestAdvisory is { } newest && then - newest > s_maxSetback && then <= before.CapturedAt
            ? $"its newest advisory is of {Day(newest)}, and was of {Day(then)}"
            : null;
    }

    private static string? Gone(IEnumerable<string> lost, string what)
    {
        List<string> names = [.. lost.Order(StringComparer.Ordinal)];
        return names.Count switch
        {
            0 => null,
            1 => $"the {what} {names[0]} is gone",
            _ => $"{names.Count} {what}s are gone ({Names(names)})",
        };
    }

    private static string Names(List<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static void AddIf(List<string> findings, string? finding)
    {
        if (finding is not null)
        {
            findings.Add(finding);
        }
    }
}

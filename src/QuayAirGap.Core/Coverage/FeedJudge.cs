using System.Globalization;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Coverage;

/// <summary>
/// Judges one feed, or a part of one, that something needs. It is met only where everything says so: what is not known to be served and
/// fresh is a gap.
/// </summary>
/// <param name="Target">What is needed.</param>
/// <param name="Freshness">Of its source; null for a source that the catalogue does not have.</param>
/// <param name="HasGeneration">Whether anything is published.</param>
/// <param name="Published">The source as it is published, or null.</param>
/// <param name="IsServed">Whether the generation answers with any content of it.</param>
/// <param name="Settings">What this site wants of it.</param>
/// <param name="HeldBack">What of any source is not published.</param>
/// <param name="Decision">Who decided here, where somebody did.</param>
internal sealed record FeedJudge(
    CoverageTarget Target, SourceFreshness? Freshness, bool HasGeneration, SourceSnapshot? Published, bool IsServed, SourceSettings? Settings,
    IReadOnlyList<HeldBackItem> HeldBack, Func<SettingsDecision?> Decision)
{
    private const int MostNames = 12;

    private bool IsMapping => Target.Updaters.Count == 0;

    private string Name => Target.Part is null ? $"'{Target.Source}'" : $"'{Target.Part}' of '{Target.Source}'";

    public FeedStanding Judge()
    {
        if (Freshness is null)
        {
            return Gap(FeedState.Unsupported, CoverageCodes.FeedUnsupported, "is not known here", "This version of QuayAirGap does not know it.", "Install a newer one.");
        }

        if (!HasGeneration)
        {
            return Missing("Nothing is published at this site.", "Bring a bundle in with Import-ClairFeed.");
        }

        bool hasPart = Published is { CapturedAt: not null } && IsServed && LacksOf(Published).Count == 0;
        return Freshness.State switch
        {
            _ when !Freshness.Enabled => DeselectedHere(hasPart),
            FeedState.Missing or FeedState.Stale when hasPart && Freshness.Cause is FeedCause.NotIngested or FeedCause.ClairSilent => InClair(Freshness),
            FeedState.Missing => Missing(Freshness.Reason, Freshness.Remedy),
            FeedState.Deselected => Gap(
                FeedState.Deselected, CoverageCodes.FeedDeselected, "is deselected", Freshness.Reason, Freshness.Remedy, hasPart),
            FeedState.Unsupported => Gap(
                FeedState.Unsupported, CoverageCodes.FeedUnsupported, "cannot be carried", Freshness.Reason, Freshness.Remedy, hasPart),
            _ when !hasPart => Absent(Freshness),
            FeedState.Failed => Failed(Freshness),
            FeedState.Stale => Stale(Freshness),
            FeedState.Fresh when Freshness.Level == FreshnessLevel.Ok => Standing(FeedState.Fresh, hasContent: true),
            _ => Gap(Freshness.State, CoverageCodes.FeedMissing, "is in an unknown state", Freshness.Reason, Freshness.Remedy, hasPart),
        };
    }

    /// <summary>What of the target the content does not have.</summary>
    private List<string> LacksOf(SourceSnapshot published)
    {
        List<string> lacks = [.. Due(published).Where(u => !published.Updaters.Contains(u))];
        if (Target.Part is { } part && !published.Releases.Contains(part, StringComparer.OrdinalIgnoreCase))
        {
            lacks.Add(part);
        }

        return lacks;
    }

    /// <summary>Oracle opens a year's document in that year: of a capture, the years that it could have had.</summary>
    private IEnumerable<string> Due(SourceSnapshot published)
    {
        if (Target.Source != "oracle" || published.CapturedAt is not { } captured)
        {
            return Target.Updaters;
        }

        int last = captured.UtcDateTime.Month == 1 ? captured.UtcDateTime.Year - 1 : captured.UtcDateTime.Year;
        string none = FormattableString.Invariant($"oracle-{last + 1}-updater");
        return Target.Updaters.Where(u => string.CompareOrdinal(u, none) < 0);
    }

    private FeedStanding DeselectedHere(bool hasPart)
    {
        SettingsDecision? by = Decision();
        string who = by is null ? "" : $" ({by.Actor} changed them at {Time(by.Time)})";
        string content = hasPart ? " What is served of it is watched by nobody." : "";
        return Gap(
            FeedState.Deselected, CoverageCodes.FeedDeselected, "is deselected here", $"This site's settings leave out '{Target.Source}'{who}.{content}",
            $"Enable it with Set-ClairFeedSource {Target.Source} -Enabled $true, here and where the feeds are collected.", hasPart) with
        {
            Since = by?.Time,
        };
    }

    private FeedStanding Absent(SourceFreshness freshness)
    {
        if (Published is not { CapturedAt: { } captured } || !IsServed)
        {
            return freshness.State == FeedState.Failed ? Failed(freshness) : Missing(freshness.Reason, freshness.Remedy);
        }

        if (Target.Part is { } part && Published.Deselected.Contains(part, StringComparer.OrdinalIgnoreCase))
        {
            return Gap(
                FeedState.Deselected, CoverageCodes.FeedDeselected, "is deselected",
                $"{Name} was left out where the feeds are collected, as of the capture of {Time(captured)}.{OfThisSite()}",
                $"Whoever collects includes it: Set-ClairFeedSource {Target.Source} -Include, or -Need with the list of what is needed.");
        }

        if (Target.Part is { } wanted && Settings is { Definition.PartKind: not null } && !Settings.Selection.Wants(wanted))
        {
            return Gap(
                FeedState.Deselected, CoverageCodes.FeedDeselected, "is deselected", $"{Name} is left out by this site's settings.{OfThisSite()}",
                $"Include it with Set-ClairFeedSource {Target.Source} -Include, here and where the feeds are collected.");
        }

        List<string> lacks = LacksOf(Published);
        string held = HeldBack.FirstOrDefault(h => h.Source == Target.Source && lacks.Exists(l => h.Item.Split(", ").Contains(l))) is { } item ? " " + item.Reason : "";
        string has = Target.Part is null || Published.Releases.Count == 0 ? "" : $" It has {Names(Published.Releases)}.";
        string what = Target.Part is null || lacks.Contains(Target.Part)
            ? Target.Part is null ? $"'{Target.Source}' lacks {Names(lacks)}" : $"{Name} is not"
            : $"{Name} is there without {Names(lacks)}";
        return Missing(
            what.EndsWith("is not", StringComparison.Ordinal)
                ? $"{what} in what was captured at {Time(captured)}.{has}{held}"
                : $"{what}, as of the capture of {Time(captured)}.{held}",
            "See whether its upstream has it (a release that has ended may be gone for good), then whether the collecting site selects it: Get-ClairFeedSource.");
    }

    private string OfThisSite() => Decision() is { } by ? $" At this site, {by.Actor} changed the selection at {Time(by.Time)}." : "";

    private FeedStanding Failed(SourceFreshness freshness)
    {
        bool published = Published?.Error?.StartsWith(Publisher.NotPublished, StringComparison.Ordinal) == true;
        bool quarantined = !published && Published?.ErrorId == ErrorIds.UpstreamRegressed;
        return Gap(
            FeedState.Failed, quarantined ? CoverageCodes.FeedQuarantined : CoverageCodes.FeedFailed,
            quarantined ? "is quarantined" : published ? "could not be published" : "failed to be captured", freshness.Reason, freshness.Remedy,
            Published is { CapturedAt: not null } && IsServed && LacksOf(Published).Count == 0);
    }

    /// <summary>It is served as it should be, and Clair does not have it, or is not known to.</summary>
    private FeedStanding InClair(SourceFreshness freshness)
    {
        bool isSilent = freshness.Cause == FeedCause.ClairSilent;
        string since = freshness.ClairBehindSince is { } behind ? $" since {Time(behind)}" : "";
        return freshness.State == FeedState.Missing
            ? Gap(FeedState.Missing, CoverageCodes.FeedNotIngested, "never came to Clair", freshness.Reason, freshness.Remedy)
            : Gap(
                FeedState.Stale, isSilent ? CoverageCodes.ClairSilent : CoverageCodes.ClairBehind,
                isSilent ? "is not known to be in Clair" : $"has not been taken by Clair{since}", freshness.Reason, freshness.Remedy, hasContent: true) with
            {
                Since = freshness.ClairBehindSince ?? freshness.StaleSince,
                Age = freshness.IngestedCapturedAt is { } had ? freshness.Age + (freshness.CapturedAt - had) : null,
            };
    }

    private FeedStanding Stale(SourceFreshness freshness) => Gap(
        FeedState.Stale, IsMapping ? CoverageCodes.MappingStale : CoverageCodes.FeedStale,
        freshness.Age is { } age && freshness.Cause != FeedCause.WrongClock ? $"is {Days(age)} old" : "is of an age that is not known",
        freshness.Reason, freshness.Remedy, hasContent: true) with
    {
        Since = freshness.StaleSince,
    };

    private FeedStanding Missing(string reason, string? remedy) => Gap(FeedState.Missing, CoverageCodes.FeedMissing, "is missing", reason, remedy);

    private FeedStanding Gap(FeedState state, string code, string brief, string reason, string? remedy, bool hasContent = false) =>
        Standing(state, hasContent) with { Code = code, Brief = brief, Reason = reason, Remedy = remedy ?? "" };

    private FeedStanding Standing(FeedState state, bool hasContent) => new()
    {
        State = state,
        Level = state == FeedState.Fresh || (Freshness is { } f && f.State == state && f.Required) ? Freshness!.Level : FreshnessLevel.Critical,
        HasContent = hasContent,
        CapturedAt = hasContent ? Published?.CapturedAt : null,
        Age = hasContent ? Freshness?.Age : null,
    };

    private static string Days(TimeSpan age) => age.TotalDays >= 2 ? FormattableString.Invariant($"{age.Days} days") : FormattableString.Invariant($"{(int)age.TotalHours} hours");

    private static string Names(IReadOnlyCollection<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

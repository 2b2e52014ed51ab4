using System.Globalization;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Freshness;

/// <summary>Judges one source.</summary>
/// <param name="Settings">What this site wants of it.</param>
/// <param name="Clock">The time.</param>
/// <param name="HasAny">Whether anything was ever captured or brought in, of whatever source.</param>
/// <param name="Source">What is known of it, or null.</param>
/// <param name="Way">How it came here.</param>
/// <param name="KnownSince">How long the site has at least been without it, where it is missing.</param>
/// <param name="Rhythm">Modification times that its upstream had, rising.</param>
/// <param name="View">What is known of Clair; null where nobody asks it.</param>
internal sealed record SourceJudge(
    SourceSettings Settings, FreshnessClock Clock, bool HasAny, SourceSnapshot? Source, FeedWay Way, DateTimeOffset? KnownSince,
    IReadOnlyList<DateTimeOffset> Rhythm, ClairView? View = null)
{
    private const string CheckClock =
        "Set this machine's clock (and the collector's) by a time server, then look again. Where it is right now and was wrong before, say so with " +
        "Send-ClairFeedWarning -AcceptClock.";
    private const string Collect = "Run Save-ClairFeed outside and bring its bundle in with Import-ClairFeed.";
    private const string CheckClair =
        "See in Clair's log whether its updaters run and fail (Get-ClairUpdateOperation shows what it has, Test-ClairAirGap why it may not read the mirror). " +
        "Where no image needs the source, disable it here.";
    private const string CheckAccess = "See that Clair runs, and that url, key and issuer below 'clair:' in sources.yaml are right.";

    /// <summary>Shorter silences say nothing, however often an upstream usually speaks.</summary>
    private static readonly TimeSpan s_leastSilence = TimeSpan.FromDays(14);

    private bool IsRequired => Settings.Enabled;

    /// <summary>How Clair stands with it; nothing of which no content is served can be in Clair.</summary>
    private ClairStanding Clair =>
        View is not null && Way.PublishedAt is { } published && Source?.CapturedAt is not null
            ? View.Of(Settings, published, Clock) : new ClairStanding(ClairHolding.NotAsked);

    public SourceFreshness Judge()
    {
        ClairStanding clair = Clair;
        SourceFreshness served = JudgeServed() with
        {
            ClairHolding = clair.Holding,
            IngestedAt = clair.ProvedAt,
            IngestedGeneration = clair.Generation,
            IngestedCapturedAt = clair.CapturedAt,
            ClairBehindSince = clair.BehindSince,
        };
        if (!served.Required || clair.Reason.Length == 0)
        {
            return served;
        }

        // Clair's own part is said where it is the worse one; where the clock is wrong nothing else can be said.
        string reason = $"{served.Reason} {clair.Reason}";
        if (clair.Level <= served.Level || served.Cause == FeedCause.WrongClock)
        {
            return served with { Reason = reason };
        }

        return served with
        {
            Level = clair.Level,
            State = served.State != FeedState.Fresh ? served.State : clair.Holding == ClairHolding.Missing ? FeedState.Missing : FeedState.Stale,
            StaleSince = served.StaleSince ?? StaleInClair(clair),
            Cause = clair.Cause,
            Reason = reason,
            Remedy = clair.Cause == FeedCause.ClairSilent ? CheckAccess : CheckClair,
        };
    }

    /// <summary>Since when what Clair has is too old; null where that is not known, or it is not that.</summary>
    private DateTimeOffset? StaleInClair(ClairStanding clair) =>
        clair.CapturedAt is { } captured && Clock.AgeOf(captured) >= Settings.WarnAfter ? captured + Settings.WarnAfter
        : clair is { Cause: FeedCause.NotIngested, BehindSince: { } since } && Clock.AgeOf(since) > View!.Settings.PickUpWithin ? since + View.Settings.PickUpWithin
        : null;

    private SourceFreshness JudgeServed()
    {
        if (!Settings.Enabled)
        {
            return Report(FeedState.Deselected, FreshnessLevel.Ok, "It is disabled in this site's settings: results for what it covers are incomplete.", null);
        }

        return Source switch
        {
            null => Absent(HasAny
                ? "What was captured or brought in last does not know this source at all."
                : "Nothing was ever captured or brought in here."),
            { State: CaptureState.Captured, CapturedAt: { } time } => Captured(time),
            { State: CaptureState.Failed, CapturedAt: { } time } => Failed(time),
            { State: CaptureState.Captured } => Absent("It is said to be captured, but not when."),
            { State: CaptureState.Failed } => Report(
                FeedState.Failed, WithoutContent(), $"Its capture failed, and there is none before it: {Sentence(Source.Error)}", Collect),
            { State: CaptureState.Deselected } => Report(
                FeedState.Deselected, FreshnessLevel.Critical, "It was left out where the feeds are collected, but this site needs it.",
                "Enable it outside with Set-ClairFeedSource, or disable it here if no image needs it."),
            { State: CaptureState.Unsupported } => Report(
                FeedState.Unsupported, FreshnessLevel.Critical, $"A program on the way cannot carry it: {Sentence(Source.Error)}",
                "Bring the collecting side and this one to the same version, or disable it here if no image needs it."),
            _ => Absent("It is enabled where the feeds are collected, but was never captured."),
        };
    }

    private SourceFreshness Captured(DateTimeOffset time)
    {
        FreshnessLevel level = LevelAt(time);
        if (Clock.Fault(time) is { } fault)
        {
            return Report(FeedState.Stale, Worse(level, FreshnessLevel.Critical), fault + ".", CheckClock);
        }

        string age = AgeText(Clock.AgeOf(time));
        return level == FreshnessLevel.Ok
            ? Report(FeedState.Fresh, level, $"It was captured {age} ago.", null)
            : Report(FeedState.Stale, level, $"It was captured {age} ago, past its {ThresholdText(level)}.", Collect);
    }

    private SourceFreshness Failed(DateTimeOffset time)
    {
        string? fault = Clock.Fault(time);
        FreshnessLevel level = Worse(LevelAt(time), fault is null ? FreshnessLevel.Warning : FreshnessLevel.Critical);
        string content = fault is null ? $"What is there was captured {AgeText(Clock.AgeOf(time))} ago." : fault + ".";
        return Report(
            FeedState.Failed, level, $"Its last capture or publication failed: {Sentence(Source!.Error)} {content}",
            fault is null ? "Correct the cause; then " + char.ToLowerInvariant(Collect[0]) + Collect[1..] : CheckClock);
    }

    private SourceFreshness Absent(string reason) => Report(FeedState.Missing, WithoutContent(), reason, Collect);

    /// <summary>Without content there is no age of it; but how long the site has at least gone without is known.</summary>
    private FreshnessLevel WithoutContent() =>
        KnownSince is { } since && Clock.AgeOf(since) >= Settings.ExpireAfter ? FreshnessLevel.Expired : FreshnessLevel.Critical;

    private FreshnessLevel LevelAt(DateTimeOffset time) => Settings.LevelAt(Clock.AgeOf(time));

    private SourceFreshness Report(FeedState state, FreshnessLevel level, string reason, string? remedy) => new()
    {
        Name = Settings.Name,
        State = state,
        Level = level,
        Required = IsRequired,
        Enabled = Settings.Enabled,
        CapturedAt = Source?.CapturedAt,
        UpstreamModified = Source?.UpstreamModified,
        PublishedAt = Source?.CapturedAt is null ? null : Way.PublishedAt,
        Age = Source?.CapturedAt is { } time ? Clock.AgeOf(time) : null,
        WarnAfter = Settings.WarnAfter,
        CriticalAfter = Settings.CriticalAfter,
        ExpireAfter = Settings.ExpireAfter,
        StaleSince = StaleSince,
        SilentSince = IsRequired ? SilentSince : null,
        Cause = IsRequired ? CauseOf(state, level) : FeedCause.None,
        Reason = reason,
        Remedy = remedy,
    };

    private DateTimeOffset? StaleSince =>
        Source?.CapturedAt is { } time && Clock.Fault(time) is null && Clock.AgeOf(time) >= Settings.WarnAfter ? time + Settings.WarnAfter : null;

    /// <summary>Measured when it was captured: that nobody collects is not the upstream's silence.</summary>
    private DateTimeOffset? SilentSince
    {
        get
        {
            if (Source is not { CapturedAt: { } captured, UpstreamModified: { } modified })
            {
                return null;
            }

            TimeSpan longest = Rhythm.Zip(Rhythm.Skip(1), (a, b) => b - a).Append(TimeSpan.Zero).Max();
            TimeSpan allowed = new[] { s_leastSilence, Settings.Definition.Cadence * 7, longest * 2 }.Max();
            return captured - modified > allowed ? modified : null;
        }
    }

    private FeedCause CauseOf(FeedState state, FreshnessLevel level) => state switch
    {
        _ when level == FreshnessLevel.Ok => FeedCause.None,
        _ when Clock.IsBehind || Clock.HasLeapt || (Source?.CapturedAt is { } time && Clock.Fault(time) is not null) => FeedCause.WrongClock,
        FeedState.Deselected => FeedCause.Deselected,
        FeedState.Unsupported => FeedCause.Unsupported,
        FeedState.Failed => Source?.Error?.StartsWith(Publisher.NotPublished, StringComparison.Ordinal) == true
            ? FeedCause.PublicationFailed : FeedCause.CollectionFailed,
        _ when Way.IsRestored => FeedCause.Restored,
        _ when Way.PublishedAt is null || Source?.CapturedAt is null => FeedCause.NotCollected,
        _ => Way.LongestPart(Source.CapturedAt.Value, Clock.Now, Clair.BehindSince),
    };

    private string ThresholdText(FreshnessLevel level) => level switch
    {
        FreshnessLevel.Expired => $"expiry ({FeedDuration.Format(Settings.ExpireAfter)})",
        FreshnessLevel.Critical => $"critical threshold ({FeedDuration.Format(Settings.CriticalAfter)})",
        _ => $"warning threshold ({FeedDuration.Format(Settings.WarnAfter)})",
    };

    private static FreshnessLevel Worse(FreshnessLevel a, FreshnessLevel b) => a > b ? a : b;

    private static string Sentence(string? error) => string.IsNullOrWhiteSpace(error) ? "no reason was given." : error.TrimEnd('.', ' ') + ".";

    internal static string AgeText(TimeSpan? age)
    {
        static string Count(int n, string unit) => string.Create(CultureInfo.InvariantCulture, $"{n} {unit}{(n == 1 ? "" : "s")}");

        return age switch
        {
            null => "an unknown time",
            { TotalDays: >= 1 } a => a.Hours == 0 ? Count(a.Days, "day") : $"{Count(a.Days, "day")} {Count(a.Hours, "hour")}",
            { TotalHours: >= 1 } a => a.Minutes == 0 ? Count(a.Hours, "hour") : $"{Count(a.Hours, "hour")} {Count(a.Minutes, "minute")}",
            { } a => Count(a.Minutes, "minute"),
        };
    }
}

using System.Globalization;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Freshness;

/// <summary>What Clair is known to have of a source.</summary>
public enum ClairHolding
{
    /// <summary>Nobody asks: the site's settings name no Clair, or serve none.</summary>
    NotAsked,

    /// <summary>Clair shows no fingerprint of it: an indexer's mapping, or what no Clair reads.</summary>
    Untellable,

    /// <summary>What is served, proved.</summary>
    Current,

    /// <summary>What an earlier generation served.</summary>
    Older,

    /// <summary>Content of which nobody knows where it is from.</summary>
    Unproven,

    /// <summary>Nothing, or not all of it.</summary>
    Missing,

    /// <summary>Clair did not answer when it was last asked, or was not asked for too long.</summary>
    Unknown,
}

/// <summary>How Clair stands with one source. Times are UTC.</summary>
/// <param name="Holding">What it has.</param>
/// <param name="ProvedAt">When it was first seen to have all that was served then.</param>
/// <param name="Generation">The generation whose content it has at least.</param>
/// <param name="CapturedAt">When what it has was last confirmed against upstream.</param>
/// <param name="BehindSince">Since when something is served that it lacks, or may lack.</param>
/// <param name="Level">What that means by itself; never Ok where Clair is not known to have young content.</param>
/// <param name="Cause">Whose it is.</param>
/// <param name="Reason">In words; empty where there is nothing to say.</param>
internal sealed record ClairStanding(
    ClairHolding Holding, DateTimeOffset? ProvedAt = null, int? Generation = null, DateTimeOffset? CapturedAt = null, DateTimeOffset? BehindSince = null,
    FreshnessLevel Level = FreshnessLevel.Ok, FeedCause Cause = FeedCause.None, string Reason = "");

/// <summary>What is known of the Clair that reads the mirror, held against what is served.</summary>
/// <param name="Settings">How long it may take.</param>
/// <param name="Record">What it was seen to have.</param>
/// <param name="Generation">The generation that is served.</param>
internal sealed record ClairView(ClairSettings Settings, ClairRecord Record, int Generation)
{
    /// <summary>Who asks does so every hour; what was last heard longer ago proves nothing any more.</summary>
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromDays(1);

    /// <param name="source">Its settings.</param>
    /// <param name="publishedAt">When the generation that is served was published.</param>
    /// <param name="clock">The time.</param>
    public ClairStanding Of(SourceSettings source, DateTimeOffset publishedAt, FreshnessClock clock)
    {
        if (!ClairWatch.CanTell(source.Name))
        {
            return new ClairStanding(ClairHolding.Untellable);
        }

        SourceProof? proof = Record.Sources.GetValueOrDefault(source.Name);
        bool isOfThis = Record.Generation == Generation;
        bool isCurrent = proof is { State: IngestionState.Current } && isOfThis;
        DateTimeOffset since = Earlier(proof?.BehindSince, publishedAt);
        TimeSpan behind = clock.AgeOf(since) ?? TimeSpan.Zero;
        var standing = new ClairStanding(
            Holding(proof, isOfThis), proof?.ProvedAt, proof?.Generation, proof?.CapturedAt, isCurrent ? null : since);
        FreshnessLevel level = isCurrent ? source.LevelAt(clock.AgeOf(proof!.CapturedAt ?? publishedAt)) : LevelOf(source, proof, behind, clock);
        string has = Has(source, proof, isCurrent, since, clock);
        if (Record.Error is null && Record.AnsweredAt is { } answered && clock.AgeOf(answered) is { } silence && silence <= s_longestSilence)
        {
            return standing with { Level = level, Cause = FeedCause.NotIngested, Reason = isCurrent ? "" : has };
        }

        string why = Record.Error is { } error ? $"Clair did not answer when it was last asked: {error.TrimEnd('.')}."
            : Record.AskedAt is null ? "Clair was never asked what it has."
            : $"Clair was last asked {Text(Record.AskedAt.Value)}.";
        return standing with
        {
            Holding = ClairHolding.Unknown,
            Level = level > FreshnessLevel.Warning ? level : FreshnessLevel.Warning,
            Cause = level > FreshnessLevel.Warning && proof is not null ? FeedCause.NotIngested : FeedCause.ClairSilent,
            Reason = Record.AnsweredAt is null ? why : $"{why} {has}",
        };
    }

    /// <summary>Whether what was last heard of it still counts.</summary>
    public bool IsHeard(DateTimeOffset now) => Record.Error is null && Record.AnsweredAt is { } answered && now - answered <= s_longestSilence;

    /// <summary>When what is known of it, or what it has of a source, stops to be good by itself; UTC, never null.</summary>
    /// <param name="source">As it was judged with this.</param>
    public DateTimeOffset GoodUntil(SourceFreshness source)
    {
        IEnumerable<DateTimeOffset?> ends =
        [
            Record.AnsweredAt + s_longestSilence, source.IngestedCapturedAt + source.WarnAfter, source.ClairBehindSince + Settings.PickUpWithin,
        ];
        return ends.Min() ?? DateTimeOffset.MinValue;
    }

    /// <summary>Whether Clair is proved to have, of this generation, what these updaters bring.</summary>
    public bool HasAll(string source, IReadOnlyCollection<string> updaters)
    {
        if (updaters.Count == 0 || Record.Generation != Generation || Record.Sources.GetValueOrDefault(source) is not { } proof)
        {
            return false;
        }

        HashSet<string> behind = [.. proof.Behind.Select(IngestionEvaluator.Canonical)];
        HashSet<string> proved = [.. proof.Updaters.Keys.Select(IngestionEvaluator.Canonical)];
        return updaters.Select(IngestionEvaluator.Canonical).All(u => proved.Contains(u) && !behind.Contains(u));
    }

    private static ClairHolding Holding(SourceProof? proof, bool isOfThis) => proof?.State switch
    {
        IngestionState.Current when isOfThis => ClairHolding.Current,
        IngestionState.Current or IngestionState.Older => ClairHolding.Older,
        IngestionState.Unproven => ClairHolding.Unproven,
        _ => ClairHolding.Missing,
    };

    /// <summary>By the age of what Clair has. Where that is not known, by how long Clair has been without what is served.</summary>
    private FreshnessLevel LevelOf(SourceSettings source, SourceProof? proof, TimeSpan behind, FreshnessClock clock)
    {
        bool isLate = behind > Settings.PickUpWithin;
        if (proof?.CapturedAt is { } captured)
        {
            FreshnessLevel level = source.LevelAt(clock.AgeOf(captured));
            return isLate && level == FreshnessLevel.Ok ? FreshnessLevel.Warning : level;
        }

        return behind >= source.ExpireAfter ? FreshnessLevel.Expired : isLate ? FreshnessLevel.Critical : FreshnessLevel.Warning;
    }

    private string Has(SourceSettings source, SourceProof? proof, bool isCurrent, DateTimeOffset since, FreshnessClock clock)
    {
        if (isCurrent)
        {
            return "By its last answer it has what is served.";
        }

        string lacks = $"Clair lacks what is served since {Text(since)}{Names(proof)}";
        return proof switch
        {
            { CapturedAt: { } captured } => $"{lacks}; what it has was captured {SourceJudge.AgeText(clock.AgeOf(captured))} ago.",
            { State: IngestionState.Unproven } => $"{lacks}; what it has is from elsewhere, of an age that nobody knows.",
            null when Record.Generation is not null && Record.Generation != Generation => $"{lacks}; it was not asked since.",
            _ => $"{lacks}: it never had it, and {source.Definition.Covers} may look clean without being checked.",
        };
    }

    private static string Names(SourceProof? proof) => proof switch
    {
        null or { Behind.Count: 0 } => "",
        { Behind: { Count: <= 3 } few } => $" ({string.Join(", ", few)})",
        { Behind: var many } => string.Create(CultureInfo.InvariantCulture, $" ({string.Join(", ", many.Take(2))} and {many.Count - 2} more)"),
    };

    private static DateTimeOffset Earlier(DateTimeOffset? a, DateTimeOffset b) => a is { } known && known < b ? known : b;

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}

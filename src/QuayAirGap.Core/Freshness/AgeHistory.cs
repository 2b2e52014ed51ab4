using System.Globalization;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Freshness;

/// <summary>From a moment on, a source's content was of that capture, or there was none. Times are UTC.</summary>
/// <param name="From">When it began to be served; outside the gap, when it was captured.</param>
/// <param name="CapturedAt">When it had been confirmed against its upstream; null where there is nothing of it any more.</param>
public readonly record struct AgeStep(DateTimeOffset From, DateTimeOffset? CapturedAt);

/// <summary>A moment and how old a source was at it.</summary>
public readonly record struct AgePoint(DateTimeOffset Time, TimeSpan Age);

/// <summary>How old the sources of a site were over time: each grows older by itself, and younger only by what is brought in.</summary>
public sealed class AgeHistory
{
    /// <summary>How far back it reaches.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromDays(30);

    private readonly Dictionary<string, IReadOnlyList<AgeStep>> _steps;

    private AgeHistory(DateTimeOffset until, Dictionary<string, IReadOnlyList<AgeStep>> steps)
    {
        Until = until;
        _steps = steps;
    }

    public static AgeHistory None { get; } = new(DateTimeOffset.UnixEpoch, []);

    public DateTimeOffset Since => Until - Window;

    public DateTimeOffset Until { get; }

    /// <summary>The ledger tells when what was published; what it does not tell (of older versions of this program), the kept generations and snapshots do.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public static AgeHistory Of(Site site, IReadOnlyList<LedgerEntry> ledger, IReadOnlyList<SourceFreshness> sources, DateTimeOffset now)
    {
        var generations = new GenerationStore(site);
        IReadOnlyList<int> kept = generations.Numbers();
        string[] events = kept.Count > 0 ? [LedgerEvents.FeedImported, LedgerEvents.FeedRestored] : [LedgerEvents.FeedSaved];
        var found = new List<(DateTimeOffset From, IReadOnlyList<KeyValuePair<string, DateTimeOffset>> Captures)>();
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (LedgerEntry entry in ledger.Where(e => events.Contains(e.Event) && e.Time <= now))
        {
            if (Captures(entry.Details) is { Count: > 0 } captures)
            {
                found.Add((entry.Time, captures));
                told.Add(entry.Details[kept.Count > 0 ? "generation" : "sequence"]?.ToString() ?? "");
            }
        }

        if (kept.Count > 0)
        {
            foreach (int number in kept.Where(n => !told.Contains(n.ToString(CultureInfo.InvariantCulture))))
            {
                try
                {
                    var generation = Generation.LoadIndex(generations.FolderOf(number));
                    found.Add((generation.PublishedAt, Captures(generation.Sources)));
                }
                catch (FeedException)
                {
                    // One that is not served and cannot be read leaves a gap in a curve; the one that is served has been read already.
                }
            }
        }
        else
        {
            var snapshots = new SnapshotStore(site);
            foreach (StoredSnapshot stored in snapshots.List().Where(s => !told.Contains(s.Sequence.ToString(CultureInfo.InvariantCulture))))
            {
                Snapshot snapshot = snapshots.Load(stored.Sha256);
                found.Add((snapshot.Created, Captures(snapshot.Sources)));
            }
        }

        found.Sort((a, b) => a.From.CompareTo(b.From));
        var steps = new Dictionary<string, IReadOnlyList<AgeStep>>(StringComparer.Ordinal);
        foreach (SourceFreshness source in sources)
        {
            List<AgeStep> all = [];
            foreach ((DateTimeOffset from, IReadOnlyList<KeyValuePair<string, DateTimeOffset>> captures) in found)
            {
                DateTimeOffset? captured = captures.Where(c => c.Key == source.Name && c.Value <= from).Select(c => (DateTimeOffset?)c.Value).FirstOrDefault();
                if (captured is not null || all.Count > 0)
                {
                    all.Add(new AgeStep(from, captured));
                }
            }

            // The last step before the window tells how old the source was at its beginning.
            int first = Math.Max(0, all.FindLastIndex(s => s.From <= now - Window));
            steps[source.Name] = [.. all.Skip(first)];
        }

        return new AgeHistory(now, steps);
    }

    /// <summary>What an import or a capture brought, in the form in which the ledger keeps it.</summary>
    internal static JsonObject Details(IEnumerable<SourceSnapshot> sources)
    {
        var captured = new JsonObject();
        foreach (KeyValuePair<string, DateTimeOffset> capture in Captures(sources))
        {
            captured[capture.Key] = capture.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }

        return captured;
    }

    /// <summary>The corners of a source's curve within the window, rising in time: two for each time in which nothing was brought in.</summary>
    public IReadOnlyList<AgePoint> PointsOf(string source)
    {
        IReadOnlyList<AgeStep> steps = _steps.GetValueOrDefault(source) ?? [];
        List<AgePoint> points = [];
        for (int i = 0; i < steps.Count; i++)
        {
            DateTimeOffset from = steps[i].From < Since ? Since : steps[i].From;
            DateTimeOffset to = i + 1 < steps.Count ? steps[i + 1].From : Until;
            if (to >= from && steps[i].CapturedAt is { } captured)
            {
                points.Add(new AgePoint(from, from - captured));
                points.Add(new AgePoint(to, to - captured));
            }
        }

        return points;
    }

    /// <summary>The same for the oldest of several sources at each moment: what decides about the whole.</summary>
    public IReadOnlyList<AgePoint> OldestOf(IEnumerable<string> sources)
    {
        IReadOnlyList<AgeStep>[] all = [.. sources.Select(s => _steps.GetValueOrDefault(s) ?? []).Where(s => s.Count > 0)];
        DateTimeOffset[] times = [.. all.SelectMany(s => s).Select(s => s.From < Since ? Since : s.From).Append(Until).Distinct().Order()];
        List<AgePoint> points = [];
        for (int i = 0; i + 1 < times.Length; i++)
        {
            DateTimeOffset?[] captures = [.. all.Where(s => s[0].From <= times[i]).Select(s => s.Last(step => step.From <= times[i]).CapturedAt)];
            if (captures.Min() is { } oldest)
            {
                points.Add(new AgePoint(times[i], times[i] - oldest));
                points.Add(new AgePoint(times[i + 1], times[i + 1] - oldest));
            }
        }

        return points;
    }

    private static List<KeyValuePair<string, DateTimeOffset>> Captures(IEnumerable<SourceSnapshot> sources) =>
        [.. sources.Where(s => s.CapturedAt is not null).Select(s => KeyValuePair.Create(s.Name, s.CapturedAt!.Value))];

    private static List<KeyValuePair<string, DateTimeOffset>> Captures(JsonObject details)
    {
        List<KeyValuePair<string, DateTimeOffset>> captures = [];
        foreach ((string name, JsonNode? node) in details["captured"] as JsonObject ?? [])
        {
            if (node is JsonValue value && value.TryGetValue(out string? text)
                && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time))
            {
                captures.Add(KeyValuePair.Create(name, time));
            }
        }

        return captures;
    }
}

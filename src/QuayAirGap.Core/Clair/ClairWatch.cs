using System.Text.RegularExpressions;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Clair;

/// <summary>Keeps what a site knows of its Clair up to date: the fourth clock.</summary>
public static partial class ClairWatch
{
    /// <summary>The sources of which a Clair tells by fingerprints what it has: not the indexer's mappings, nor what no Clair reads.</summary>
    public static bool CanTell(string source) => ClairRelease.All.Any(r => r.Sets.Contains(source));

    /// <summary>Asks the Clair that the settings name. That it does not answer is part of what is then known.</summary>
    /// <returns>What is known now; nothing is written.</returns>
    /// <exception cref="FeedException">A generation or a blob of the site cannot be read.</exception>
    public static async Task<ClairRecord> AskAsync(Site site, ClairSettings settings, TimeProvider clock, CancellationToken token)
    {
        var before = ClairRecord.Load(site, settings);
        IReadOnlyList<ClairOperation> operations;
        try
        {
            operations = await new ClairClient(settings.Url, settings.ReadPsk(), settings.Issuer, TimeProvider.System).LatestAsync(token).ConfigureAwait(false);
        }
        catch (FeedException e)
        {
            return before with { AskedAt = clock.GetUtcNow().ToUniversalTime(), Error = SnapshotRules.Printable(e.Message, 2000) };
        }

        return Learn(site, before, operations, clock.GetUtcNow().ToUniversalTime());
    }

    /// <summary>What is known after Clair has answered.</summary>
    /// <param name="before">What was known.</param>
    /// <param name="operations">The newest of each updater.</param>
    /// <param name="now">UTC.</param>
    /// <exception cref="FeedException">A generation or a blob of the site cannot be read.</exception>
    public static ClairRecord Learn(Site site, ClairRecord before, IReadOnlyList<ClairOperation> operations, DateTimeOffset now)
    {
        var store = new GenerationStore(site);
        if (store.CurrentNumber is not { } current)
        {
            return before with { AskedAt = now, AnsweredAt = now, Error = null, Generation = null, Sources = new Dictionary<string, SourceProof>() };
        }

        var read = new Dictionary<int, Generation>();
        Generation Load(int number) => read.TryGetValue(number, out Generation? known)
            ? known : read[number] = Generation.LoadIndex(store.FolderOf(number)); // the tables of single documents prove nothing here
        int[] kept = [.. store.Numbers().Where(n => n != current)];
        IReadOnlyList<Ingestion> found = IngestionEvaluator.Evaluate(
            operations, Load(current), Enumerable.Reverse(kept).Select(n => (Func<Generation>)(() => Load(n))), site.Store, now);
        return before with
        {
            AskedAt = now,
            AnsweredAt = now,
            Error = null,
            Generation = current,
            Sources = Load(current).Sources.Where(s => CanTell(s.Name) && s.CapturedAt is not null).ToDictionary(
                s => s.Name,
                s => Prove(s, Relevant(found, s.Name), before.Sources.GetValueOrDefault(s.Name), Load(current), Load, kept, now)),
        };
    }

    /// <summary>
    /// The updaters of a source that should have what is served: of two names of the same the better one, and none that only another
    /// release of Clair has.
    /// </summary>
    private static IEnumerable<Ingestion> Relevant(IReadOnlyList<Ingestion> found, string source)
    {
        Ingestion[] own = [.. found.Where(f => f.Source == source && f.State != IngestionState.NotServed)];
        bool isReleased = own.Any(f => f.Operation is not null && ReleasedPhoton().IsMatch(f.Updater!))
            && !own.Any(f => f.Operation is not null && MainPhoton().IsMatch(f.Updater!));
        return own.Where(f => !(isReleased && f is { Operation: null, Updater: { } name } && MainPhoton().IsMatch(name)))
            .GroupBy(f => IngestionEvaluator.Canonical(f.Updater ?? "")).Select(g => g.MinBy(f => f.State)!);
    }

    private static SourceProof Prove(
        SourceSnapshot source, IEnumerable<Ingestion> ingestions, SourceProof? before, Generation current, Func<int, Generation> load, int[] kept, DateTimeOffset now)
    {
        var proofs = new Dictionary<string, UpdaterProof>(StringComparer.Ordinal);
        List<string> behind = [];
        IngestionState worst = IngestionState.Current;
        bool isWhole = true;
        foreach (Ingestion ingestion in ingestions)
        {
            IngestionState state = ingestion.State;
            if (ingestion.Operation is { } operation)
            {
                string fingerprint = Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(operation.Fingerprint));
                UpdaterProof? proof = ingestion.Generation is { } generation
                    ? new UpdaterProof(fingerprint, generation, load(generation).Sources.FirstOrDefault(s => s.Name == source.Name)?.CapturedAt)
                    : before?.Updaters.GetValueOrDefault(operation.Updater) is { } known && known.FingerprintSha256 == fingerprint ? known : null;
                if (proof is not null)
                {
                    proofs[operation.Updater] = proof;
                    state = state == IngestionState.Unproven ? IngestionState.Older : state; // of a generation that is gone
                }
            }

            isWhole &= ingestion.Operation is not null && proofs.ContainsKey(ingestion.Operation.Updater);
            if (state != IngestionState.Current)
            {
                behind.Add(ingestion.Updater ?? source.Name);
            }

            worst = state > worst ? state : worst;
        }

        bool isCurrent = worst == IngestionState.Current && proofs.Count > 0;
        int? proved = isWhole && proofs.Count > 0 ? proofs.Values.Min(p => p.Generation) : null;
        return new SourceProof
        {
            State = proofs.Count == 0 && worst == IngestionState.Current ? IngestionState.Missing : worst,
            Generation = proved,
            CapturedAt = proved is null || proofs.Values.Any(p => p.CapturedAt is null) ? null : proofs.Values.Min(p => p.CapturedAt),
            ProvedAt = !isCurrent || (before?.State == IngestionState.Current && before.Generation == current.Number) ? before?.ProvedAt : now,
            BehindSince = isCurrent ? null : Earlier(proved is null || before?.Generation == proved ? before?.BehindSince : null, PublishedAfter(proved, current, load, kept)),
            Behind = behind,
            Updaters = proofs,
        };
    }

    /// <summary>When something was published that a Clair with this generation lacks.</summary>
    private static DateTimeOffset PublishedAfter(int? proved, Generation current, Func<int, Generation> load, int[] kept) =>
        proved is { } number && kept.Where(n => n > number).Order().Cast<int?>().FirstOrDefault() is { } next ? load(next).PublishedAt : current.PublishedAt;

    private static DateTimeOffset Earlier(DateTimeOffset? a, DateTimeOffset b) => a is { } known && known < b ? known : b;

    [GeneratedRegex(@"\Aphoton-updater-photon[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex ReleasedPhoton();

    [GeneratedRegex(@"\Aphoton-updater-[0-9]+\.0\z", RegexOptions.CultureInvariant)]
    private static partial Regex MainPhoton();
}

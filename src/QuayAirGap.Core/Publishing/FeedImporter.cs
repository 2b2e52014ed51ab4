using System.Text.Json.Nodes;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Publishing;

/// <summary>What an import or a revert did.</summary>
public sealed record ImportResult
{
    /// <summary>False where the bundle was imported before: nothing was done.</summary>
    public required bool Changed { get; init; }

    /// <summary>The generation that is served now.</summary>
    public required Generation Generation { get; init; }
}

/// <summary>What an import would do. Signature and policy were checked; the content was not.</summary>
/// <param name="MissingVolumes">Of a bundle in volumes: the numbers of the parts that are neither there nor kept by the site. Then nothing is imported; the
/// parts that are there are kept.</param>
public sealed record ImportPlan(string Path, Snapshot Snapshot, bool AlreadyImported, int NextGeneration, IReadOnlyList<int> MissingVolumes);

/// <summary>The isolated side: verifies a bundle, takes its content into the store, and publishes it as the next generation.</summary>
public sealed class FeedImporter(Site site, SiteSettings settings, TimeProvider clock)
{
    private readonly GenerationStore _generations = new(site);
    private readonly SnapshotStore _snapshots = new(site);
    private readonly BundleVerifier _verifier = new(site, clock);
    private readonly Ledger _ledger = new(site, clock);
    private readonly VolumeShelf _shelf = new(site);

    /// <summary>Checks signature and policy, and writes nothing.</summary>
    /// <param name="path">The bundle.</param>
    /// <param name="resetSequence">See <see cref="BundleVerifier.CheckPolicy"/>.</param>
    /// <exception cref="FeedException">Why the bundle would be refused.</exception>
    public ImportPlan Plan(string path, bool resetSequence = false)
    {
        Bundle bundle = Open(path);
        Generation? newest = _generations.LoadNewest();
        BundlePolicy verdict = _verifier.CheckPolicy(bundle, newest, resetSequence);
        return new ImportPlan(path, bundle.Snapshot, verdict.AlreadyImported, (newest?.Number ?? 0) + 1, bundle.Volumes?.Missing ?? []);
    }

    /// <summary>Whether an error says that a bundle is not to be believed: those go into the ledger.</summary>
    public static bool IsRefusal(FeedException error) =>
        error.ErrorId == ErrorIds.TrustEmpty
        || (error.ErrorId.StartsWith("Bundle", StringComparison.Ordinal) && error.ErrorId != ErrorIds.BundleNotFound);

    /// <summary>Writes the ledger's line for a bundle that was refused before anything else was done.</summary>
    public void RecordRefusal(string path, FeedException error) => _ledger.Append(LedgerEvents.BundleRefused, new JsonObject
    {
        ["bundle"] = NameOf(path),
        ["error"] = error.ErrorId,
        ["reason"] = error.Message,
    });

    /// <summary>
    /// Verifies everything, then writes. A refusal changes nothing but the ledger; a kill at any moment leaves the previous generation
    /// serving, and the next run finishes.
    /// </summary>
    /// <exception cref="FeedException">One of the Bundle… ids where it is refused; <see cref="ErrorIds.DiskFull"/>, <see cref="ErrorIds.SiteBusy"/>.</exception>
    public async Task<ImportResult> ImportAsync(
        string path, IProgress<FeedProgress>? progress, CancellationToken cancellationToken, bool resetSequence = false)
    {
        using SiteLock held = site.Lock();
        try
        {
            FinishWhatWasBegun();
            Generation? newest = _generations.LoadNewest();
            _shelf.Sweep(newest, clock.GetUtcNow());
            Bundle bundle = Open(path);
            BundlePolicy verdict = _verifier.CheckPolicy(bundle, newest, resetSequence);
            bool restores = verdict.AlreadyImported && !StoreChecker.IsComplete(site, newest!, bundle.Snapshot);
            if (verdict.AlreadyImported && !restores)
            {
                return new ImportResult { Changed = false, Generation = newest! };
            }

            if (!bundle.IsWhole)
            {
                throw KeepParts(bundle.Volumes!, progress, cancellationToken);
            }

            using (var stage = new BlobStage(site))
            using (var restorer = new DeltaRestorer(site, bundle.Snapshot, stage))
            {
                await VerifyAsync(bundle, restorer, progress, cancellationToken).ConfigureAwait(false);
                await restorer.RestoreAsync(bundle.Snapshot, progress, cancellationToken).ConfigureAwait(false);
                stage.Commit();
                new StoreChecker(site, clock).RemoveDamaged();
            }

            _snapshots.Save(bundle.SnapshotBytes, bundle.Signatures, bundle.Snapshot.Sequence);
            ApplyTrust(verdict);
            new TrustStore(site).SetStream(bundle.Snapshot.Stream);
            Generation generation = await new Publisher(site, clock)
                .PublishAsync(bundle.Snapshot, bundle.SnapshotSha256, progress, cancellationToken, verdict.ResetsSequence).ConfigureAwait(false);
            new StoreChecker(site, clock).Recheck();
            JsonObject details = DetailsOf(generation);
            details["bundle"] = NameOf(path);
            DeltaDetails.Add(details, bundle.Snapshot);
            details["signers"] = string.Join(", ", verdict.Signers.Select(s => s.Thumbprint));
            if (restores)
            {
                details["restoredContent"] = "The store had lost content of this very bundle.";
            }

            if (verdict.ResetsSequence)
            {
                details["sequenceReset"] = newest?.HighestSequence ?? 0;
            }

            Record(LedgerEvents.FeedImported, details, generation);
            new SiteSweeper(site, _snapshots).Sweep(settings.KeepGenerations);
            _shelf.Sweep(generation, clock.GetUtcNow());
            if (bundle.Volumes is { } volumes)
            {
                _shelf.Remove(volumes.SetId);
            }

            return new ImportResult { Changed = true, Generation = generation };
        }
        catch (FeedException e) when (IsRefusal(e))
        {
            RecordRefusal(path, e);
            throw;
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(site.Root, e);
        }
    }

    /// <summary>
    /// Goes back to what an earlier generation published, as a new generation: a Clair that has seen the newer one must be told of
    /// every document that changes back.
    /// </summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.GenerationNotFound"/></exception>
    public async Task<ImportResult> RestoreAsync(int number, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        using SiteLock held = site.Lock();
        try
        {
            FinishWhatWasBegun();
            Generation wanted = _generations.Load(number);
            Generation newest = _generations.LoadNewest()!;
            if (newest.SnapshotSha256 == wanted.SnapshotSha256)
            {
                return new ImportResult { Changed = false, Generation = newest };
            }

            Generation generation = await new Publisher(site, clock)
                .PublishAsync(_snapshots.Load(wanted.SnapshotSha256), wanted.SnapshotSha256, progress, cancellationToken).ConfigureAwait(false);
            JsonObject details = DetailsOf(generation);
            details["restored"] = number;
            Record(LedgerEvents.FeedRestored, details, generation);
            new SiteSweeper(site, _snapshots).Sweep(settings.KeepGenerations);
            return new ImportResult { Changed = true, Generation = generation };
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(site.Root, e);
        }
    }

    private static JsonObject DetailsOf(Generation generation) => new()
    {
        ["generation"] = generation.Number,
        ["snapshot"] = generation.SnapshotSha256,
        ["stream"] = generation.Stream.ToString(),
        ["sequence"] = generation.Sequence,
        ["heldBack"] = generation.HeldBack.Count,
        ["captured"] = AgeHistory.Details(generation.Sources),
    };

    private void ApplyTrust(BundlePolicy verdict)
    {
        var documents = new TrustDocuments(site);
        foreach (SignedTrustDocument signed in verdict.TrustNews)
        {
            _ledger.Append(LedgerEvents.TrustDocument, documents.Apply(signed, clock.GetUtcNow()).Details());
        }
    }

    /// <summary>What people call it; a whole drive has no other name than its path.</summary>
    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path)) is { Length: > 0 } name ? name : path;

    /// <summary>A bundle, or what of one in volumes is there or kept from media before.</summary>
    private Bundle Open(string path)
    {
        if (!VolumeSet.IsAt(path))
        {
            return Bundle.Open(path);
        }

        VolumeSet brought = VolumeSet.Read(path).ThrowIfBad();
        return Bundle.Open(brought.Missing.Count == 0 ? brought : brought.With(_shelf.Find(brought.SetId)));
    }

    /// <summary>Keeps what has come of a bundle whose other parts come later.</summary>
    /// <returns>The error that says what is missing: until then nothing was imported, and no script may take it for that.</returns>
    private FeedException KeepParts(VolumeSet volumes, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        IReadOnlyList<FeedException> refused = _shelf.Keep(volumes, progress, cancellationToken);
        IReadOnlyList<VolumePart> kept = _shelf.Find(volumes.SetId);
        return refused.Count > 0 ? refused[0]
            : volumes.Bad.Count > 0 ? volumes.Bad[0]
            : volumes.Incomplete([.. kept.Select(p => p.Number)]);
    }

    private async Task VerifyAsync(Bundle bundle, IBlobSink sink, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            await _verifier.VerifyContentAsync(bundle, sink, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.BundleVolumeAltered)
        {
            // A kept part that the disk has damaged must be brought again; until then it is as if it had never come.
            foreach (VolumePart part in bundle.Volumes!.FindAltered(progress, cancellationToken).Where(_shelf.IsKept))
            {
                VolumeShelf.Forget(part);
            }

            throw;
        }
    }

    /// <summary>A kill, or a disk that filled up, can come between a generation and its switch, or between the switch and the ledger's line.</summary>
    private void FinishWhatWasBegun()
    {
        _generations.FinishSwitch();
        if (_generations.LoadNewest() is { } newest && !_ledger.Read().Any(e => Tells(e, newest)))
        {
            JsonObject details = DetailsOf(newest);
            details["late"] = "The command that published it was interrupted before it could write this line.";
            Record(LedgerEvents.FeedImported, details, newest);
        }
    }

    private static bool Tells(LedgerEntry entry, Generation generation) =>
        entry.Event is LedgerEvents.FeedImported or LedgerEvents.FeedRestored
        && entry.Details["generation"] is JsonValue number && number.TryGetValue(out int told) && told == generation.Number;

    private void Record(string happened, JsonObject details, Generation generation)
    {
        try
        {
            _ledger.Append(happened, details);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.DiskFull)
        {
            throw new FeedException(
                ErrorIds.DiskFull, $"Generation {generation.Number} is published, but there is no space left for the ledger's line.", site.LedgerFile,
                "Make room. The next import writes the line.", e);
        }
    }
}

using System.Text.Json.Nodes;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
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
public sealed record ImportPlan(string Path, Snapshot Snapshot, bool AlreadyImported, int NextGeneration);

/// <summary>The isolated side: verifies a bundle, takes its content into the store, and publishes it as the next generation.</summary>
public sealed class FeedImporter(Site site, SiteSettings settings, TimeProvider clock)
{
    private readonly GenerationStore _generations = new(site);
    private readonly SnapshotStore _snapshots = new(site);
    private readonly BundleVerifier _verifier = new(site, clock);
    private readonly Ledger _ledger = new(site, clock);

    /// <summary>Checks signature and policy, and writes nothing.</summary>
    /// <param name="path">The bundle.</param>
    /// <param name="resetSequence">See <see cref="BundleVerifier.CheckPolicy"/>.</param>
    /// <exception cref="FeedException">Why the bundle would be refused.</exception>
    public ImportPlan Plan(string path, bool resetSequence = false)
    {
        Bundle bundle = Bundle.Open(path);
        Generation? newest = _generations.LoadNewest();
        BundlePolicy verdict = _verifier.CheckPolicy(bundle, newest, resetSequence);
        return new ImportPlan(path, bundle.Snapshot, verdict.AlreadyImported, (newest?.Number ?? 0) + 1);
    }

    /// <summary>Whether an error says that a bundle is not to be believed: those go into the ledger.</summary>
    public static bool IsRefusal(FeedException error) =>
        error.ErrorId == ErrorIds.TrustEmpty
        || (error.ErrorId.StartsWith("Bundle", StringComparison.Ordinal) && error.ErrorId != ErrorIds.BundleNotFound);

    /// <summary>Writes the ledger's line for a bundle that was refused before anything else was done.</summary>
    public void RecordRefusal(string path, FeedException error) => _ledger.Append(LedgerEvents.BundleRefused, new JsonObject
    {
        ["bundle"] = Path.GetFileName(path),
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
            Bundle bundle = Bundle.Open(path);
            Generation? newest = _generations.LoadNewest();
            BundlePolicy verdict = _verifier.CheckPolicy(bundle, newest, resetSequence);
            if (verdict.AlreadyImported)
            {
                return new ImportResult { Changed = false, Generation = newest! };
            }

            using (var stage = new BlobStage(site))
            using (var restorer = new DeltaRestorer(site, bundle.Snapshot, stage))
            {
                await _verifier.VerifyContentAsync(bundle, restorer, progress, cancellationToken).ConfigureAwait(false);
                restorer.Restore(bundle.Snapshot, progress, cancellationToken);
                stage.Commit();
            }

            _snapshots.Save(bundle.SnapshotBytes, bundle.Signatures, bundle.Snapshot.Sequence);
            ApplyTrust(verdict);
            new TrustStore(site).SetStream(bundle.Snapshot.Stream);
            Generation generation = await new Publisher(site, clock)
                .PublishAsync(bundle.Snapshot, bundle.SnapshotSha256, progress, cancellationToken, verdict.ResetsSequence).ConfigureAwait(false);
            JsonObject details = DetailsOf(generation);
            details["bundle"] = Path.GetFileName(path);
            DeltaDetails.Add(details, bundle.Snapshot);
            details["signers"] = string.Join(", ", verdict.Signers.Select(s => s.Thumbprint));
            if (verdict.ResetsSequence)
            {
                details["sequenceReset"] = newest?.HighestSequence ?? 0;
            }

            Record(LedgerEvents.FeedImported, details, generation);
            new SiteSweeper(site, _snapshots).Sweep(settings.KeepGenerations);
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
    };

    private void ApplyTrust(BundlePolicy verdict)
    {
        var documents = new TrustDocuments(site);
        foreach (SignedTrustDocument signed in verdict.TrustNews)
        {
            _ledger.Append(LedgerEvents.TrustDocument, documents.Apply(signed, clock.GetUtcNow()).Details());
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

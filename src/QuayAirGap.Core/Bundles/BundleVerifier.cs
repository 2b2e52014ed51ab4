using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Bundles;

/// <summary>What the site's policy says of a bundle that it does not refuse.</summary>
/// <param name="Signers">The trusted signers.</param>
/// <param name="AlreadyImported">The newest generation publishes this very snapshot: there is nothing to do.</param>
/// <param name="ResetsSequence">It would have been refused for its sequence, and the owner lets it in.</param>
public sealed record BundlePolicy(IReadOnlyList<VerifiedSigner> Signers, bool AlreadyImported, bool ResetsSequence = false)
{
    /// <summary>What the site's own roots say in it that the site does not know yet: an import applies it.</summary>
    public IReadOnlyList<SignedTrustDocument> TrustNews { get; init; } = [];
}

/// <summary>
/// Decides whether a bundle may be believed: first who says so and when (<see cref="CheckPolicy"/>), then whether its content is what was
/// signed (<see cref="VerifyContentAsync(Bundle, IBlobSink?, IProgress{FeedProgress}?, CancellationToken)"/>). Nothing in a bundle is acted on before both have passed.
/// </summary>
public sealed class BundleVerifier(Site site, TimeProvider clock)
{
    /// <summary>How far the collector's clock may be ahead of this one.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How far a bundle may be ahead of the last one of its stream. A collector numbers its bundles one by one, so a larger step is a
    /// mistake, or somebody who wants to lock the stream's honest bundles out for ever. More than a bundle an hour for a year.
    /// </summary>
    public const long MaxSequenceStep = 10_000;

    /// <summary>The highest sequence that a site's first bundle may have: one a minute for 19 years.</summary>
    public const long MaxFirstSequence = 10_000_000;

    /// <summary>Signatures, times, stream and sequence; of a delta, whether the store has what it leaves out.</summary>
    /// <param name="bundle">An opened bundle.</param>
    /// <param name="newest">The generation with the highest number, or null before the first import.</param>
    /// <param name="resetSequence">The site's owner takes the sequence as it comes, lower or far higher; nothing else is let pass.</param>
    /// <exception cref="FeedException">Any of the ids that begin with Bundle, <see cref="ErrorIds.TrustEmpty"/>, or what is wrong with the
    /// site itself.</exception>
    public BundlePolicy CheckPolicy(Bundle bundle, Generation? newest, bool resetSequence = false)
    {
        Snapshot snapshot = bundle.Snapshot;
        var trust = new TrustStore(site);
        // Signed by a root of this site, whoever signed the bundle: it tells whom to believe of the bundle's own signers.
        IReadOnlyList<(SignedTrustDocument Signed, TrustDocument Document)> news = new TrustDocuments(site).Newer(snapshot.Trust ?? [], clock.GetUtcNow());
        IReadOnlyList<VerifiedSigner> signers = SignatureVerifier.Verify(
            bundle.SnapshotBytes, bundle.Signatures, trust, snapshot.Created, [.. news.Select(n => n.Document)]);

        // From here on the snapshot is what a trusted signer said.
        CheckTimes(bundle, snapshot, newest);
        if (trust.Stream is { } stream && stream != snapshot.Stream)
        {
            throw Refuse(
                ErrorIds.BundleStream, bundle, $"It belongs to the stream {snapshot.Stream:D}; this site takes {stream:D}.",
                "It was collected by another site than the ones before. If the collector was set up anew on purpose, delete "
                + $"'{Path.Combine(site.TrustFolder, "stream")}' and import again.");
        }

        if (bundle.IsWhole)
        {
            CheckLayers(bundle, snapshot);
        }

        bundle.Volumes?.CheckAgainst(snapshot);
        if (newest is not null && newest.SnapshotSha256 == bundle.SnapshotSha256)
        {
            return new BundlePolicy(signers, AlreadyImported: true);
        }

        // Sequences count within their stream; where the owner has let another one in, they begin anew.
        FeedException? objection = ObjectionToSequence(bundle, snapshot, newest?.Stream == snapshot.Stream ? newest.HighestSequence : null);
        if (objection is not null && !resetSequence)
        {
            throw objection;
        }

        if (snapshot.Base is not null)
        {
            DeltaRequirements.Check(bundle, site.Store);
        }

        return new BundlePolicy(signers, AlreadyImported: false, ResetsSequence: objection is not null) { TrustNews = [.. news.Select(n => n.Signed)] };
    }

    private static FeedException? ObjectionToSequence(Bundle bundle, Snapshot snapshot, long? highest)
    {
        const string Override = "If the owner of the collector confirms that its numbering was set anew, run Import-ClairFeed -ResetSequence.";
        long limit = highest is { } h ? h + MaxSequenceStep : MaxFirstSequence;
        return snapshot.Sequence <= highest
            ? Refuse(
                ErrorIds.BundleSequence, bundle, $"It is number {snapshot.Sequence}; this site has already published number {highest} of its stream.",
                "Import a newer bundle. To go back to an earlier state of the mirror, use Restore-ClairFeed. " + Override)
            : snapshot.Sequence > limit
            ? Refuse(
                ErrorIds.BundleSequenceJump, bundle,
                $"It is number {snapshot.Sequence}; after {(highest is null ? "none" : $"number {highest}")} this site takes numbers up to {limit}. "
                + "A higher one would lock out every bundle between them for ever.",
                "Find out who made it: a collector numbers its bundles one by one. " + Override)
            : null;
    }

    /// <summary>
    /// Reads every layer once and compares it with the snapshot. Needs no trust, so that a courier can check a medium; whoever acts on the
    /// content calls <see cref="CheckPolicy"/> first.
    /// </summary>
    /// <param name="sink">Gets the content, and a delta's patches, while it is verified; null to verify only.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleTruncated"/>, <see cref="ErrorIds.BundleAltered"/>,
    /// <see cref="ErrorIds.BundleExtraContent"/>, <see cref="ErrorIds.BundleMissingContent"/>, <see cref="ErrorIds.BundleLimit"/>,
    /// <see cref="ErrorIds.BundleInvalid"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public Task VerifyContentAsync(Bundle bundle, IBlobSink? sink, IProgress<FeedProgress>? progress, CancellationToken cancellationToken) =>
        VerifyContentAsync(bundle, sink, site.StagingFolder, progress, cancellationToken);

    /// <param name="writesTo">Where the sink writes, for people whose disk is full.</param>
    internal static async Task VerifyContentAsync(
        Bundle bundle, IBlobSink? sink, string writesTo, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            await ReadLayersAsync(bundle, sink, writesTo, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (bundle.Volumes is { } volumes && e.ErrorId.StartsWith("Bundle", StringComparison.Ordinal))
        {
            // Damage on one of several media: which one must be carried again is what people need to know.
            volumes.ThrowIfAltered(cancellationToken);
            throw;
        }
    }

    private static async Task ReadLayersAsync(
        Bundle bundle, IBlobSink? sink, string writesTo, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        Snapshot snapshot = bundle.Snapshot;
        CheckLayers(bundle, snapshot);
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (source.Layer is { } layer)
            {
                try
                {
                    await new LayerReader(source, bundle.Layers[layer.Sha256], sink, progress).VerifyAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
                {
                    throw BundleErrors.Missing(source.Name, $"the layer of source '{source.Name}' went away while the bundle was read");
                }
                catch (IOException e) when (Site.IsFull(e))
                {
                    throw Site.DiskFull(writesTo, e);
                }
            }
        }
    }

    /// <summary>Descriptors are nobody's word: what the bundle holds must be what the snapshot names, layer by layer.</summary>
    private static void CheckLayers(Bundle bundle, Snapshot snapshot)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (SourceSnapshot source in snapshot.Sources.Where(s => snapshot.Base is null ? s.Files.Count > 0 : s.Delta is not null))
        {
            if (source.Layer is not { } layer || !bundle.Layers.TryGetValue(layer.Sha256, out ContentExtent extent))
            {
                throw BundleErrors.Missing(source.Name, $"it does not hold the content of source '{source.Name}'");
            }

            named.Add(layer.Sha256);
            if (extent.Size != layer.Size)
            {
                throw extent.Size > layer.Size
                    ? BundleErrors.Limit(source.Name, $"source '{source.Name}' has {extent.Size} bytes; its snapshot says {layer.Size}")
                    : BundleErrors.Truncated(source.Name, $"source '{source.Name}' has {extent.Size} of {layer.Size} bytes");
            }

            long tarSize = SourceLayer.TarSizeOf(SourceLayer.EntriesOf(source));
            if (tarSize != layer.TarSize)
            {
                throw BundleErrors.Inconsistent(source.Name, $"source '{source.Name}' should unpack to {tarSize} bytes, and is said to unpack to {layer.TarSize}");
            }
        }

        if (bundle.Layers.Keys.FirstOrDefault(l => !named.Contains(l)) is { } stray)
        {
            throw BundleErrors.Extra(bundle.Path, $"its snapshot does not name the layer {stray}");
        }
    }

    private void CheckTimes(Bundle bundle, Snapshot snapshot, Generation? newest)
    {
        DateTimeOffset now = clock.GetUtcNow();
        if (snapshot.Created > now + ClockTolerance)
        {
            throw Refuse(
                ErrorIds.BundleFromFuture, bundle, $"It says that it was made on {Text(snapshot.Created)}; here it is {Text(now)}.",
                "Correct the clock that is wrong: this machine's, or the collecting machine's (then make the bundle again).");
        }

        // A clock that was put back does not bring an expired bundle to life: signed snapshots have told this site how late it is at least.
        DateTimeOffset atLeast = newest is not null && newest.NewestSnapshot > now ? newest.NewestSnapshot : now;
        if (snapshot.Expires <= atLeast)
        {
            throw Refuse(
                ErrorIds.BundleExpired, bundle, $"It was made on {Text(snapshot.Created)} and expired on {Text(snapshot.Expires)}; now it is {Text(atLeast)}.",
                "Carry over a newer bundle. What it would publish is too old to be called current.");
        }
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static FeedException Refuse(string errorId, Bundle bundle, string what, string remedy) =>
        new(errorId, $"The bundle '{bundle.Path}' is refused. {what}", bundle.Path, remedy);
}

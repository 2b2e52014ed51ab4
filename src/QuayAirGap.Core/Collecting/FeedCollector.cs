using System.Globalization;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Collecting;

/// <summary>What to collect, and where the bundle goes.</summary>
public sealed record SaveRequest
{
    /// <summary>A folder, or the path of the bundle file to write (ending in .tar).</summary>
    public required string Destination { get; init; }

    public required IReadOnlyList<BundleSigner> Signers { get; init; }

    /// <summary>The sources to take anew; empty for all that are enabled. The others go along as they were last captured.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>The sources whose content is taken although it lost something against the last good capture.</summary>
    public IReadOnlyList<string> AcceptRegression { get; init; } = [];

    /// <summary>Goes before the settings' own upstream roots.</summary>
    public Uri? UpstreamRoot { get; init; }

    /// <summary>
    /// What the bundle builds on: a bundle's path, a snapshot's SHA-256 or its sequence. Null for a full bundle, unless
    /// <see cref="SinceLast"/> says otherwise.
    /// </summary>
    public string? Since { get; init; }

    /// <summary>Builds on the newest bundle of this site; the first one is full.</summary>
    public bool SinceLast { get; init; }

    /// <summary>Whether a bundle file of that name may be replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>The most bytes that a file may have: the bundle is written in parts of that size. Null for one file.</summary>
    public long? PartSize { get; init; }
}

/// <summary>What was collected and written.</summary>
public sealed record SaveResult
{
    /// <summary>The bundle file, or the first of its parts.</summary>
    public required string Path { get; init; }

    /// <summary>The parts; null where it is one file.</summary>
    public VolumeSet? Volumes { get; init; }

    public required Snapshot Snapshot { get; init; }

    public required string SnapshotSha256 { get; init; }

    /// <summary>The bundle's bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Body bytes that came from upstreams.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>The sources that were asked for and failed.</summary>
    public required IReadOnlyList<SourceSnapshot> Incomplete { get; init; }
}

/// <summary>The connected side: takes every enabled source from its upstream, and writes one signed bundle.</summary>
public sealed class FeedCollector(Site site, SiteSettings settings, TimeProvider clock)
{
    private readonly SnapshotStore _snapshots = new(site);
    private readonly Ledger _ledger = new(site, clock);

    /// <summary>Limits and pauses towards upstreams.</summary>
    public UpstreamOptions Upstream { get; init; } = new();

    /// <summary>The sources that a request would take.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SourceUnknown"/></exception>
    public IReadOnlyList<SourceSettings> Plan(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            return [.. settings.Sources.Where(s => s.Enabled)];
        }

        var wanted = names.Select(SourceCatalog.Get).ToHashSet();
        return [.. settings.Sources.Where(s => wanted.Contains(s.Definition))];
    }

    /// <summary>
    /// Collects in parallel. A source that fails goes along with its last good content, its true age, and the reason; it never stops
    /// the others. A kill at any moment leaves neither a broken bundle nor a broken site.
    /// </summary>
    /// <exception cref="FeedException">
    /// <see cref="ErrorIds.NothingCollected"/> where every source failed: no bundle is written. <see cref="ErrorIds.DestinationInvalid"/>,
    /// <see cref="ErrorIds.DiskFull"/>, <see cref="ErrorIds.SiteBusy"/>.
    /// </exception>
    public async Task<SaveResult> SaveAsync(SaveRequest request, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        using SiteLock held = site.Lock();
        HashSet<string> wanted = [.. Plan(request.Names).Select(s => s.Name)];
        HashSet<string> accepted = [.. request.AcceptRegression.Select(n => SourceCatalog.Get(n).Name)];
        CollectorStream stream = CollectorStream.Open(site);
        DeltaBase? from = request.Since is { } since ? DeltaBase.Find(site, since, stream.Id) : request.SinceLast ? DeltaBase.FindLast(site, stream.Id) : null;
        Snapshot? previous = _snapshots.List().Reverse().Select(s => _snapshots.Load(s.Sha256)).FirstOrDefault(s => s.Stream == stream.Id);

        try
        {
            using var identity = NetworkIdentity.Load(settings.Network, site.Root);
            UpstreamOptions upstream = Upstream with { RequestsPerHost = settings.Network.RequestsPerHost ?? Upstream.RequestsPerHost };
            using var client = new UpstreamClient(upstream, settings.Network.Proxy, identity);
            var inspections = InspectionMemory.Load(site.InspectionsFile, InspectionMemory.ThisBuild);
            var taker = new SourceTaker(client, site.Store, upstream, request.UpstreamRoot, accepted, clock, progress, inspections);
            SourceSnapshot[] sources = await Task.WhenAll(settings.Sources.Select(s => TakeAsync(
                s, wanted.Contains(s.Name), previous?.Sources.FirstOrDefault(p => p.Name == s.Name), taker, cancellationToken))).ConfigureAwait(false);
            SourceSnapshot[] failures = [.. sources.Where(s => wanted.Contains(s.Name) && s.State == CaptureState.Failed)];
            if (failures.Length > 0 && failures.Length == wanted.Count)
            {
                throw new FeedException(
                    ErrorIds.NothingCollected,
                    $"None of the {wanted.Count} sources could be collected, so no bundle was written. " +
                    string.Join(" ", failures.Select(s => $"{s.Name}: {s.Error}")),
                    request.Destination, "Mend the connection to the upstreams, then run Save-ClairFeed again. What was collected before is kept.");
            }

            // Reserved before the bundle exists: a number is never used for two bundles, whatever happens in between.
            long sequence = stream.Reserve();
            DateTimeOffset created = clock.GetUtcNow();
            var snapshot = new Snapshot
            {
                Stream = stream.Id,
                Sequence = sequence,
                Created = created,
                Expires = created + settings.BundleValidity,
                Producer = "QuayAirGap/" + UpstreamClient.ProductVersion,
                Trust = new TrustDocuments(site).Stored() is { Count: > 0 } trust ? trust : null,
                Sources = sources,
            };
            string path = request.Destination.EndsWith(".tar", StringComparison.OrdinalIgnoreCase)
                ? request.Destination
                : Path.Combine(request.Destination, string.Create(CultureInfo.InvariantCulture, $"clairfeed-{stream.Id.ToString("N")[..8]}-{sequence:D6}.tar"));
            using DeltaMaker? delta = from is null ? null : new DeltaMaker(site, from, progress);
            snapshot = delta is null ? snapshot : await delta.MakeAsync(snapshot, cancellationToken).ConfigureAwait(false);
            string whole = request.PartSize is null ? path : System.IO.Path.Combine(site.StagingFolder, Path.GetFileName(path));
            WrittenBundle bundle = await BundleWriter.WriteAsync(
                whole, snapshot, delta is null ? site.Store.OpenRead : delta.OpenRead, request.Signers, progress, request.Overwrite, cancellationToken)
                .ConfigureAwait(false);
            VolumeSet? volumes = request.PartSize is { } partSize
                ? await SplitAsync(whole, path, partSize, request.Overwrite, progress, cancellationToken).ConfigureAwait(false)
                : null;
            _snapshots.Save(bundle.SnapshotBytes, bundle.Signatures, sequence);
            var details = new JsonObject
            {
                ["bundle"] = Path.GetFileName(path),
                ["snapshot"] = bundle.SnapshotSha256,
                ["stream"] = stream.Id.ToString(),
                ["sequence"] = sequence,
                ["signers"] = string.Join(", ", request.Signers.Select(s => s.Thumbprint)),
                ["failed"] = string.Join(", ", failures.Select(s => s.Name).Order(StringComparer.Ordinal)),
                ["acceptedRegressions"] = string.Join(
                    " ", sources.Where(s => wanted.Contains(s.Name) && s.AcceptedRegression is not null).Select(s => $"{s.Name}: {s.AcceptedRegression}.")),
            };
            if (volumes is not null)
            {
                details["volumes"] = volumes.Count;
            }

            details["captured"] = AgeHistory.Details(bundle.Snapshot.Sources);
            DeltaDetails.Add(details, bundle.Snapshot);
            _ledger.Append(LedgerEvents.FeedSaved, details);
            new SiteSweeper(site, _snapshots).Sweep(settings.KeepGenerations);
            inspections.Save(site.InspectionsFile, sha256 => File.Exists(site.Store.PathOf(sha256)));
            return new SaveResult
            {
                Path = volumes?.Path ?? bundle.Path,
                Volumes = volumes,
                Snapshot = bundle.Snapshot,
                SnapshotSha256 = bundle.SnapshotSha256,
                Size = bundle.Size,
                BytesReceived = client.BytesReceived,
                Incomplete = failures,
            };
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(request.Destination, e);
        }
    }

    /// <summary>
    /// The whole bundle lies in the site's staging for as long as it is split: the media need not have room for it, and parts are written once their
    /// digests are known.
    /// </summary>
    private static async Task<VolumeSet> SplitAsync(
        string whole, string path, long partSize, bool overwrite, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            return await VolumeWriter.SplitAsync(
                Bundle.Open(whole), Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path), partSize, overwrite, progress, cancellationToken)
                .ConfigureAwait(false);
        }
        finally
        {
            File.Delete(whole);
        }
    }

    private static async Task<SourceSnapshot> TakeAsync(
        SourceSettings source, bool wanted, SourceSnapshot? previous, SourceTaker taker, CancellationToken cancellationToken)
    {
        if (!source.Enabled && !wanted)
        {
            return new SourceSnapshot { Name = source.Name, State = CaptureState.Deselected };
        }

        previous = previous is { Files.Count: > 0 } ? previous with { Layer = null, Delta = null } : null;
        return wanted
            ? await taker.TakeAsync(SourceCatalog.FamilyOf(source.Definition), source, previous, cancellationToken).ConfigureAwait(false)
            : previous ?? new SourceSnapshot { Name = source.Name, State = CaptureState.Missing, Error = "Never collected." };
    }
}

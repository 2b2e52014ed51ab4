using System.Collections.ObjectModel;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Registry;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tls;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>The one place that turns the domain's objects into public ones.</summary>
internal static class OutputMapper
{
    /// <summary>The verdict where no site was asked.</summary>
    public const string NotChecked = "NotChecked";

    public static ClairFeedSource Source(SourceSettings source, SourceSnapshot? captured = null) => new()
    {
        Note = captured?.Note,
        Name = source.Name,
        State = source.Enabled ? "Enabled" : "Deselected",
        Kind = source.Definition.Kind.ToString(),
        Covers = source.Definition.Covers,
        Enabled = source.Enabled,
        Uri = source.Uri ?? source.Definition.Uri,
        MirrorUri = source.MirrorUri ?? source.Definition.MirrorUri,
        UpstreamRoot = source.UpstreamRoot,
        Hosts = [.. source.Hosts],
        UpdaterNames = [.. source.Definition.UpdaterNames.Select(n => n.Clair == "all" ? n.Pattern : $"{n.Pattern} ({n.Clair})")],
        Distributions = [.. source.Definition.Distributions],
        Ecosystems = [.. source.Definition.Ecosystems],
        PartKind = source.Definition.PartKind,
        Include = [.. source.Selection.Include],
        Exclude = [.. source.Selection.Exclude],
        MaxShrink = source.MaxShrink,
        WarnAfter = source.WarnAfter,
        CriticalAfter = source.CriticalAfter,
        ExpireAfter = source.ExpireAfter,
        Cadence = source.Definition.Cadence,
    };

    public static ClairFeedPlan Plan(SourcePlan plan) => new()
    {
        Source = plan.Name,
        FilesToFetch = plan.ToFetch,
        BytesToFetch = plan.Bytes,
        UnknownLengths = plan.UnknownLengths,
        UnchangedFiles = plan.Unchanged,
        IsComplete = plan.IsComplete,
        Trouble = plan.Trouble,
    };

    /// <summary>"Fetch 3 files, at least 41.2 MB, and confirm 46".</summary>
    public static string PlanText(SourcePlan plan)
    {
        string least = plan.IsComplete && plan.UnknownLengths == 0 ? "" : "at least ";
        string fetch = plan.ToFetch == 0 ? "Fetch nothing" : $"Fetch {plan.ToFetch} file{(plan.ToFetch == 1 ? "" : "s")}, {least}{ByteText.Of(plan.Bytes)}";
        return $"{fetch}, and confirm {plan.Unchanged}{(plan.Trouble is null ? "" : $"; it would fail: {plan.Trouble.TrimEnd('.')}")}";
    }

    public static ClairFeedBundle Bundle(
        string path, long size, Snapshot snapshot, string snapshotSha256, IEnumerable<string> signers, string verdict,
        VolumeSet? volumes = null)
    {
        return new ClairFeedBundle
        {
            Path = path,
            FullName = path,
            Size = size,
            Verdict = verdict,
            Stream = snapshot.Stream,
            Sequence = snapshot.Sequence,
            Created = snapshot.Created,
            Expires = snapshot.Expires,
            Kind = snapshot.Base is null ? "Full" : "Delta",
            Base = snapshot.Base,
            BaseSequence = snapshot.BaseSequence,
            BaseCreated = snapshot.BaseCreated,
            Parts = [.. Parts(snapshot)],
            Signers = [.. signers],
            Sources = [.. snapshot.Sources.Where(s => s.Files.Count > 0).Select(s => s.Name)],
            IncompleteSources = Incomplete(snapshot.Sources),
            FileCount = snapshot.Sources.Sum(s => (long)s.Files.Count),
            ContentSize = snapshot.Sources.Sum(s => s.Files.Sum(f => f.Size)),
            Producer = snapshot.Producer,
            SnapshotSha256 = snapshotSha256,
            Volumes = volumes?.Count ?? 0,
            MissingVolumes = [.. volumes?.Missing ?? []],
        };
    }

    /// <summary>A bundle that was opened.</summary>
    public static ClairFeedBundle Bundle(Bundle bundle, string verdict) =>
        Bundle(bundle.Path, bundle.Size, bundle.Snapshot, bundle.SnapshotSha256, bundle.SignerSubjects, verdict, bundle.Volumes);

    public static ClairFeedStoreFault StoreFault(StoreFault fault) => new()
    {
        Fault = fault.IsMissing ? "Missing" : "Damaged",
        Sha256 = fault.Sha256,
        Path = fault.Path,
        Served = fault.IsServed,
        Sources = [.. fault.Sources],
        Item = fault.Item,
        Removed = fault.Removed,
    };

    public static ClairFeedVolume Volume(VolumePart part) => new()
    {
        Path = part.Path,
        FullName = part.Path,
        Number = part.Number,
        Count = part.Count,
        Size = part.FileSize,
        Sha256 = part.Sha256,
        Offset = part.Offset,
        SetId = part.SetId,
        Stream = part.Stream,
        Sequence = part.Sequence,
        SnapshotSha256 = part.SnapshotSha256,
    };

    /// <summary>What a bundle carries of each source that has files.</summary>
    public static IEnumerable<ClairFeedBundlePart> Parts(Snapshot snapshot) => snapshot.Sources.Where(s => s.Files.Count > 0).Select(s => Part(snapshot, s));

    private static ClairFeedBundlePart Part(Snapshot snapshot, SourceSnapshot source)
    {
        int contents = source.Files.Select(f => f.Sha256).Distinct().Count();
        int whole = snapshot.Base is null ? contents : source.Delta?.Whole.Count ?? 0;
        int patched = source.Delta?.Recipes.Count ?? 0;
        return new ClairFeedBundlePart
        {
            Source = source.Name,
            Size = source.Layer?.Size ?? 0,
            ContentSize = source.Files.Sum(f => f.Size),
            FileCount = source.Files.Count,
            Whole = whole,
            Patched = patched,
            FromBase = contents - whole - patched,
        };
    }

    public static ClairFeedTrust Trust(TrustedSigner signer, DateTimeOffset now) => new()
    {
        Thumbprint = signer.Thumbprint,
        Subject = signer.Subject,
        Kind = signer.IsAuthority ? "Authority" : "Signer",
        State = signer.IsRevoked ? "Revoked" : now > signer.NotAfter ? "Expired" : now < signer.NotBefore ? "NotYetValid" : "Trusted",
        NotBefore = signer.NotBefore,
        NotAfter = signer.NotAfter,
        Path = signer.Path,
    };

    public static ClairFeedLedgerEntry LedgerEntry(LedgerLineText line) => new()
    {
        Number = line.Entry.Number,
        Time = line.Entry.Time,
        Event = line.Entry.Event,
        Actor = line.Entry.Actor,
        Details = new ReadOnlyDictionary<string, string>(line.Entry.Details.ToDictionary(d => d.Key, d => d.Value?.ToString() ?? "", StringComparer.OrdinalIgnoreCase)),
        Previous = line.Entry.Previous,
        Sha256 = line.Sha256,
    };

    public static ClairFeedTrustPolicy TrustPolicy(TrustStore store) => new()
    {
        RequiredSigners = store.RequiredSigners,
        TrustedCertificates = store.List().Count(t => !t.IsRevoked),
        Stream = store.Stream,
    };

    public static ClairFeedTrustDocument TrustDocument(string path, TrustDocument document, TrustChange? change = null) => new()
    {
        Path = path,
        Root = document.Root,
        Number = document.Number,
        Issued = document.Issued,
        Signers = [.. document.Signers.Select(s => Sha256Digest.Of(s))],
        Revoked = [.. document.Revoked.Select(r => Sha256Digest.Of(r))],
        Added = [.. (change?.Added ?? []).Select(a => a.Thumbprint)],
        NewlyRevoked = [.. (change?.Revoked ?? []).Select(r => r.Thumbprint)],
    };

    public static ClairFeedRegistryBundle Published(Bundle bundle, PublishedBundle published) => new()
    {
        Reference = published.Reference.ToString(),
        Tags = [.. published.Tags],
        Digest = published.Digest,
        Sequence = bundle.Snapshot.Sequence,
        SnapshotSha256 = bundle.SnapshotSha256,
        BytesSent = published.BytesSent,
        BytesThere = published.BytesThere,
    };

    public static ClairFeedSigner Signer(CreatedSigner signer) => new()
    {
        Path = signer.PfxPath,
        CertificatePath = signer.CertificatePath,
        Subject = signer.Subject,
        Thumbprint = signer.Thumbprint,
        NotBefore = signer.NotBefore,
        NotAfter = signer.NotAfter,
    };

    public static ClairFeedMirrorCertificate MirrorCertificate(MirrorCertificateState state) => new()
    {
        AuthorityPath = state.TrustFile,
        Thumbprint = state.Authority.Thumbprint,
        AuthorityNotAfter = state.Authority.NotAfter,
        NextThumbprint = state.NextAuthority?.Thumbprint,
        UpstreamHosts = [.. state.Upstream.Names],
        UpstreamPath = state.Upstream.Path,
        UpstreamNotAfter = state.Upstream.NotAfter,
        DnsNames = [.. state.Mirror?.Names ?? []],
        MirrorPath = state.Mirror?.Path,
        MirrorNotAfter = state.Mirror?.NotAfter,
    };

    public static ClairFeedGeneration Generation(Generation generation, bool isCurrent) => new()
    {
        Generation = generation.Number,
        IsCurrent = isCurrent,
        PublishedAt = generation.PublishedAt,
        Stream = generation.Stream,
        Sequence = generation.Sequence,
        Sources = SourcesOf(generation),
        FileCount = generation.Entries.Count + generation.Archives.Sum(a => (long)a.Members.Count),
        Size = generation.Entries.Sum(e => e.Size) + generation.Archives.Sum(a => a.Members.Sum(m => m.Size)),
        HeldBack = HeldBack(generation.HeldBack),
        SnapshotSha256 = generation.SnapshotSha256,
    };

    public static ClairFeedFreshness Freshness(SourceFreshness source) => new()
    {
        Source = source.Name,
        // Without a verdict: "Ok" beside a source that nobody carries would look like a clean result.
        Level = source.Required ? source.Level.ToString() : "None",
        State = source.State.ToString(),
        Required = source.Required,
        Age = source.Age,
        CapturedAt = source.CapturedAt,
        UpstreamModified = source.UpstreamModified,
        PublishedAt = source.PublishedAt,
        ClairState = source.ClairHolding.ToString(),
        IngestedAt = source.IngestedAt,
        IngestedGeneration = source.IngestedGeneration,
        IngestedCapturedAt = source.IngestedCapturedAt,
        WarnAfter = source.WarnAfter,
        CriticalAfter = source.CriticalAfter,
        ExpireAfter = source.ExpireAfter,
        StaleSince = source.StaleSince,
        UpstreamSilentSince = source.SilentSince,
        Cause = source.Cause.ToString(),
        CauseText = source.CauseText,
        Reason = source.Reason,
        Remedy = source.Remedy,
    };

    public static ClairFeedWarning Warning(WarningOutcome outcome) => new()
    {
        Channel = outcome.Plan.Channel.ToString(),
        Destination = outcome.Plan.Destination,
        Result = outcome.Error is not null ? "Failed" : outcome.Plan.Warning is null ? "NotDue" : outcome.Sent ? "Sent" : "Unchanged",
        Kind = outcome.Plan.Warning?.Kind.ToString(),
        Level = outcome.Plan.Warning?.Level.ToString(),
        EventId = outcome.Plan.Warning?.EventId,
        Summary = outcome.Plan.Warning?.Summary,
        Error = outcome.Error?.Message,
    };

    public static ClairFeedImportResult Import(ImportResult result, string? path) => new()
    {
        Changed = result.Changed,
        Path = path,
        Generation = result.Generation.Number,
        PublishedAt = result.Generation.PublishedAt,
        Stream = result.Generation.Stream,
        Sequence = result.Generation.Sequence,
        Sources = SourcesOf(result.Generation),
        IncompleteSources = Incomplete(result.Generation.Sources),
        HeldBack = HeldBack(result.Generation.HeldBack),
    };

    /// <summary>"debian: the capture failed: …; its files are those of 2026-11-01T00:00:00Z".</summary>
    public static string IncompleteText(SourceSnapshot source)
    {
        string what = source.State == CaptureState.Missing ? "never captured" : "the capture failed";
        string why = source.Error is null ? "" : ": " + source.Error.TrimEnd('.');
        string age = source.CapturedAt is { } captured && source.Files.Count > 0
            ? $"; its files are those of {captured.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)}"
            : "; there are no files of it";
        return $"{source.Name}: {what}{why}{age}.";
    }

    private static string[] Incomplete(IEnumerable<SourceSnapshot> sources) =>
        [.. sources.Where(s => s.State is CaptureState.Failed or CaptureState.Missing).Select(IncompleteText)];

    private static string[] SourcesOf(Generation generation) =>
        [.. generation.Entries.Select(e => e.Source).Concat(generation.Archives.Select(a => a.Source)).Distinct().Order(StringComparer.Ordinal)];

    private static string[] HeldBack(IEnumerable<HeldBackItem> items) => [.. items.Select(i => $"{i.Source}: {i.Item}: {i.Reason}")];
}

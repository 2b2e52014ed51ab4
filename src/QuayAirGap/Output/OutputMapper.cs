using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>The one place that turns the domain's objects into public ones.</summary>
internal static class OutputMapper
{
    /// <summary>The verdict where no site was asked.</summary>
    public const string NotChecked = "NotChecked";

    public static ClairFeedSource Source(SourceSettings source) => new()
    {
        Name = source.Name,
        State = !source.Definition.IsCollected ? "Unsupported" : source.Enabled ? "Enabled" : "Deselected",
        Kind = source.Definition.Kind.ToString(),
        Covers = source.Definition.Covers,
        Enabled = source.Enabled && source.Definition.IsCollected,
        Uri = source.Uri ?? source.Definition.Uri,
        MirrorUri = source.MirrorUri ?? source.Definition.MirrorUri,
        UpstreamRoot = source.UpstreamRoot,
        WarnAfter = source.WarnAfter,
        CriticalAfter = source.CriticalAfter,
        ExpireAfter = source.ExpireAfter,
        Cadence = source.Definition.Cadence,
    };

    public static ClairFeedBundle Bundle(
        string path, long size, Snapshot snapshot, string snapshotSha256, IEnumerable<string> signers, string verdict)
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
            Base = snapshot.Base,
            Signers = [.. signers],
            Sources = [.. snapshot.Sources.Where(s => s.Files.Count > 0).Select(s => s.Name)],
            IncompleteSources = Incomplete(snapshot.Sources),
            FileCount = snapshot.Sources.Sum(s => (long)s.Files.Count),
            ContentSize = snapshot.Sources.Sum(s => s.Files.Sum(f => f.Size)),
            Producer = snapshot.Producer,
            SnapshotSha256 = snapshotSha256,
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

    public static ClairFeedSigner Signer(CreatedSigner signer) => new()
    {
        Path = signer.PfxPath,
        CertificatePath = signer.CertificatePath,
        Subject = signer.Subject,
        Thumbprint = signer.Thumbprint,
        NotBefore = signer.NotBefore,
        NotAfter = signer.NotAfter,
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

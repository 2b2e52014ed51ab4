using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Snapshots;

/// <summary>What became of a source in a capture.</summary>
public enum CaptureState
{
    /// <summary>Taken, or confirmed unchanged, at <see cref="SourceSnapshot.CapturedAt"/>.</summary>
    Captured,

    /// <summary>This capture failed; the files, if any, are those of the last good one.</summary>
    Failed,

    /// <summary>Enabled, but never captured.</summary>
    Missing,

    /// <summary>Disabled by whoever runs the collector.</summary>
    Deselected,

    /// <summary>This version cannot collect it.</summary>
    Unsupported,
}

/// <summary>The complete inventory of one capture: the document that gets signed. Times are UTC.</summary>
public sealed record Snapshot
{
    public const string FormatName = "quayairgap.snapshot";

    public const int CurrentVersion = 1;

    public string Format { get; init; } = FormatName;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The collecting site's own id: sequences count within it.</summary>
    public required Guid Stream { get; init; }

    /// <summary>Rises by at least one with every bundle of the stream.</summary>
    public required long Sequence { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>After this time no site imports the bundle.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>Program and version that made it.</summary>
    public required string Producer { get; init; }

    /// <summary>SHA-256 of the snapshot that a delta builds on; null for a full bundle.</summary>
    public string? Base { get; init; }

    /// <summary>What the roots say of signers, signed by them and not by the bundle's signer; null where the collecting site has nothing of the kind.</summary>
    public IReadOnlyList<SignedTrustDocument>? Trust { get; init; }

    /// <summary>The base's sequence: people look for a bundle by its number.</summary>
    public long? BaseSequence { get; init; }

    /// <summary>When the base was made.</summary>
    public DateTimeOffset? BaseCreated { get; init; }

    /// <summary>Every source of the catalogue, collected or not, in the catalogue's order.</summary>
    public required IReadOnlyList<SourceSnapshot> Sources { get; init; }
}

/// <summary>One source within a capture.</summary>
public sealed record SourceSnapshot
{
    /// <summary>The most requests that are named one by one: RHEL alone can have tens of thousands.</summary>
    public const int MaxEvidence = 1000;

    public required string Name { get; init; }

    public required CaptureState State { get; init; }

    /// <summary>When these files were last confirmed against upstream, UTC; older than the snapshot where the capture failed.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>The newest modification time that the upstream gave, UTC.</summary>
    public DateTimeOffset? UpstreamModified { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>The id of that failure, one of <see cref="ErrorIds"/>: for programs that branch.</summary>
    public string? ErrorId { get; init; }

    public IReadOnlyList<string> Updaters { get; init; } = [];

    public long AdvisoryCount { get; init; }

    /// <summary>The newest date that an advisory of these files bears, UTC; null where the feed has none.</summary>
    public DateTimeOffset? NewestAdvisory { get; init; }

    /// <summary>Ids of advisories, the same ones in every capture that has them (<see cref="Sources.AdvisoryCensus"/>), in the order of their hashes.</summary>
    public IReadOnlyList<string> Sample { get; init; } = [];

    /// <summary>The releases or parts that these files speak for; ordinal order.</summary>
    public IReadOnlyList<string> Releases { get; init; } = [];

    /// <summary>What these files had lost against the capture before them, where somebody accepted that by name.</summary>
    public string? AcceptedRegression { get; init; }

    /// <summary>What of the upstream could not be seen although all that was asked for was had, for people; null where nothing is to be said.</summary>
    public string? Note { get; init; }

    public IReadOnlyList<string> Deselected { get; init; } = [];

    /// <summary>Canonical URLs of directories that Clair asks for by name.</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>Ordered by URL, ordinal; no URL twice.</summary>
    public IReadOnlyList<SnapshotFile> Files { get; init; } = [];

    /// <summary>What the collector found in contents that it read to their end; null where it says nothing. No content twice.</summary>
    public IReadOnlyList<ContentFindings>? Findings { get; init; }

    /// <summary>The requests of the capture that no file stands for, in order; the first <see cref="MaxEvidence"/> of them.</summary>
    public IReadOnlyList<RequestEvidence> Evidence { get; init; } = [];

    /// <summary>How many more requests there were.</summary>
    public int EvidenceOmitted { get; init; }

    /// <summary>The servers that the capture spoke to by TLS.</summary>
    public IReadOnlyList<TlsPeer> TlsPeers { get; init; } = [];

    /// <summary>Where the content travels in the bundle; null where there are no files, or where a delta's base has all of them.</summary>
    public LayerDescriptor? Layer { get; init; }

    /// <summary>What of the content the layer holds; null where it holds all of it, or none.</summary>
    public SourceDelta? Delta { get; init; }
}

/// <summary>A bundle's layer: a deterministic tar of the source's blobs, zstd-compressed.</summary>
/// <param name="Sha256">Of the compressed layer, 64 lower-case hexadecimal digits.</param>
/// <param name="Size">Bytes, compressed.</param>
/// <param name="TarSize">Bytes of the tar inside: the reader refuses to unpack one more.</param>
public sealed record LayerDescriptor(string Sha256, long Size, long TarSize);

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
    public required string Name { get; init; }

    public required CaptureState State { get; init; }

    /// <summary>When these files were last confirmed against upstream, UTC; older than the snapshot where the capture failed.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>The newest modification time that the upstream gave, UTC.</summary>
    public DateTimeOffset? UpstreamModified { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    public IReadOnlyList<string> Updaters { get; init; } = [];

    public long AdvisoryCount { get; init; }

    public IReadOnlyList<string> Deselected { get; init; } = [];

    /// <summary>Canonical URLs of directories that Clair asks for by name.</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>Ordered by URL, ordinal; no URL twice.</summary>
    public IReadOnlyList<SnapshotFile> Files { get; init; } = [];

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

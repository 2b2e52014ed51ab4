namespace QuayAirGap;

/// <summary>What a bundle says of itself, and what this site's trust says of that. Times are UTC.</summary>
public sealed class ClairFeedBundle
{
    public required string Path { get; init; }

    /// <summary>The same as Path, under the name that binds to -LiteralPath.</summary>
    public required string FullName { get; init; }

    /// <summary>Bytes of the bundle.</summary>
    public required long Size { get; init; }

    /// <summary>
    /// What the site thinks of signature and policy, without reading the content: "Acceptable", "AlreadyImported", the id of the error that
    /// an import would end in, or "NotChecked" where there is no site.
    /// </summary>
    public required string Verdict { get; init; }

    /// <summary>The collecting site's id.</summary>
    public required Guid Stream { get; init; }

    /// <summary>The bundle's number within the stream.</summary>
    public required long Sequence { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>After this time no site imports it.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>"Full" or "Delta".</summary>
    public required string Kind { get; init; }

    /// <summary>SHA-256 of the snapshot that a delta builds on; null for a full bundle.</summary>
    public string? Base { get; init; }

    /// <summary>The number of the bundle that a delta builds on; null for a full bundle.</summary>
    public long? BaseSequence { get; init; }

    /// <summary>When that bundle was made; null for a full bundle.</summary>
    public DateTimeOffset? BaseCreated { get; init; }

    /// <summary>What it carries of each source that has files.</summary>
    public required ClairFeedBundlePart[] Parts { get; init; }

    /// <summary>The subjects that its signatures claim.</summary>
    public required string[] Signers { get; init; }

    /// <summary>The sources that it has files of; in a delta also those whose content the base has.</summary>
    public required string[] Sources { get; init; }

    /// <summary>Enabled sources that the capture did not get, or got only an older state of: "source: reason".</summary>
    public required string[] IncompleteSources { get; init; }

    /// <summary>Files of all sources.</summary>
    public required long FileCount { get; init; }

    /// <summary>Bytes of those files, unpacked.</summary>
    public required long ContentSize { get; init; }

    /// <summary>The program and version that made it.</summary>
    public required string Producer { get; init; }

    /// <summary>SHA-256 of the snapshot, 64 lower-case hexadecimal digits.</summary>
    public required string SnapshotSha256 { get; init; }

    /// <summary>How many parts it was split into; 0 where it is one file or folder.</summary>
    public int Volumes { get; init; }

    /// <summary>The numbers of the parts that are not there.</summary>
    public int[] MissingVolumes { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Path;
}

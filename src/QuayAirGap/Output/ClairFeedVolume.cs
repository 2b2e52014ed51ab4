namespace QuayAirGap;

/// <summary>One part of a bundle that was split for smaller media.</summary>
public sealed class ClairFeedVolume
{
    public required string Path { get; init; }

    /// <summary>The same as Path, under the name that binds to -LiteralPath.</summary>
    public required string FullName { get; init; }

    /// <summary>From 1.</summary>
    public required int Number { get; init; }

    /// <summary>How many parts the bundle has.</summary>
    public required int Count { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Size { get; init; }

    /// <summary>SHA-256 of what it holds of the bundle, 64 lower-case hexadecimal digits; the file's own is another.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Where that lies in the bundle, in bytes.</summary>
    public required long Offset { get; init; }

    /// <summary>Parts with the same one make one bundle, and others never.</summary>
    public required string SetId { get; init; }

    /// <summary>The collecting site's id.</summary>
    public required Guid Stream { get; init; }

    /// <summary>The bundle's number within the stream.</summary>
    public required long Sequence { get; init; }

    /// <summary>SHA-256 of the bundle's snapshot.</summary>
    public required string SnapshotSha256 { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Path;
}

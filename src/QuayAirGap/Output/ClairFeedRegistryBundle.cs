namespace QuayAirGap;

/// <summary>A bundle that was put into a registry.</summary>
public sealed class ClairFeedRegistryBundle
{
    /// <summary>Where it is, with its first tag: what Receive-ClairFeedBundle takes.</summary>
    public required string Reference { get; init; }

    /// <summary>Every tag that names it now.</summary>
    public required string[] Tags { get; init; }

    /// <summary>Of its manifest, "sha256:" and 64 lower-case hexadecimal digits.</summary>
    public required string Digest { get; init; }

    public required long Sequence { get; init; }

    /// <summary>SHA-256 of the snapshot, 64 lower-case hexadecimal digits.</summary>
    public required string SnapshotSha256 { get; init; }

    /// <summary>Bytes of content that the registry did not have.</summary>
    public required long BytesSent { get; init; }

    /// <summary>Bytes of content that it had already.</summary>
    public required long BytesThere { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Reference;
}

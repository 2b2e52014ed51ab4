namespace QuayAirGap.Core.Bundles;

/// <summary>The names and limits of a bundle: an OCI image layout (image-spec 1.1, image-layout.md) with one artifact manifest.</summary>
internal static class BundleFormat
{
    public const string ArtifactType = "application/vnd.quayairgap.bundle.v1";

    /// <summary>The snapshot as it is: what bundles before the packed form have. Every reader takes both.</summary>
    public const string SnapshotType = "application/vnd.quayairgap.snapshot.v1+json";

    /// <summary>The same document as one zstd frame. The signatures are over the document, not over the frame.</summary>
    public const string PackedSnapshotType = "application/vnd.quayairgap.snapshot.v1+json+zstd";

    public const string SignatureType = "application/pkcs7-signature";
    public const string SourceType = "application/vnd.quayairgap.source.v1.tar+zstd";

    public const string IndexType = "application/vnd.oci.image.index.v1+json";
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>The configuration of an artifact that has none: "{}" (image-spec, manifest.md, "Guidance for an Empty Descriptor").</summary>
    public const string EmptyType = "application/vnd.oci.empty.v1+json";

    public const string LayoutName = "oci-layout";
    public const string IndexName = "index.json";
    public const string BlobPrefix = "blobs/sha256/";

    public const int MaxLayoutBytes = 4096;
    public const int MaxDocumentBytes = 1024 * 1024;

    /// <summary>Entries of the outer archive: sources, signatures and documents are far fewer.</summary>
    public const int MaxEntries = 1024;

    public const int CompressionLevel = 3;

    /// <summary>
    /// For layers of what is compressed already. Level 3 makes OSV's archives 1 % smaller than this, and takes four times as long.
    /// </summary>
    public const int PackedCompressionLevel = -1;

    /// <summary>For the layers of a delta, which are small. Its window is not larger than <see cref="MaxWindowLog"/>.</summary>
    public const int DeltaCompressionLevel = 19;

    /// <summary>8 MiB: what level 3 needs, and room for a stronger level. More would let a bundle claim the reader's memory.</summary>
    public const int MaxWindowLog = 23;

    public const int BufferSize = 1 << 20;

    /// <summary>Buffers on the way between two stages: enough to even them out, little enough to stay out of the way.</summary>
    public const int PipeDepth = 6;

    public static ReadOnlySpan<byte> Layout => "{\"imageLayoutVersion\":\"1.0.0\"}"u8;

    public static ReadOnlySpan<byte> EmptyConfig => "{}"u8;

    public static string BlobName(string sha256) => BlobPrefix + sha256;
}

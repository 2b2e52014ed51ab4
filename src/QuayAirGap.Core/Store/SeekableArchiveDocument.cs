namespace QuayAirGap.Core.Store;

/// <summary>One document of a seekable archive that is to be written.</summary>
/// <param name="path">At most 100 ASCII characters: what a plain ustar header holds.</param>
/// <param name="digest">SHA-256 of the document.</param>
/// <param name="size">Bytes of the document.</param>
internal sealed class SeekableArchiveDocument(string path, SeekableArchiveDigest digest, long size)
{
    public string Path { get; } = path;

    public SeekableArchiveDigest Digest { get; } = digest;

    public long Size { get; } = size;

    /// <summary>What the mirror says of the single document. It is not part of the archive's bytes.</summary>
    public DateTimeOffset? LastModified { get; set; }
}

namespace QuayAirGap.Core.Store;

/// <summary>One document of a seekable archive that is to be written.</summary>
/// <param name="path">At most 100 ASCII characters: what a plain ustar header holds.</param>
/// <param name="digest">SHA-256 of the document; null where it is not known before its content was read.</param>
/// <param name="size">Bytes of the document.</param>
internal sealed class SeekableArchiveDocument(string path, SeekableArchiveDigest? digest, long size)
{
    private SeekableArchiveDigest? _digest = digest;

    public string Path { get; } = path;

    public SeekableArchiveDigest Digest => _digest ?? throw new InvalidOperationException($"The digest of '{Path}' is not known yet.");

    public long Size { get; } = size;

    /// <summary>What the mirror says of the single document. It is not part of the archive's bytes.</summary>
    public DateTimeOffset? LastModified { get; set; }

    /// <summary>Takes the digest that its content was found to have.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/>: it was to be another.</exception>
    public void Found(SeekableArchiveDigest digest)
    {
        if (_digest is { } known && known != digest)
        {
            throw SeekableArchive.Damaged(Path);
        }

        _digest = digest;
    }
}

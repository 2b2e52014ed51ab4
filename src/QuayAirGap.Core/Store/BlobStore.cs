namespace QuayAirGap.Core.Store;

/// <summary>
/// Content-addressed files: store/sha256/ab/abcd…. A blob's name is its SHA-256, so a blob is either whole under its name or not there.
/// Blobs are written beside and renamed; <see cref="Durable.Barrier"/> must run before anything that refers to new blobs becomes real.
/// </summary>
public sealed class BlobStore
{
    private readonly string _root;
    private readonly string _staging;

    /// <param name="root">The store's folder.</param>
    /// <param name="staging">A folder on the same volume for what is being written.</param>
    public BlobStore(string root, string staging)
    {
        _root = Path.Combine(root, "sha256");
        _staging = staging;
    }

    /// <summary>Where a blob is or would be.</summary>
    public string PathOf(string sha256)
    {
        Sha256Digest.ThrowIfInvalid(sha256);
        return Path.Combine(_root, sha256[..2], sha256);
    }

    /// <summary>Whether a blob is there with the size that it must have (a torn write after a power cut has another).</summary>
    public bool Contains(string sha256, long size)
    {
        var file = new FileInfo(PathOf(sha256));
        return file.Exists && file.Length == size;
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.BlobMissing"/></exception>
    public FileStream OpenRead(string sha256)
    {
        string path = PathOf(sha256);
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.Read | FileShare.Delete,
                BufferSize = 0,
                Options = FileOptions.SequentialScan | FileOptions.Asynchronous,
            });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FeedException(
                ErrorIds.BlobMissing, $"The store has lost the content {sha256}.", path,
                "Import the newest full bundle again, or on the collecting side run Save-ClairFeed again.", e);
        }
    }

    /// <summary>Starts a blob whose digest is not known yet. Dispose it without committing and nothing is left.</summary>
    public BlobWriter CreateWriter() => new(this, _staging);

    /// <summary>Writes a whole stream into the store.</summary>
    public async Task<(string Sha256, long Size)> AddAsync(Stream content, CancellationToken cancellationToken)
    {
        await using BlobWriter writer = CreateWriter();
        await content.CopyToAsync(writer, cancellationToken).ConfigureAwait(false);
        return writer.Commit(cancellationToken);
    }

    /// <summary>Every blob that is there, with its size in bytes.</summary>
    public IEnumerable<(string Sha256, long Size)> List()
    {
        var root = new DirectoryInfo(_root);
        return root.Exists
            ? root.EnumerateFiles("*", SearchOption.AllDirectories).Where(f => Sha256Digest.IsValid(f.Name)).Select(f => (f.Name, f.Length))
            : [];
    }

    /// <summary>Removes one blob that nothing refers to any more.</summary>
    public void Remove(string sha256) => File.Delete(PathOf(sha256));

    /// <summary>Moves a finished file into its place. A blob that is already there, whole, wins.</summary>
    internal void Adopt(string file, string sha256, long size)
    {
        if (Contains(sha256, size))
        {
            File.Delete(file);
            return;
        }

        string path = PathOf(sha256);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Durable.Rename(file, path, overwrite: true);
        Durable.Wrote(path);
    }
}

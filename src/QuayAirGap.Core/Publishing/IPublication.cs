using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Publishing;

/// <summary>
/// What a feed family writes to while one source of one generation is published. Everything lands in a staging folder; nothing is
/// served before the whole generation is complete. Paths are what Clair asks for by path: "/" + upstream host + upstream path, not
/// escaped; use <see cref="MirrorPath.Of(Uri)"/>.
/// </summary>
public interface IPublication
{
    SourceDefinition Definition { get; }

    /// <summary>The verified content. Its files' blobs are in the store.</summary>
    SourceSnapshot Source { get; }

    /// <summary>The time of this publication on the isolated side, UTC, whole seconds.</summary>
    DateTimeOffset PublishedAt { get; }

    /// <summary>The number of the generation being built.</summary>
    int Generation { get; }

    Stream OpenRead(SnapshotFile file);

    /// <summary>Opens any blob of the store, e.g. one that the previous generation derived.</summary>
    Stream OpenBlob(string sha256);

    /// <summary>Serves an upstream file as it is, under its own URL's path, with the upstream's Last-Modified.</summary>
    void AddVerbatim(SnapshotFile file, string contentType);

    /// <summary>
    /// Serves derived content. It is written to the store under its own digest; returns that entry.
    /// </summary>
    /// <param name="path">Where it is served; a path that ends in a slash answers as a directory.</param>
    /// <param name="content">Read to its end.</param>
    /// <param name="contentType">The Content-Type header.</param>
    /// <param name="lastModified">The Last-Modified header; must change whenever the content does. Null: none is sent.</param>
    /// <param name="derivation">The rule that made it, and from what.</param>
    /// <param name="validators">False: neither ETag nor Last-Modified is sent, and no conditional request is honoured.</param>
    Task<GenerationEntry> AddDerivedAsync(
        string path, Stream content, string contentType, DateTimeOffset? lastModified, Derivation derivation, bool validators, CancellationToken cancellationToken);

    /// <summary>
    /// A stream to write large derived content to; dispose it after <see cref="IDerivedWriter.CompleteAsync"/>, or it leaves nothing.
    /// </summary>
    IDerivedWriter CreateDerived();

    /// <summary>Puts content into the store that is not served itself, but that something served is made of. It stays until the next sweep.</summary>
    /// <returns>Its SHA-256, for <see cref="OpenBlob"/>.</returns>
    string AddUnserved(Action<Stream> write, CancellationToken cancellationToken);

    /// <summary>Serves an entry that an earlier generation derived (its blob is kept as long as this generation is).</summary>
    void Keep(GenerationEntry entry);

    /// <summary>Serves the documents inside a seekable archive one by one, under a common prefix.</summary>
    void AddArchiveMembers(ArchiveMembers members);

    /// <summary>Says that part of the upstream's content is not published, and why: shown to people, kept in the generation.</summary>
    void HoldBack(string item, string reason);

    /// <summary>The newest generation's entries of this source, or null at the first publication.</summary>
    IReadOnlyList<GenerationEntry>? PreviousEntries { get; }

    /// <summary>The newest generation's archive members of this source, or null.</summary>
    ArchiveMembers? PreviousArchiveMembers { get; }

    /// <summary>A private file that the newest generation's publication of this source left for its successor, or null.</summary>
    Stream? OpenPreviousState(string name);

    /// <summary>Creates the private file for the next publication of this source. It becomes part of this generation.</summary>
    Stream CreateState(string name);
}

/// <summary>Large derived content being written.</summary>
public interface IDerivedWriter : IAsyncDisposable
{
    /// <summary>Write-only; hashed while written.</summary>
    Stream Stream { get; }

    /// <summary>Puts the content into the store and serves it.</summary>
    Task<GenerationEntry> CompleteAsync(
        string path, string contentType, DateTimeOffset? lastModified, Derivation derivation, CancellationToken cancellationToken);
}

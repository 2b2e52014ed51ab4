using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// What a feed family sees of the internet and the store while it collects one source. URLs are always canonical
/// (<see cref="SourceDefinition.Uri"/>); the session translates them to a configured cache or mirror. Safe for parallel use: the
/// session itself limits how many requests a host sees at once, retries what is worth it, and refuses short and long bodies.
/// </summary>
public interface ICollectSession
{
    SourceDefinition Source { get; }

    /// <summary>Which parts of the source are wanted. What upstream has and this leaves out belongs into <see cref="CollectedContent.Deselected"/>.</summary>
    SourceSelection Selection { get; }

    /// <summary>What the store holds of this source from the last good capture, or null. Its blobs are present.</summary>
    SourceSnapshot? Previous { get; }

    DateTimeOffset Now { get; }

    /// <summary>
    /// GETs a file into the store, verbatim, with a conditional request against the previous capture of the same URL. Anything but
    /// 200 and 304 throws <see cref="FeedException"/> (<see cref="ErrorIds.UpstreamStatus"/> and its kin).
    /// </summary>
    Task<SnapshotFile> GetAsync(Uri url, CancellationToken cancellationToken);

    /// <summary>As <see cref="GetAsync"/>, but null for 404 and 410.</summary>
    Task<SnapshotFile?> TryGetAsync(Uri url, CancellationToken cancellationToken);

    /// <summary>HEADs a URL: true for 200, false for 404, and throws for everything else.</summary>
    Task<bool> ExistsAsync(Uri url, CancellationToken cancellationToken);

    /// <summary>HEADs a file that may not be worth fetching: its validators without its content, or null for 404.</summary>
    Task<UpstreamHead?> HeadAsync(Uri url, CancellationToken cancellationToken);

    /// <summary>Puts another form of a fetched file into the store, for content that does not travel as upstream packed it.</summary>
    /// <param name="write">Writes that form.</param>
    /// <returns>The file with its new content, and the old one as <see cref="SnapshotFile.PackedFrom"/>.</returns>
    Task<SnapshotFile> RepackAsync(SnapshotFile file, Action<Stream> write, CancellationToken cancellationToken);

    /// <summary>Opens a file that this session fetched, or that <see cref="Previous"/> lists.</summary>
    Stream OpenRead(SnapshotFile file);

    /// <summary>What reading contents has shown before.</summary>
    internal InspectionMemory Inspections => new();

    /// <summary>Says what is at hand, for people who watch.</summary>
    void Report(string activity, string? item = null);
}

/// <summary>What a HEAD request told.</summary>
/// <param name="LastModified">UTC, whole seconds, as the header gave it.</param>
/// <param name="ETag">The header as sent, quotes and weak prefix included.</param>
/// <param name="Length">Bytes, where the upstream told.</param>
public sealed record UpstreamHead(DateTimeOffset? LastModified, string? ETag, long? Length);

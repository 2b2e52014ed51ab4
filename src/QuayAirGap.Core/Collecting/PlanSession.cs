using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// Lets a family walk through its discovery without fetching what it would fetch: every file is asked for by HEAD and held against the last
/// capture. The few small documents that lead on (lists, stamps) are read into memory; a large one that has changed is stood in for by what
/// the store has of it, and where the store has nothing the walk ends there. Nothing is written.
/// </summary>
internal sealed class PlanSession(UpstreamClient client, BlobStore? store, SourceSettings settings, SourceSnapshot? previous, Uri? upstreamRoot, DateTimeOffset now)
    : ICollectSession
{
    /// <summary>Lists by their names, anything else by its size: what leads on is small, and memory is not the place for feeds.</summary>
    private const int SmallList = 16 << 20;
    private const int SmallFile = 256 << 10;

    private static readonly string[] s_lists = ["/", ".csv", ".txt", ".html", ".meta", "/repomd.xml", "/mirror.list", "/series"];

    private readonly ConcurrentDictionary<string, PlannedFile> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte[]> _read = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SnapshotFile> _known = (previous?.Files ?? []).ToDictionary(f => f.Url, StringComparer.Ordinal);
    private int _standIns;

    public SourceDefinition Source => settings.Definition;

    public SourceSelection Selection => settings.Selection;

    public SourceSnapshot? Previous => previous;

    public DateTimeOffset Now => now;

    /// <summary>What the family asked for.</summary>
    public IReadOnlyCollection<PlannedFile> Files => [.. _files.Values];

    /// <summary>Whether old content stood in for new: what it leads to may be out of date.</summary>
    public bool HasStandIns => Volatile.Read(ref _standIns) > 0;

    public async Task<SnapshotFile> GetAsync(Uri url, CancellationToken cancellationToken) =>
        await TryGetAsync(url, cancellationToken).ConfigureAwait(false) ?? throw CollectSession.Status(url, HttpStatusCode.NotFound);

    public async Task<SnapshotFile?> TryGetAsync(Uri url, CancellationToken cancellationToken)
    {
        string key = url.AbsoluteUri;
        if (await HeadAsync(url, CollectSession.MayBeCoded(url), cancellationToken).ConfigureAwait(false) is not { } head)
        {
            return null;
        }

        if (_known.TryGetValue(key, out SnapshotFile? known) && IsSame(known, head))
        {
            _files[key] = new PlannedFile(key, IsUnchanged: true, Length: 0);
            return known;
        }

        // Without a coding the length is told, and it is the most that will travel.
        long? length = head.Length ?? (await HeadAsync(url, mayBeCoded: false, cancellationToken).ConfigureAwait(false))?.Length;
        _files[key] = new PlannedFile(key, IsUnchanged: false, length);
        if (length is { } l ? l <= Limit(url) : Limit(url) == SmallList)
        {
            return await ReadAsync(url, key, head, cancellationToken).ConfigureAwait(false);
        }

        Interlocked.Increment(ref _standIns);
        return known ?? throw new PlanEndException();
    }

    public async Task<bool> ExistsAsync(Uri url, CancellationToken cancellationToken) =>
        await HeadAsync(url, cancellationToken).ConfigureAwait(false) is not null;

    public Task<UpstreamHead?> HeadAsync(Uri url, CancellationToken cancellationToken) => HeadAsync(url, mayBeCoded: false, cancellationToken);

    public Task<SnapshotFile> RepackAsync(SnapshotFile file, Action<Stream> write, CancellationToken cancellationToken) => Task.FromResult(file);

    public Stream OpenRead(SnapshotFile file) =>
        _read.TryGetValue(file.Sha256, out byte[]? content) ? new MemoryStream(content, writable: false) : store!.OpenRead(file.Sha256);

    public void Report(string activity, string? item = null)
    {
    }

    private static bool IsSame(SnapshotFile known, UpstreamHead head) =>
        known.ETag is not null && head.ETag is not null
            ? known.ETag == head.ETag
            : known.LastModified is not null && known.LastModified == head.LastModified;

    private static int Limit(Uri url) => s_lists.Any(e => url.AbsolutePath.EndsWith(e, StringComparison.Ordinal)) ? SmallList : SmallFile;

    private HttpRequestMessage Request(HttpMethod method, Uri address, bool mayBeCoded)
    {
        HttpRequestMessage request = UpstreamAddress.Request(method, address, settings, upstreamRoot);
        if (mayBeCoded)
        {
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        }

        return request;
    }

    private static void Ignore(HttpMethod method, Uri address, int status, string errorId)
    {
    }

    private Task<UpstreamHead?> HeadAsync(Uri url, bool mayBeCoded, CancellationToken cancellationToken)
    {
        Uri address = UpstreamAddress.Translate(url, settings, upstreamRoot);
        return client.SendAsync(
            () => Request(HttpMethod.Head, address, mayBeCoded),
            (response, _) => response.StatusCode switch
            {
                HttpStatusCode.OK => Task.FromResult<UpstreamHead?>(
                    new UpstreamHead(CollectSession.LastModified(response), CollectSession.ETag(response), response.Content.Headers.ContentLength)),
                HttpStatusCode.NotFound or HttpStatusCode.Gone => Task.FromResult<UpstreamHead?>(null),
                _ => throw CollectSession.Status(address, response.StatusCode),
            },
            Ignore, cancellationToken);
    }

    private Task<SnapshotFile?> ReadAsync(Uri url, string key, UpstreamHead head, CancellationToken cancellationToken)
    {
        Uri address = UpstreamAddress.Translate(url, settings, upstreamRoot);
        return client.SendAsync<SnapshotFile?>(
            () => Request(HttpMethod.Get, address, CollectSession.MayBeCoded(url)),
            async (response, token) =>
            {
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    throw CollectSession.Status(address, response.StatusCode);
                }

                await using Stream wire = await client.OpenBodyAsync(response, token).ConfigureAwait(false);
                await using Stream body = response.Content.Headers.ContentEncoding.Contains("gzip") ? new GZipStream(wire, CompressionMode.Decompress) : wire;
                using var content = new MemoryStream();
                byte[] buffer = new byte[64 << 10];
                for (int n; (n = await body.ReadAsync(buffer, token).ConfigureAwait(false)) > 0;)
                {
                    await content.WriteAsync(buffer.AsMemory(0, n), token).ConfigureAwait(false);
                    if (content.Length > SmallList)
                    {
                        throw new PlanEndException();
                    }
                }

                byte[] bytes = content.ToArray();
                string sha256 = Sha256Digest.Of(bytes);
                _read[sha256] = bytes;
                return new SnapshotFile { Url = key, Sha256 = sha256, Size = bytes.Length, LastModified = head.LastModified, ETag = head.ETag };
            },
            Ignore, cancellationToken);
    }
}

/// <summary>A file that a capture would ask for.</summary>
/// <param name="Url">Canonical.</param>
/// <param name="IsUnchanged">A capture would only have it confirmed.</param>
/// <param name="Length">Bytes that would travel at most; null where upstream does not tell.</param>
internal sealed record PlannedFile(string Url, bool IsUnchanged, long? Length);

/// <summary>The walk cannot go on without a file that is too large to be read for a plan.</summary>
internal sealed class PlanEndException : Exception;

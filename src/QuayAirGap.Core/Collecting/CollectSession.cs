using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>One source's view of upstream and store during a collecting run.</summary>
internal sealed class CollectSession : ICollectSession
{
    // A file of 8 GiB over a line that breaks every 100 MiB.
    private const int MostRounds = 20;

    // Their bytes are the content; a gzip coding around them saves nothing, and proxies have been seen to undo it wrongly.
    private static readonly string[] s_alreadyCompressed = [".zip", ".gz", ".bz2", ".zst", ".xz"];

    private readonly UpstreamClient _client;
    private readonly BlobStore _store;
    private readonly SourceSettings _settings;
    private readonly UpstreamOptions _options;
    private readonly Uri? _upstreamRoot;
    private readonly IProgress<FeedProgress>? _progress;
    private readonly ConcurrentDictionary<string, SnapshotFile> _known;
    private readonly TimeProvider _clock;
    private long _bytes;
    private long _toldTicks = long.MaxValue;

    public CollectSession(
        UpstreamClient client, BlobStore store, SourceSettings settings, SourceSnapshot? previous, UpstreamOptions options, Uri? upstreamRoot,
        TimeProvider clock, IProgress<FeedProgress>? progress, InspectionMemory? inspections = null)
    {
        Inspections = inspections ?? new InspectionMemory();
        _client = client;
        _store = store;
        _settings = settings;
        _options = options;
        _upstreamRoot = upstreamRoot;
        _progress = progress;
        _clock = clock;
        Now = clock.GetUtcNow();

        // A capture whose content is not whole any more is none: everything is asked for anew.
        Previous = previous is { Files.Count: > 0 } && previous.Files.All(f => store.Contains(f.Sha256, f.Size)) ? previous : null;
        _known = new ConcurrentDictionary<string, SnapshotFile>(
            (Previous?.Files ?? []).Select(f => KeyValuePair.Create(f.Url, f)), StringComparer.Ordinal);
    }

    public SourceDefinition Source => _settings.Definition;

    public SourceSelection Selection => _settings.Selection;

    public SourceSnapshot? Previous { get; }

    public InspectionMemory Inspections { get; }

    public DateTimeOffset Now { get; private set; }

    /// <summary>
    /// When the content was last confirmed against its true upstream, UTC: <see cref="Now"/>, or the oldest capture that a mirror told of
    /// which stands in the upstream's place. An age never begins anew on the way.
    /// </summary>
    public DateTimeOffset ConfirmedAt
    {
        get
        {
            long told = Interlocked.Read(ref _toldTicks);
            return told < Now.UtcTicks ? new DateTimeOffset(told, TimeSpan.Zero) : Now;
        }
    }

    /// <summary>Begins another take. What the one before fetched is at hand and is confirmed or replaced like what was captured before.</summary>
    public void Again() => Now = _clock.GetUtcNow();

    public async Task<SnapshotFile> GetAsync(Uri url, CancellationToken cancellationToken) =>
        await TryGetAsync(url, cancellationToken).ConfigureAwait(false) ?? throw Status(url, HttpStatusCode.NotFound);

    public async Task<SnapshotFile?> TryGetAsync(Uri url, CancellationToken cancellationToken)
    {
        string key = url.AbsoluteUri;
        Uri address = UpstreamAddress.Translate(url, _settings, _upstreamRoot);
        _known.TryGetValue(key, out SnapshotFile? known);
        bool mayBeCoded = MayBeCoded(url);

        await using var download = new PartialDownload(_store);
        SnapshotFile? file = await WhileItProgressesAsync(
            download,
            () => _client.SendAsync(
                () => download.CanResume ? ResumeRequest(address, download) : Request(HttpMethod.Get, address, known, mayBeCoded),
                async (response, token) => HeardFrom(response).StatusCode switch
                {
                    HttpStatusCode.OK or HttpStatusCode.PartialContent => await StoreAsync(key, response, download, mayBeCoded, token).ConfigureAwait(false),
                    HttpStatusCode.RequestedRangeNotSatisfiable when download.CanResume => throw await BeginAnewAsync(address, download).ConfigureAwait(false),
                    HttpStatusCode.NotModified when known is not null => Confirmed(key, address, known),
                    HttpStatusCode.NotFound or HttpStatusCode.Gone => AbsentFile(response, address),
                    _ => throw Refused(response, address),
                },
                Failed, cancellationToken)).ConfigureAwait(false);
        if (file is not null)
        {
            _known[key] = file;
        }

        return file;
    }

    public async Task<bool> ExistsAsync(Uri url, CancellationToken cancellationToken) =>
        await HeadAsync(url, cancellationToken).ConfigureAwait(false) is not null;

    public Task<UpstreamHead?> HeadAsync(Uri url, CancellationToken cancellationToken)
    {
        Uri address = UpstreamAddress.Translate(url, _settings, _upstreamRoot);
        return _client.SendAsync(
            () => Request(HttpMethod.Head, address, known: null, mayBeCoded: false),
            (response, _) => HeardFrom(response).StatusCode switch
            {
                HttpStatusCode.OK => Task.FromResult<UpstreamHead?>(Seen(response, address)),
                HttpStatusCode.NotFound => Task.FromResult<UpstreamHead?>(Absent(response, address)),
                _ => throw Refused(response, address),
            },
            Failed, cancellationToken);
    }

    public async Task<SnapshotFile> RepackAsync(SnapshotFile file, Action<Stream> write, CancellationToken cancellationToken)
    {
        // What a later request of this session is compared with stays what upstream sent.
        await using BlobWriter writer = _store.CreateWriter();
        await Task.Run(() => write(writer), cancellationToken).ConfigureAwait(false);
        (string sha256, long size) = writer.Commit(cancellationToken);
        return file with { Sha256 = sha256, Size = size, PackedFrom = new UpstreamContent(file.Sha256, file.Size) };
    }

    public Stream OpenRead(SnapshotFile file) => _store.OpenRead(file.Sha256);

    public void Report(string activity, string? item = null) =>
        _progress?.Report(new FeedProgress(Source.Name, activity, item, Interlocked.Read(ref _bytes)));

    /// <summary>Every request that this session made.</summary>
    internal RequestLog Log { get; } = new();

    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/>: a mirror tells of an age that cannot be read, so none is known.</exception>
    private HttpResponseMessage HeardFrom(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues(MirrorHeaders.CapturedAt, out IEnumerable<string>? values))
        {
            string text = string.Join(", ", values);
            DateTimeOffset told = MirrorHeaders.Parse(text) ?? throw new FeedException(
                ErrorIds.UpstreamContent, $"The mirror in the upstream's place says that its content is of '{SnapshotRules.Printable(text, 100)}', which is no time.",
                response.RequestMessage!.RequestUri!.AbsoluteUri, "See what stands between here and the mirror and changes its header fields.");
            for (long known; told.UtcTicks < (known = Interlocked.Read(ref _toldTicks));)
            {
                Interlocked.CompareExchange(ref _toldTicks, told.UtcTicks, known);
            }
        }

        return response;
    }

    private SnapshotFile Confirmed(string key, Uri address, SnapshotFile known)
    {
        Log.Had(key, address, (int)HttpStatusCode.NotModified);
        return known;
    }

    private UpstreamHead Seen(HttpResponseMessage response, Uri address)
    {
        Log.Asked(HttpMethod.Head, address, (int)response.StatusCode, ETag(response), LastModified(response));
        return new UpstreamHead(LastModified(response), ETag(response), response.Content.Headers.ContentLength);
    }

    private UpstreamHead? Absent(HttpResponseMessage response, Uri address)
    {
        Log.Asked(HttpMethod.Head, address, (int)response.StatusCode);
        return null;
    }

    private SnapshotFile? AbsentFile(HttpResponseMessage response, Uri address)
    {
        Log.Asked(HttpMethod.Get, address, (int)response.StatusCode);
        return null;
    }

    private FeedException Refused(HttpResponseMessage response, Uri address)
    {
        Log.Asked(response.RequestMessage!.Method, address, (int)response.StatusCode, error: ErrorIds.UpstreamStatus);
        return Status(address, response.StatusCode);
    }

    private void Failed(HttpMethod method, Uri address, int status, string errorId) => Log.Asked(method, address, status, error: errorId);

    /// <summary>Goes on as long as each round of tries brings more of the file: a line that breaks every few minutes still gets it.</summary>
    private static async Task<T> WhileItProgressesAsync<T>(PartialDownload download, Func<Task<T>> send)
    {
        for (int round = 1; ; round++)
        {
            long before = download.Length;
            try
            {
                return await send().ConfigureAwait(false);
            }
            catch (FeedException e) when (
                e.ErrorId is ErrorIds.UpstreamIncomplete or ErrorIds.UpstreamStalled && round < MostRounds && download.CanResume && download.Length > before)
            {
                // Another round of tries, from where this one came to.
            }
        }
    }

    internal static bool MayBeCoded(Uri url) => !IsPacked(url.AbsolutePath);

    /// <summary>Whether what lies there is compressed, going by its name.</summary>
    internal static bool IsPacked(string path) => s_alreadyCompressed.Any(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    private static async Task<TransientUpstreamException> BeginAnewAsync(Uri address, PartialDownload download)
    {
        await download.DropAsync().ConfigureAwait(false);
        return new TransientUpstreamException(
            ErrorIds.UpstreamIncomplete, address.AbsoluteUri, $"{address.AbsoluteUri} cannot be gone on with where the connection broke off.");
    }

    private HttpRequestMessage ResumeRequest(Uri address, PartialDownload download)
    {
        HttpRequestMessage request = UpstreamAddress.Request(HttpMethod.Get, address, _settings, _upstreamRoot);
        request.Headers.Range = new RangeHeaderValue(download.Length, null);
        request.Headers.TryAddWithoutValidation("If-Range", download.ETag);
        return request;
    }

    private HttpRequestMessage Request(HttpMethod method, Uri address, SnapshotFile? known, bool mayBeCoded)
    {
        HttpRequestMessage request = UpstreamAddress.Request(method, address, _settings, _upstreamRoot);
        if (mayBeCoded)
        {
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        }

        if (known?.ETag is { } etag)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        }

        if (known?.LastModified is { } modified)
        {
            request.Headers.IfModifiedSince = modified;
        }

        return request;
    }

    internal static DateTimeOffset? LastModified(HttpResponseMessage response) => response.Content.Headers.LastModified?.ToUniversalTime();

    /// <summary>The header as sent: a weak or unquoted one must go back the way it came.</summary>
    internal static string? ETag(HttpResponseMessage response) =>
        response.Headers.TryGetValues("ETag", out IEnumerable<string>? values) && values.FirstOrDefault() is { Length: > 0 and < 512 } etag ? etag : null;

    private async Task<SnapshotFile> StoreAsync(
        string url, HttpResponseMessage response, PartialDownload download, bool mayBeCoded, CancellationToken cancellationToken)
    {
        Uri uri = response.RequestMessage!.RequestUri!;
        string address = uri.AbsoluteUri;
        if (response.Content.Headers.ContentLength > _options.LargestFile)
        {
            throw TooLarge(address);
        }

        string[] codings = [.. response.Content.Headers.ContentEncoding.Where(c => !c.Equals("identity", StringComparison.OrdinalIgnoreCase))];
        bool gzip = mayBeCoded && response.StatusCode == HttpStatusCode.OK && codings is [var coding] && coding.Equals("gzip", StringComparison.OrdinalIgnoreCase);
        if (codings.Length > 0 && !gzip)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"{address} came with a content coding that was not asked for ({string.Join(", ", codings)}).", address,
                "Something between here and the upstream changes the content: fetch around it, or switch its compression off.");
        }

        await using Stream wire = await _client.OpenBodyAsync(response, cancellationToken).ConfigureAwait(false);
        await using Stream body = gzip ? new GZipStream(wire, CompressionMode.Decompress) : wire;
        BlobWriter writer = response.StatusCode == HttpStatusCode.PartialContent
            ? await ResumeAsync(response, uri, download).ConfigureAwait(false)
            : await download.BeginAsync(gzip ? null : ETag(response), gzip ? null : response.Content.Headers.ContentLength).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        Report("Collecting", url);
        try
        {
            int n;
            long reported = 0;
            while ((n = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await writer.WriteAsync(buffer.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
                Interlocked.Add(ref _bytes, n);
                if (writer.Length > _options.LargestFile)
                {
                    throw TooLarge(address);
                }

                if (writer.Length - reported >= 1 << 20)
                {
                    reported = writer.Length;
                    Report("Collecting", url);
                }
            }

            if (gzip)
            {
                // The decoder stops at the end of its stream; what the upstream promised must have arrived all the same.
                await DrainAsync(wire, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (InvalidDataException e)
        {
            throw new TransientUpstreamException(ErrorIds.UpstreamIncomplete, address, $"{address} sent a broken gzip coding.", e);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(url, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (!download.IsWhole)
        {
            throw new TransientUpstreamException(ErrorIds.UpstreamIncomplete, address, $"{address} sent {writer.Length} bytes, which is not what it announced.");
        }

        Log.Had(url, uri, download.IsResumed ? (int)HttpStatusCode.PartialContent : (int)HttpStatusCode.OK);
        (string sha256, long size) = writer.Commit(cancellationToken);
        return new SnapshotFile
        {
            Url = url,
            Sha256 = sha256,
            Size = size,
            LastModified = LastModified(response),
            ETag = ETag(response),
            ContentType = response.Content.Headers.ContentType?.ToString(),
        };
    }

    private static async Task<BlobWriter> ResumeAsync(HttpResponseMessage response, Uri address, PartialDownload download)
    {
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        return await download.ContinueAsync(ETag(response), range?.From, range?.Length).ConfigureAwait(false)
            ?? throw await BeginAnewAsync(address, download).ConfigureAwait(false);
    }

    private static async Task DrainAsync(Stream body, CancellationToken cancellationToken)
    {
        byte[] rest = new byte[4096];
        while (await body.ReadAsync(rest, cancellationToken).ConfigureAwait(false) > 0)
        {
        }
    }

    internal static FeedException Status(Uri address, HttpStatusCode status) => new(
        ErrorIds.UpstreamStatus, $"{address.AbsoluteUri} answered {(int)status} ({status}).", address.AbsoluteUri,
        "Check the source's address with Get-ClairFeedSource, and whether a proxy answers in the upstream's place.");

    private FeedException TooLarge(string address) => new(
        ErrorIds.UpstreamTooLarge, $"{address} is larger than {_options.LargestFile >> 20} MiB.", address,
        "No feed is that large: see what answers at this address.");
}

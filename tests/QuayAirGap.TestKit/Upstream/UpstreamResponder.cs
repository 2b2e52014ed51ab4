using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>Answers one request after another from the tree, as the upstreams would, with the faults in force.</summary>
internal sealed class UpstreamResponder(UpstreamTree tree, CancellationToken stopping)
{
    private readonly Lock _gate = new();
    private readonly List<UpstreamRequest> _requests = [];
    private readonly List<UpstreamFaultRule> _rules = [];
    private readonly Dictionary<string, UpstreamHost> _hosts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _contentTypes = new(StringComparer.Ordinal);

    public IReadOnlyList<UpstreamRequest> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    public void SetHost(string host, UpstreamHost habits)
    {
        lock (_gate)
        {
            _hosts[host] = habits;
        }
    }

    public void SetContentType(string hostPath, string contentType) => _contentTypes[hostPath] = contentType;

    public UpstreamFaultRule AddFault(UpstreamFaultRule rule)
    {
        lock (_gate)
        {
            _rules.Add(rule);
        }

        return rule;
    }

    public void ClearFaults()
    {
        lock (_gate)
        {
            _rules.Clear();
        }
    }

    public void ClearRequests()
    {
        lock (_gate)
        {
            _requests.Clear();
        }
    }

    public async Task AnswerAsync(HttpContext context)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var (host, path, prefix) = Resolve(context.Request);
        var entry = Log(context, host + "/" + path);
        var faults = Faults(entry);
        try
        {
            foreach (var delay in faults.Where(f => f.DelayTime > TimeSpan.Zero))
            {
                await Task.Delay(delay.DelayTime, gone.Token);
            }

            if (faults.FirstOrDefault(f => f.Answers) is { } answer)
            {
                await AnswerFaultAsync(context, entry, answer, gone.Token);
            }
            else
            {
                await AnswerPathAsync(context, entry, prefix, faults.FirstOrDefault(f => f.ShapesBody), gone.Token);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    private async Task AnswerPathAsync(
        HttpContext context, UpstreamRequest entry, string prefix, UpstreamFault? shape, CancellationToken gone)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await PageAsync(context, entry, StatusCodes.Status405MethodNotAllowed, gone);
            return;
        }

        var hostPath = entry.HostPath;
        var habits = Habits(entry.Host);
        if (hostPath.EndsWith('/'))
        {
            var folder = hostPath.TrimEnd('/');
            if (tree.Take(hostPath + "index.html") is { } index)
            {
                await FileAsync(context, entry, index, "text/html", habits, shape, gone);
            }
            else if (!tree.HasFolder(folder) || folder.Length + 1 != hostPath.Length)
            {
                await PageAsync(context, entry, StatusCodes.Status404NotFound, gone);
            }
            else if (habits.Listing == ListingStyle.Forbidden)
            {
                await PageAsync(context, entry, StatusCodes.Status403Forbidden, gone);
            }
            else
            {
                // Apache and nginx send a listing they generate without validators; so does this one.
                var html = DirectoryListing.Render(habits.Listing, "/" + entry.Path, tree.List(folder));
                var listing = new UpstreamFile(html, UpstreamLayer.DefaultLastModified);
                var untagged = habits with { ETags = ETagStyle.None };
                await FileAsync(context, entry, listing, "text/html; charset=utf-8", untagged, shape, gone, generated: true);
            }
        }
        else if (tree.Take(hostPath) is { } file)
        {
            await FileAsync(context, entry, file, _contentTypes.GetValueOrDefault(hostPath) ?? ContentType(hostPath), habits, shape, gone);
        }
        else if (tree.HasFolder(hostPath))
        {
            context.Response.Headers.Location = prefix + "/" + Escape(entry.Path) + "/";
            await PageAsync(context, entry, StatusCodes.Status301MovedPermanently, gone);
        }
        else
        {
            await PageAsync(context, entry, StatusCodes.Status404NotFound, gone);
        }
    }

    private static async Task AnswerFaultAsync(HttpContext context, UpstreamRequest entry, UpstreamFault fault, CancellationToken gone)
    {
        if (fault.DropsConnection)
        {
            context.Abort();
            return;
        }

        if (fault.RetryAfter is { } retryAfter)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }

        if (fault.Location is { } location)
        {
            context.Response.Headers.Location = location;
        }

        await PageAsync(context, entry, fault.StatusCode!.Value, gone);
    }

    private static async Task PageAsync(HttpContext context, UpstreamRequest entry, int status, CancellationToken gone)
    {
        entry.Status = context.Response.StatusCode = status;
        if (status is 204 or 304 or < 200)
        {
            return;
        }

        var html = $"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n";
        var page = Encoding.UTF8.GetBytes(html);
        context.Response.ContentType = "text/html";
        context.Response.ContentLength = page.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            entry.CountSent(page.Length);
            await context.Response.Body.WriteAsync(page, gone);
        }
    }

    private static async Task FileAsync(
        HttpContext context,
        UpstreamRequest entry,
        UpstreamFile file,
        string contentType,
        UpstreamHost habits,
        UpstreamFault? shape,
        CancellationToken gone,
        bool generated = false)
    {
        var request = context.Request.Headers;
        var response = context.Response;
        var compressible = contentType.StartsWith("text/", StringComparison.Ordinal) || contentType == "application/json";
        var (offset, length, partial) = (0L, file.Length, false);
        var tag = file.ETag(habits.ETags);

        if (!generated)
        {
            response.Headers.LastModified = file.LastModified.ToString("R", CultureInfo.InvariantCulture);
            response.Headers.AcceptRanges = "bytes";
            if (NotModified(request, tag, file.LastModified))
            {
                SetTag(response, tag);
                entry.Status = response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }

            if (!StringValues.IsNullOrEmpty(request.Range) && RangeApplies(request, tag, file.LastModified)
                && ByteRange.TryParse(request.Range.ToString(), out var range))
            {
                if (!range.TryResolve(file.Length, out offset, out length))
                {
                    response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Length}");
                    entry.Status = response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                    response.ContentLength = 0;
                    return;
                }

                partial = true;
                response.Headers.ContentRange =
                    string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{file.Length}");
            }
        }

        var gzip = compressible && !partial && shape is null && AcceptsGzip(request);
        response.ContentType = contentType;
        if (compressible)
        {
            response.Headers.Vary = "Accept-Encoding";
        }

        SetTag(response, gzip ? EntityTags.Encoded(tag, habits.ETags) : tag);
        entry.Status = response.StatusCode = partial ? StatusCodes.Status206PartialContent : StatusCodes.Status200OK;
        if (gzip)
        {
            response.Headers.ContentEncoding = "gzip";
            response.Headers.Remove(HeaderNames.AcceptRanges);
        }
        else
        {
            response.ContentLength = length;
        }

        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        await using var content = file.OpenAt(offset);
        if (gzip)
        {
            await using var body = new CountingStream(response.Body, entry);
            await using var encoder = new GZipStream(body, CompressionLevel.Fastest);
            await content.CopyToAsync(encoder, gone);
        }
        else
        {
            await SendAsync(context, entry, content, length, shape, gone);
        }
    }

    private static async Task SendAsync(
        HttpContext context, UpstreamRequest entry, Stream content, long length, UpstreamFault? shape, CancellationToken gone)
    {
        if (shape is { LengthError: < 0 })
        {
            await SendMoreThanAnnouncedAsync(context, entry, content, length, -shape.LengthError, gone);
            return;
        }

        if (shape is { LengthError: > 0 })
        {
            context.Response.ContentLength = length + shape.LengthError;
        }

        var until = Math.Min(length, Math.Min(shape?.CutAt ?? length, shape?.StallAt ?? length));
        var piece = shape?.BytesPerSecond is { } rate ? Math.Clamp(rate / 20, 1, 65536) : 65536;
        var buffer = new byte[piece];
        for (var sent = 0L; sent < until;)
        {
            var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, until - sent)), gone);
            if (read == 0)
            {
                throw new EndOfStreamException("A file of the upstream's folder became shorter while it was sent.");
            }

            entry.CountSent(read);
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), gone);
            sent += read;
            if (shape?.BytesPerSecond is { } bytesPerSecond)
            {
                await context.Response.Body.FlushAsync(gone);
                await Task.Delay(TimeSpan.FromSeconds((double)read / bytesPerSecond), gone);
            }
        }

        if (shape?.StallAt is not null)
        {
            await context.Response.StartAsync(gone);
            await context.Response.Body.FlushAsync(gone);
            await Task.Delay(Timeout.Infinite, gone);
        }

        // Less than announced: Kestrel sends what there is and then closes the connection. An abort here could take bytes with it that
        // the client has not read yet, and the place of the cut would be a matter of luck.
        await context.Response.StartAsync(gone);
        await context.Response.Body.FlushAsync(gone);
    }

    /// <summary>
    /// Kestrel refuses to send more than it announced, so the head and body are written to the connection beneath it. What Kestrel adds
    /// afterwards is, to the client, more of the surplus.
    /// </summary>
    private static async Task SendMoreThanAnnouncedAsync(
        HttpContext context, UpstreamRequest entry, Stream content, long length, long surplus, CancellationToken gone)
    {
        var announced = Math.Max(0, length - surplus);
        var head = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {context.Response.StatusCode} OK\r\n");
        foreach (var (name, value) in context.Response.Headers.Where(h => h.Key != HeaderNames.ContentLength))
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {announced}\r\nConnection: close\r\n\r\n");
        var connection = context.Features.GetRequiredFeature<IConnectionTransportFeature>().Transport.Output;
        await connection.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), gone);
        var buffer = new byte[65536];
        for (int read; (read = await content.ReadAsync(buffer, gone)) > 0;)
        {
            entry.CountSent(read);
            await connection.WriteAsync(buffer.AsMemory(0, read), gone);
        }

        context.Response.Headers.Clear();
        context.Response.Headers.Connection = "close";
        context.Response.ContentLength = 0;
    }

    private static bool NotModified(IHeaderDictionary request, string? tag, DateTimeOffset lastModified)
    {
        if (!StringValues.IsNullOrEmpty(request.IfNoneMatch))
        {
            return EntityTags.AnyMatches(request.IfNoneMatch.ToString(), tag);
        }

        return TryDate(request.IfModifiedSince, out var since) && lastModified <= since;
    }

    private static bool RangeApplies(IHeaderDictionary request, string? tag, DateTimeOffset lastModified)
    {
        var condition = request.IfRange.ToString();
        if (condition.Length == 0)
        {
            return true;
        }

        return TryDate(condition, out var date)
            ? date == lastModified
            : condition == tag && !condition.StartsWith("W/", StringComparison.Ordinal);
    }

    private static bool TryDate(StringValues header, out DateTimeOffset date) => DateTimeOffset.TryParseExact(
        header.ToString(), "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);

    private static bool AcceptsGzip(IHeaderDictionary request) => request.AcceptEncoding.ToString()
        .Split(',', StringSplitOptions.TrimEntries)
        .Any(coding => coding.Split(';', StringSplitOptions.TrimEntries) is [("gzip" or "*"), .. var rest] && !rest.Contains("q=0"));

    private static void SetTag(HttpResponse response, string? tag)
    {
        if (tag is not null)
        {
            response.Headers.ETag = tag;
        }
    }

    private static string ContentType(string path) => path[(path.LastIndexOf('/') + 1)..] switch
    {
        var name when name == "json" || name.EndsWith(".json", StringComparison.Ordinal) => "application/json",
        var name when name.EndsWith(".html", StringComparison.Ordinal) => "text/html",
        var name when name.EndsWith(".txt", StringComparison.Ordinal) => "text/plain",
        var name when name.EndsWith(".csv", StringComparison.Ordinal) => "text/csv",
        var name when name.EndsWith(".zip", StringComparison.Ordinal) => "application/zip",
        var name when name.EndsWith(".gz", StringComparison.Ordinal) => "application/x-gzip",
        var name when name.EndsWith(".bz2", StringComparison.Ordinal) => "application/x-bzip2",
        var name when name.EndsWith(".xml", StringComparison.Ordinal) => "text/xml",
        _ => "application/octet-stream",
    };

    private static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private (string Host, string Path, string Prefix) Resolve(HttpRequest request)
    {
        var path = (request.Path.Value ?? "/").TrimStart('/');
        if (path.Split('/', 2) is [var first, var rest] && tree.HasHost(first))
        {
            return (first, rest, "/" + first);
        }

        return (request.Host.Host, path, string.Empty);
    }

    private UpstreamRequest Log(HttpContext context, string hostPath)
    {
        var headers = context.Request.Headers.ToDictionary(
            h => h.Key, h => string.Join(", ", h.Value.ToArray()), StringComparer.OrdinalIgnoreCase);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var entry = new UpstreamRequest(context.Request.Method, hostPath, target, headers);
        lock (_gate)
        {
            _requests.Add(entry);
        }

        return entry;
    }

    private UpstreamFault[] Faults(UpstreamRequest entry)
    {
        UpstreamFaultRule[] rules;
        lock (_gate)
        {
            rules = [.. _rules];
        }

        return [.. rules.Where(r => r.Strikes(entry.Method, entry.HostPath)).Select(r => r.Fault)];
    }

    private UpstreamHost Habits(string host)
    {
        lock (_gate)
        {
            return _hosts.TryGetValue(host, out var habits) ? habits : UpstreamHost.Default(host);
        }
    }
}

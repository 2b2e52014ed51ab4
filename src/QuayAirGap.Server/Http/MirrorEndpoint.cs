using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Server.Contents;
using QuayAirGap.Server.Upstream;

namespace QuayAirGap.Server.Http;

/// <summary>What became of a request.</summary>
/// <param name="Source">The source of what was sent; empty where there is none.</param>
/// <param name="Sent">Bytes of the body.</param>
internal readonly record struct Answer(string Source, long Sent);

/// <summary>
/// Answers every request to the mirror: 200, 206, 301, 304, 404, 405, 412 or 416, never a 5xx. Whatever goes wrong before the first byte is
/// a 404 and an error in the log: claircore's alpine/release.go takes any other status for "try the next release", for ever.
/// </summary>
internal sealed class MirrorEndpoint(IMirrorContent content, ILogger log)
{
    private const string AsUpstream = "/as-upstream";

    /// <summary>By path: the request's own path begins with the upstream's host. A collector is told what upstream says, as in the other way.</summary>
    public Task<Answer> HandleAsync(HttpContext context) => HandleAsync(
        context, RequestPath.Of(context), hidden: 0, context.Request.Headers.ContainsKey(MirrorHeaders.Cascade) ? AsUpstream : null);

    /// <summary>
    /// As upstream: the host comes from the connection. What is published for this way of serving alone (UbuntuFamily) goes before what is
    /// published for both.
    /// </summary>
    public async Task<Answer> HandleAsync(HttpContext context, UpstreamTarget target)
    {
        string? path = RequestPath.Of(context);
        string prefix = "/" + target.ContentHost;
        return await HandleAsync(context, path is null ? null : prefix + path, prefix.Length, AsUpstream);
    }

    /// <param name="path">What is asked for, host first; null for a target that can name nothing.</param>
    /// <param name="hidden">How much of the path's beginning the client does not know.</param>
    /// <param name="overlay">What is put before the path to look there first.</param>
    private async Task<Answer> HandleAsync(HttpContext context, string? path, int hidden, string? overlay = null)
    {
        HttpResponse response = context.Response;
        var sink = new ResponseSink(response.BodyWriter, context.RequestAborted);
        string source = "";
        try
        {
            source = await AnswerAsync(context, sink, path, hidden, overlay);
        }
        catch (OperationCanceledException) when (sink.ClientIsGone || context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception e)
        {
            log.LogError(
                "{Method} {Path}: {Trouble}", LogText.Clean(context.Request.Method), LogText.Clean(RequestPath.Of(context) ?? "?"),
                e is FeedException f ? $"{f.Message} {f.Remedy}" : e.ToString());
            if (response.HasStarted)
            {
                // The announced length is not reached: the client sees a broken transfer, never a short file that looks whole.
                context.Abort();
            }
            else
            {
                response.Clear();
                AnswerEmpty(response, StatusCodes.Status404NotFound);
            }
        }

        return new Answer(source, sink.Sent);
    }

    /// <returns>The source of what was found.</returns>
    private async ValueTask<string> AnswerAsync(HttpContext context, ResponseSink sink, string? path, int hidden, string? overlay)
    {
        HttpRequest request = context.Request;
        HttpResponse response = context.Response;
        bool head = request.Method == HttpMethods.Head;
        if (!head && request.Method != HttpMethods.Get)
        {
            response.Headers.Allow = "GET, HEAD";
            AnswerEmpty(response, StatusCodes.Status405MethodNotAllowed);
            return "";
        }

        Found? special = path is null || overlay is null ? null : await content.FindAsync(overlay + path, context.RequestAborted);
        using Found? found = special ?? (path is null ? null : await content.FindAsync(path, context.RequestAborted));
        switch (found)
        {
            case Resource resource:
                await SendAsync(request.Headers, response, sink, resource, head);
                break;
            case DirectoryWithoutSlash:
                response.Headers.Location = RequestPath.Escape(path![hidden..] + "/");
                AnswerEmpty(response, StatusCodes.Status301MovedPermanently);
                break;
            default:
                AnswerEmpty(response, StatusCodes.Status404NotFound);
                break;
        }

        return (found as Resource)?.Source ?? "";
    }

    private static async ValueTask SendAsync(IHeaderDictionary request, HttpResponse response, ResponseSink sink, Resource resource, bool head)
    {
        IHeaderDictionary headers = response.Headers;
        Revalidate(headers);
        headers.AcceptRanges = "bytes";
        headers.ETag = resource.ETag;
        headers.LastModified = resource.LastModifiedText;

        if (resource.CapturedAt is { } captured)
        {
            headers[MirrorHeaders.CapturedAt] = MirrorHeaders.Format(captured);
        }

        switch (Preconditions.Evaluate(request, resource))
        {
            case Precondition.NotModified:
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            case Precondition.Failed:
                AnswerEmpty(response, StatusCodes.Status412PreconditionFailed);
                return;
        }

        Body body = resource.Body;
        headers.ContentType = resource.ContentType;

        // Ranges are defined for GET alone (RFC 9110, section 14.2).
        IReadOnlyList<ByteRange>? ranges =
            !head && request.Range.Count > 0 && Preconditions.AllowRange(request, resource) ? ByteRanges.Select(request.Range, body.Length) : null;
        switch (ranges)
        {
            case null:
                response.ContentLength = body.Length;
                if (!head)
                {
                    await body.WriteAsync(sink, 0, body.Length);
                }

                break;
            case []:
                headers.Remove(HeaderNames.ContentType);
                headers.ContentRange = $"bytes */{body.Length}";
                AnswerEmpty(response, StatusCodes.Status416RangeNotSatisfiable);
                break;
            case [ByteRange range]:
                response.StatusCode = StatusCodes.Status206PartialContent;
                headers.ContentRange = range.ContentRange(body.Length);
                response.ContentLength = range.Count;
                await body.WriteAsync(sink, range.Offset, range.Count);
                break;
            default:
                var parts = new MultipartRanges(ranges, resource);
                response.StatusCode = StatusCodes.Status206PartialContent;
                headers.ContentType = parts.ContentType;
                response.ContentLength = parts.Length;
                await parts.WriteAsync(sink, body);
                break;
        }
    }

    private static void AnswerEmpty(HttpResponse response, int status)
    {
        response.StatusCode = status;
        response.ContentLength = 0;
        Revalidate(response.Headers);
    }

    /// <summary>
    /// A cache in between may store, but must ask each time. With a lifetime of its own guessing (RFC 9111, section 4.2.2; it may do
    /// so for 200, 301 and 404) it would mix the files of two generations.
    /// </summary>
    private static void Revalidate(IHeaderDictionary headers) => headers.CacheControl = "no-cache";
}

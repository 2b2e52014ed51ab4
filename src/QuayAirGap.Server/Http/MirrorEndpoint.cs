using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using QuayAirGap.Core;
using QuayAirGap.Server.Contents;

namespace QuayAirGap.Server.Http;

/// <summary>
/// Answers every request to the mirror: 200, 206, 301, 304, 404, 405, 412 or 416, never a 5xx. Whatever goes wrong before the first byte is
/// a 404 and an error in the log: claircore's alpine/release.go takes any other status for "try the next release", for ever.
/// </summary>
internal sealed class MirrorEndpoint(IMirrorContent content, ILogger log)
{
    /// <returns>Bytes of the body that were sent.</returns>
    public async Task<long> HandleAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        var sink = new ResponseSink(response.BodyWriter, context.RequestAborted);
        try
        {
            await AnswerAsync(context, sink);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
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

        return sink.Sent;
    }

    private async ValueTask AnswerAsync(HttpContext context, ResponseSink sink)
    {
        HttpRequest request = context.Request;
        HttpResponse response = context.Response;
        bool head = request.Method == HttpMethods.Head;
        if (!head && request.Method != HttpMethods.Get)
        {
            response.Headers.Allow = "GET, HEAD";
            AnswerEmpty(response, StatusCodes.Status405MethodNotAllowed);
            return;
        }

        string? path = RequestPath.Of(context);
        using Found? found = path is null ? null : await content.FindAsync(path, context.RequestAborted);
        switch (found)
        {
            case Resource resource:
                await SendAsync(request.Headers, response, sink, resource, head);
                break;
            case DirectoryWithoutSlash:
                response.Headers.Location = RequestPath.Escape(path + "/");
                AnswerEmpty(response, StatusCodes.Status301MovedPermanently);
                break;
            default:
                AnswerEmpty(response, StatusCodes.Status404NotFound);
                break;
        }
    }

    private static async ValueTask SendAsync(IHeaderDictionary request, HttpResponse response, ResponseSink sink, Resource resource, bool head)
    {
        IHeaderDictionary headers = response.Headers;
        Revalidate(headers);
        headers.AcceptRanges = "bytes";
        headers.ETag = resource.ETag;
        if (resource.LastModified is { } modified)
        {
            headers.LastModified = modified.ToString("R", CultureInfo.InvariantCulture);
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

using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using QuayAirGap.Server.Upstream;

namespace QuayAirGap.Server.Http;

/// <summary>Takes every request, finds out by which door it came, and writes down what became of it.</summary>
internal sealed class RequestRouter(
    MirrorEndpoint endpoint, StatusPages pages, RequestCounter counter, Refusals refusals, AccessLog? accessLog, TimeProvider time)
{
    public async Task HandleAsync(HttpContext context)
    {
        long start = time.GetTimestamp();
        string door;
        string origin = "";
        Answer answer;
        if (context.Features.Get<UpstreamConnection>() is not { } connection)
        {
            if (await pages.TryHandleAsync(context))
            {
                return;
            }

            door = "path";
            answer = await endpoint.HandleAsync(context);
        }
        else
        {
            door = connection.Door == UpstreamDoor.Proxy ? "proxy" : "name";
            if (UpstreamTarget.Of(context, connection, out RefusalReason reason) is { } target)
            {
                origin = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.StartsWith('/') ? $"{connection.Scheme}://{target.Host}" : "";
                answer = await endpoint.HandleAsync(context, target);
            }
            else
            {
                answer = await RefuseAsync(context, reason);
            }
        }

        counter.Add(door, answer.Source, context.Response.StatusCode, answer.Sent);
        accessLog?.Add(context, origin, answer.Sent, time.GetElapsedTime(start));
    }

    /// <summary>
    /// With 404, not 403: a Clair whose proxy settings lead its requests for a mirror by path here would take any other status for "try the
    /// next release", for ever (claircore's alpine/release.go).
    /// </summary>
    private async ValueTask<Answer> RefuseAsync(HttpContext context, RefusalReason reason)
    {
        HttpRequest request = context.Request;
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        string what = LogText.Clean(target.StartsWith('/') ? $"{request.Headers.Host}{target}" : target);
        refusals.Add(reason, context.Connection.RemoteIpAddress is { } ip ? new System.Net.IPEndPoint(ip, context.Connection.RemotePort) : null, $"{LogText.Clean(request.Method)} {what}");
        byte[] body = Encoding.ASCII.GetBytes(Refusals.Explain(what) + "\n");
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-cache";
        if (!HttpMethods.IsHead(request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
        }

        return new Answer("", HttpMethods.IsHead(request.Method) ? 0 : body.Length);
    }
}

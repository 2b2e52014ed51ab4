using System.Text;
using Microsoft.AspNetCore.Http;
using QuayAirGap.Server.Contents;

namespace QuayAirGap.Server.Http;

/// <summary>
/// /healthz, /readyz and /metrics, at the addresses by path. No folder of a host has such a name, and they are answered there alone: a
/// feed's own host has no status page.
/// </summary>
internal sealed class StatusPages(IMirrorContent content, MetricsText metrics)
{
    /// <returns>False for every other path.</returns>
    public async ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        string? path = RequestPath.Of(context);
        if (path is "/readyz" or "/metrics")
        {
            await content.LookAsync(context.RequestAborted);
        }

        (int status, string type, Func<string> text)? page = path switch
        {
            "/healthz" => (StatusCodes.Status200OK, "text/plain", () => "ok\n"),
            "/readyz" when content.IsReady => (StatusCodes.Status200OK, "text/plain", () => "ready\n"),
            "/readyz" => (StatusCodes.Status503ServiceUnavailable, "text/plain", () => "nothing is published yet\n"),
            "/metrics" => (StatusCodes.Status200OK, MetricsText.ContentType, metrics.Write),
            _ => null,
        };
        if (page is not { } found || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            return false;
        }

        byte[] body = Encoding.UTF8.GetBytes(found.text());
        HttpResponse response = context.Response;
        response.StatusCode = found.status;
        response.ContentType = found.type;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await response.BodyWriter.WriteAsync(body, context.RequestAborted);
        }

        return true;
    }
}

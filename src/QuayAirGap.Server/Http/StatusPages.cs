using System.Text;
using Microsoft.AspNetCore.Http;
using QuayAirGap.Core.Pages;
using QuayAirGap.Server.Contents;

namespace QuayAirGap.Server.Http;

/// <summary>
/// /healthz, /readyz, /metrics and, where a site is served, its pages for people, at the addresses by path. No folder of a host has such
/// a name, and they are answered there alone: a feed's own host has no status page.
/// </summary>
internal sealed class StatusPages(IMirrorContent content, MetricsText metrics, SitePages? site)
{
    /// <returns>False for every other path.</returns>
    public async ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        string? path = RequestPath.Of(context);
        if (path is not ("/healthz" or "/readyz" or "/metrics") && (site is null || !SitePages.Has(path))
            || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            return false;
        }

        if (path is "/readyz" or "/metrics")
        {
            await content.LookAsync(context.RequestAborted);
        }

        SitePage? found = path switch
        {
            "/healthz" => Plain(StatusCodes.Status200OK, "ok\n"),
            "/readyz" when content.IsReady => Plain(StatusCodes.Status200OK, "ready\n"),
            "/readyz" => Plain(StatusCodes.Status503ServiceUnavailable, "nothing is published yet\n"),
            "/metrics" => new SitePage(StatusCodes.Status200OK, MetricsText.ContentType, Encoding.UTF8.GetBytes(metrics.Write())),
            _ => await site!.FindAsync(path, context.RequestAborted),
        };
        if (found is null)
        {
            return false;
        }

        HttpResponse response = context.Response;
        response.StatusCode = found.Status;
        response.ContentType = found.Type;
        response.ContentLength = found.Body.Length;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (found.Type.StartsWith("text/html", StringComparison.Ordinal))
        {
            response.Headers.ContentSecurityPolicy = PageDocument.ContentSecurityPolicy;
            response.Headers["Referrer-Policy"] = "no-referrer";
        }

        if (HttpMethods.IsGet(context.Request.Method))
        {
            await response.BodyWriter.WriteAsync(found.Body, context.RequestAborted);
        }

        return true;
    }

    private static SitePage Plain(int status, string text) => new(status, "text/plain", Encoding.ASCII.GetBytes(text));
}

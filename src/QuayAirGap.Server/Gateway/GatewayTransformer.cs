using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;
using EntityTagHeaderValue = System.Net.Http.Headers.EntityTagHeaderValue;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Hands requests and answers on as they are; of the answers, the report of an image's vulnerabilities is looked at. What would keep Clair from sending
/// all of it is taken out of the request for it: a condition whose answer (304) would hide that the verdict has changed, a range, and
/// codings that cannot be undone here.
/// </summary>
internal sealed class GatewayTransformer(Uri clair, ReportDecorator decorator) : HttpTransformer
{
    private const string ReportPath = "/matcher/api/v1/vulnerability_report/";

    private static readonly object s_condition = new();
    private static readonly UriCreationOptions s_asItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };
    private static readonly string[] s_conditions = [HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince, HeaderNames.Range, HeaderNames.IfRange];

    private readonly string _root = clair.AbsoluteUri.TrimEnd('/');

    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        string target = httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        proxyRequest.RequestUri = new Uri(_root + (target.StartsWith('/') ? target : "/"), s_asItIs);

        // Clair's own name: a router in front of it, and its certificate, go by it.
        proxyRequest.Headers.Host = null;
        if (!IsReport(httpContext.Request))
        {
            return;
        }

        IHeaderDictionary headers = httpContext.Request.Headers;
        httpContext.Items[s_condition] = headers.IfNoneMatch.ToString();
        foreach (string name in s_conditions)
        {
            proxyRequest.Headers.Remove(name);
        }

        string accepted = headers.AcceptEncoding.ToString();
        if (accepted.Length > 0)
        {
            string decodable = string.Join(", ", accepted.Split(',', StringSplitOptions.TrimEntries).Where(c => CanUndo(c.Split(';')[0].Trim().ToLowerInvariant())));
            if (decodable != accepted)
            {
                proxyRequest.Headers.Remove(HeaderNames.AcceptEncoding);
                proxyRequest.Headers.TryAddWithoutValidation(HeaderNames.AcceptEncoding, decodable.Length > 0 ? decodable : "identity");
            }
        }

        // "*" lets Clair choose, and it chooses gzip.
        static bool CanUndo(string coding) => coding == "*" || ReportDecorator.CanDecode(coding);
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is { StatusCode: HttpStatusCode.OK } && IsReport(httpContext.Request))
        {
            await decorator.HandleAsync(proxyResponse, httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
            if (proxyResponse.Headers.ETag is { } tag && IsKnown(httpContext.Items[s_condition] as string, tag))
            {
                HttpContent unneeded = proxyResponse.Content;
                proxyResponse.StatusCode = HttpStatusCode.NotModified;
                httpContext.Response.StatusCode = StatusCodes.Status304NotModified;
                httpContext.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
                proxyResponse.Content = new ByteArrayContent([]);
                proxyResponse.Content.Headers.ContentLength = null;
                unneeded.Dispose();
            }
        }

        bool proceeds = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        if (proxyResponse is { StatusCode: not (HttpStatusCode.NotModified or HttpStatusCode.NoContent) } && proxyResponse.Headers.Trailer.Count > 0
            && proxyResponse.Content.Headers.ContentLength is null && httpContext.Request.Protocol == HttpProtocol.Http11 && httpContext.Response.Body is CountingBody body)
        {
            httpContext.Response.Headers.TransferEncoding = "chunked";
            body.IsChunked = true;
        }

        return proceeds;
    }

    public override ValueTask TransformResponseTrailersAsync(HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken)
    {
        if (httpContext.Response.Body is not CountingBody { IsChunked: true } body)
        {
            return base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);
        }

        body.SetTrailers(proxyResponse.TrailingHeaders.SelectMany(t => t.Value.Select(v => (t.Key, v))));
        return ValueTask.CompletedTask;
    }

    /// <summary>By the path as it is meant: however it is written, Clair answers it.</summary>
    private static bool IsReport(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Path.Value?.StartsWith(ReportPath, StringComparison.Ordinal) == true;

    private static bool IsKnown(string? condition, EntityTagHeaderValue tag) =>
        condition is { Length: > 0 } && condition.Split(',', StringSplitOptions.TrimEntries).Any(t => t == "*" || Strong(t) == tag.Tag);

    private static string Strong(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
}

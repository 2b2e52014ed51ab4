using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace QuayAirGap.TestKit.Clair;

/// <summary>A mirror with exactly the answers that a test gives it: GET and HEAD, 404 for everything else.</summary>
public sealed class PlainMirror : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PlainMirror(WebApplication app) => _app = app;

    public Uri Uri { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Path to text. A path that ends in a slash is a folder.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>Paths that are answered with another status.</summary>
    public Dictionary<string, int> Statuses { get; } = new(StringComparer.Ordinal);

    /// <summary>Paths with an ETag.</summary>
    public HashSet<string> Tagged { get; } = new(StringComparer.Ordinal);

    /// <summary>Paths without Last-Modified.</summary>
    public HashSet<string> Undated { get; } = new(StringComparer.Ordinal);

    public static async Task<PlainMirror> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var mirror = new PlainMirror(app);
        app.Run(mirror.AnswerAsync);
        await app.StartAsync();
        mirror.Uri = new Uri(app.Urls.Single());
        return mirror;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        if (Statuses.TryGetValue(path, out int status))
        {
            context.Response.StatusCode = status;
            return;
        }

        if (!Texts.TryGetValue(path, out string? text))
        {
            context.Response.StatusCode = 404;
            return;
        }

        if (Tagged.Contains(path))
        {
            context.Response.Headers.ETag = "\"tag\"";
        }

        if (!Undated.Contains(path))
        {
            context.Response.Headers.LastModified = "Fri, 20 Nov 2026 06:30:00 GMT";
        }

        context.Response.ContentType = "text/plain";
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.WriteAsync(text);
        }
    }
}

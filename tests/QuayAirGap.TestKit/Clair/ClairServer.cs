using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace QuayAirGap.TestKit.Clair;

/// <summary>An update operation as Clair has it in its database.</summary>
public sealed record ClairServerOperation(string Updater, string Fingerprint, DateTimeOffset Date, string Kind = "vulnerability");

/// <summary>
/// Clair's update_operation and index_report endpoints, with its authentication: anything that Clair would refuse is refused (clair
/// httptransport/matcher_v1.go, httptransport/indexer_v1.go, middleware/auth, config/auth.go).
/// </summary>
public sealed class ClairServer : IAsyncDisposable
{
    private static readonly TimeSpan s_leeway = TimeSpan.FromSeconds(15);

    private readonly WebApplication _app;
    private readonly byte[] _key;
    private readonly string[] _issuers;

    private ClairServer(WebApplication app, byte[] key, string[] issuers)
    {
        _app = app;
        _key = key;
        _issuers = issuers;
    }

    public Uri Uri { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Newest last.</summary>
    public List<ClairServerOperation> Operations { get; } = [];

    /// <summary>The index reports, by digest.</summary>
    public Dictionary<string, string> IndexReports { get; } = new(StringComparer.Ordinal);

    /// <summary>By the manifest's digest: what the matcher answers.</summary>
    public Dictionary<string, string> VulnerabilityReports { get; } = new(StringComparer.Ordinal);

    /// <summary>The digests whose index reports were asked for.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Why requests were refused.</summary>
    public List<string> Refused { get; } = [];

    /// <param name="key">auth.psk.key, base64.</param>
    /// <param name="issuers">auth.psk.iss.</param>
    public static async Task<ClairServer> StartAsync(string key, params string[] issuers)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var server = new ClairServer(app, Convert.FromBase64String(key), issuers);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Uri = new Uri(app.Urls.Single());
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (Fault(context.Request.Headers.Authorization.ToString()) is { } fault)
        {
            lock (Refused)
            {
                Refused.Add(fault);
            }

            context.Response.StatusCode = 401;
            return;
        }

        const string IndexReport = "/indexer/api/v1/index_report/";
        if (context.Request.Method == "GET" && context.Request.Path.Value!.StartsWith(IndexReport, StringComparison.Ordinal))
        {
            await ReportAsync(context, context.Request.Path.Value[IndexReport.Length..], IndexReports, "application/vnd.clair.index_report.v1+json");
            return;
        }

        const string VulnerabilityReport = "/matcher/api/v1/vulnerability_report/";
        if (context.Request.Method == "GET" && context.Request.Path.Value!.StartsWith(VulnerabilityReport, StringComparison.Ordinal))
        {
            await ReportAsync(
                context, context.Request.Path.Value[VulnerabilityReport.Length..], VulnerabilityReports, "application/vnd.clair.vulnerability_report.v1+json");
            return;
        }

        if (context.Request.Method != "GET" || context.Request.Path != "/matcher/api/v1/internal/update_operation")
        {
            context.Response.StatusCode = 404;
            return;
        }

        string kind = context.Request.Query["kind"].ToString() is { Length: > 0 } asked ? asked : "vulnerability";
        bool latest = context.Request.Query["latest"] == "true";
        var answer = Operations.Where(o => o.Kind == kind).GroupBy(o => o.Updater).ToDictionary(
            g => g.Key,
            g => g.Reverse().Take(latest ? 1 : int.MaxValue).Select(o => new Dictionary<string, object>
            {
                ["ref"] = Guid.NewGuid(),
                ["updater"] = o.Updater,
                ["fingerprint"] = o.Fingerprint,
                ["date"] = o.Date.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture),
                ["kind"] = latest ? "" : o.Kind,
            }));
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(JsonSerializer.Serialize(answer));
    }

    private async Task ReportAsync(HttpContext context, string digest, Dictionary<string, string> reports, string type)
    {
        lock (Asked)
        {
            Asked.Add(digest);
        }

        if (!reports.TryGetValue(digest, out string? report))
        {
            context.Response.StatusCode = 404;
            report = $$"""{"code":"not-found","message":"index report for manifest \"{{digest}}\" not found"}""";
        }

        context.Response.ContentType = type;
        await context.Response.WriteAsync(report);
    }

    /// <summary>Null for a token that Clair accepts.</summary>
    private string? Fault(string header)
    {
        if (!header.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            return "no bearer token";
        }

        string[] parts = header["Bearer ".Length..].Split('.');
        if (parts.Length != 3 || parts.Any(p => p.Contains('=', StringComparison.Ordinal) || p.Contains('+', StringComparison.Ordinal) || p.Contains('/', StringComparison.Ordinal)))
        {
            return "no compact JWT";
        }

        using var head = JsonDocument.Parse(Decode(parts[0]));
        if (head.RootElement.GetProperty("alg").GetString() != "HS256")
        {
            return "not HS256";
        }

        byte[] expected = HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));
        if (!CryptographicOperations.FixedTimeEquals(expected, Decode(parts[2])))
        {
            return "another key";
        }

        using var claims = JsonDocument.Parse(Decode(parts[1]));
        string? issuer = claims.RootElement.GetProperty("iss").GetString();
        if (issuer != "clair-intraservice" && !_issuers.Contains(issuer))
        {
            return "another issuer";
        }

        DateTimeOffset now = DateTimeOffset.UtcNow;
        DateTimeOffset Time(string claim) => DateTimeOffset.FromUnixTimeSeconds(claims.RootElement.GetProperty(claim).GetInt64());
        return now > Time("exp") + s_leeway ? "expired" : now < Time("nbf") - s_leeway ? "not yet valid" : now < Time("iat") - s_leeway ? "from the future" : null;
    }

    private static byte[] Decode(string text) => Convert.FromBase64String(
        text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '='));
}

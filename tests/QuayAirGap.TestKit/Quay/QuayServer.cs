using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace QuayAirGap.TestKit.Quay;

/// <summary>
/// Quay's REST API v1 as far as QuayAirGap uses it, as strict as the original (quay endpoints/api): scopes, visibility, page tokens that only it
/// can make, limits, states of repositories, reserved and invalid label keys. What the original would ignore without a word (an unknown query
/// parameter, an unknown field) is refused here, since it is a mistake of the caller.
/// </summary>
public sealed partial class QuayServer : IAsyncDisposable
{
    private static readonly string[] s_reservedPrefixes = ["com.docker.", "io.docker.", "org.dockerproject.", "org.opencontainers.", "io.cncf.", "io.kubernetes.", "io.k8s.", "io.quay", "quay", "com.coreos", "com.tectonic", "internal"];

    private readonly WebApplication _app;
    private readonly Dictionary<string, (string List, int Offset)> _pageTokens = new(StringComparer.Ordinal);
    private int _ids;

    private QuayServer(WebApplication app) => _app = app;

    public Uri Uri { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Tokens with their scopes; each acts as the user "robin", who is a member of <see cref="Memberships"/>.</summary>
    public Dictionary<string, string[]> Tokens { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Memberships { get; } = new(StringComparer.Ordinal);

    public List<string> Organizations { get; } = [];

    public List<string> Users { get; } = ["robin"];

    public List<QuayRepositoryData> Repositories { get; } = [];

    /// <summary>FEATURE_SUPERUSERS_FULL_ACCESS.</summary>
    public bool FullAccess { get; set; }

    /// <summary>REGISTRY_STATE: readonly.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Whether tags of lists say which of their images are here (3.17+).</summary>
    public bool TellsChildren { get; set; } = true;

    /// <summary>Items on one page of everything but tags.</summary>
    public int PageSize { get; set; } = 3;

    /// <summary>Answers the request instead, where it returns true.</summary>
    public Func<HttpContext, Task<bool>>? Instead { get; set; }

    /// <summary>What the original writes into its audit log.</summary>
    public List<string> Audit { get; } = [];

    /// <summary>"GET /api/v1/…" of every request.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Mistakes of the caller that the original would not have complained about.</summary>
    public List<string> Mistakes { get; } = [];

    public static async Task<QuayServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var server = new QuayServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Uri = new Uri(app.Urls.Single());
        return server;
    }

    public QuayRepositoryData Repository(string @namespace, string name)
    {
        var repository = new QuayRepositoryData(@namespace, name);
        Repositories.Add(repository);
        return repository;
    }

    public string NextId() => $"{Interlocked.Increment(ref _ids):x8}-0000-4000-8000-000000000000";

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        lock (Requests)
        {
            Requests.Add($"{request.Method} {request.Path}{request.QueryString}");
        }

        if (Instead is not null && await Instead(context))
        {
            return;
        }

        string[]? scopes = null;
        string authorization = request.Headers.Authorization.ToString();
        if (authorization.Length > 0 && (!authorization.StartsWith("Bearer ", StringComparison.Ordinal) || !Tokens.TryGetValue(authorization["Bearer ".Length..], out scopes)))
        {
            await ErrorAsync(context, 401, "invalid_token", "Invalid bearer token format");
            return;
        }

        if (request.Headers.UserAgent.ToString() is "" or ['M', 'o', 'z', 'i', 'l', 'l', 'a', ..])
        {
            await ErrorAsync(context, 400, "invalid_request", "API calls must be invoked with an X-Requested-With header if called from a browser");
            return;
        }

        if (ReadOnly && request.Method != "GET")
        {
            await JsonAsync(context, 503, new { message = "System is currently read-only. Pulls will succeed but all write operations are currently suspended.", is_readonly = true });
            return;
        }

        string path = request.Path.Value!;
        if (path is "/api/v1/user/" or "/api/v1/superuser/organizations/" or "/api/v1/superuser/users/" or "/api/v1/repository")
        {
            await ListAsync(context, path, scopes);
        }
        else if (RepositoryPath().Match(path) is { Success: true } match)
        {
            await RepositoryAsync(context, match, scopes);
        }
        else
        {
            await ErrorAsync(context, 404, "not_found", "Not Found");
        }
    }

    private async Task ListAsync(HttpContext context, string path, string[]? scopes)
    {
        IQueryCollection query = context.Request.Query;
        switch (path)
        {
            case "/api/v1/user/":
                Knows(query);
                await (scopes is null
                    ? ErrorAsync(context, 401, "invalid_token", "Requires authentication")
                    : JsonAsync(context, 200, scopes.Contains("user:read")
                        ? new { anonymous = false, username = "robin", organizations = Memberships.Select(m => new { name = m, can_create_repo = true }) }
                        : new { anonymous = false, username = "robin" }));
                return;
            case "/api/v1/repository":
                Knows(query, "namespace", "next_page", "last_modified", "public", "starred");
                if (query["namespace"].ToString() is not { Length: > 0 } name)
                {
                    await ErrorAsync(context, 400, "invalid_request", "namespace, starred or public are required for this API call");
                    return;
                }

                await PageAsync(context, "repositories", $"repositories of {name}", [.. Repositories.Where(r => r.Namespace == name && MayRead(r, scopes))
                    .Select(r => new { @namespace = r.Namespace, name = r.Name, description = "", is_public = r.IsPublic, kind = "image", state = r.State })]);
                return;
            default:
                Knows(query, "limit", "next_page");
                if (scopes?.Contains("super:user") != true)
                {
                    await ErrorAsync(context, scopes is null ? 401 : 403, "insufficient_scope", "Unauthorized");
                }
                else if (!int.TryParse(query["limit"], out int limit) || limit is < 1 or > 100)
                {
                    await ErrorAsync(context, 400, "invalid_request", "Page limit cannot be above 100");
                }
                else
                {
                    await (path.EndsWith("users/", StringComparison.Ordinal)
                        ? PageAsync(context, "users", "users", [.. Users.Select(u => new { username = u, kind = "user", enabled = true })])
                        : PageAsync(context, "organizations", "organizations", [.. Organizations.Select(o => new { name = o, email = "" })]));
                }

                return;
        }
    }

    /// <summary>A page of a list; its token is good for that list alone.</summary>
    private Task PageAsync(HttpContext context, string field, string list, object[] all)
    {
        int offset = 0;
        string token = context.Request.Query["next_page"].ToString();
        if (token.Length > 0)
        {
            if (!_pageTokens.TryGetValue(token, out (string List, int Offset) page) || page.List != list)
            {
                lock (Mistakes)
                {
                    Mistakes.Add($"a page token of another list, or none of ours: {token}");
                }
            }

            offset = page.Offset; // a token that it cannot read is the first page to Quay
        }

        var answer = new Dictionary<string, object> { [field] = all.Skip(offset).Take(PageSize) };
        if (offset + PageSize < all.Length)
        {
            // Like Quay's: with characters that have to be escaped in an address.
            string next = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"?>~{list}/{offset + PageSize}")) + "+/==";
            _pageTokens[next] = (list, offset + PageSize);
            answer["next_page"] = next;
        }

        return JsonAsync(context, 200, answer);
    }

    private bool MayRead(QuayRepositoryData repository, string[]? scopes) => repository.IsPublic || (scopes?.Contains("repo:read") == true && IsIn(repository, scopes));

    private bool MayWrite(QuayRepositoryData repository, string[]? scopes) => scopes?.Contains("repo:write") == true && IsIn(repository, scopes);

    private bool IsIn(QuayRepositoryData repository, string[] scopes) =>
        repository.Namespace == "robin" || Memberships.Contains(repository.Namespace) || (FullAccess && scopes.Contains("super:user"));

    private void Knows(IQueryCollection query, params string[] parameters)
    {
        lock (Mistakes)
        {
            Mistakes.AddRange(query.Keys.Except(parameters).Select(k => $"an unknown parameter: {k}"));
        }
    }

    private static Task ErrorAsync(HttpContext context, int status, string type, string message) =>
        JsonAsync(context, status, new { detail = message, error_message = message, error_type = type, title = type, status });

    private static Task JsonAsync(HttpContext context, int status, object body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(body));
    }

    [GeneratedRegex(@"\A/api/v1/repository/(?<ns>[^/]+)/(?<name>[^?]+?)(?:(?<tags>/tag/)|/manifest/(?<digest>[A-Za-z0-9_+.-]+:[A-Fa-f0-9]{32,})(?<labels>/labels(?:/(?<id>[^/]+))?)?)?\z")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"\A[a-z0-9](([a-z0-9]|[-.](?![.-]))*[a-z0-9])?\z")]
    private static partial Regex LabelKey();
}

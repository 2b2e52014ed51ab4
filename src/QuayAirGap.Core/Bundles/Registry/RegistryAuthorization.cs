using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>
/// Answers a registry's 401 (RFC 9110, 11.6.1): "Basic" with the credentials, "Bearer" with a token from the service that the registry names
/// (distribution's docs/spec/auth/token.md).
/// </summary>
internal sealed class RegistryAuthorization(HttpMessageInvoker http, RegistryReference reference, RegistryOptions options, bool plain) : IDisposable
{
    private const int MaxTokenBytes = 256 * 1024;

    private readonly SemaphoreSlim _one = new(1);
    private NetworkCredential? _credential;
    private bool _looked;

    /// <summary>What requests carry now; null before the registry has asked.</summary>
    public AuthenticationHeaderValue? Current { get; private set; }

    /// <summary>Whether there is something new to try.</summary>
    public async Task<bool> AnswerAsync(HttpResponseMessage challenged, bool push, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (AuthenticationHeaderValue challenge in challenged.Headers.WwwAuthenticate)
            {
                AuthenticationHeaderValue? answer = challenge.Scheme.ToUpperInvariant() switch
                {
                    "BEARER" => await FetchTokenAsync(Parameters(challenge.Parameter ?? ""), push, cancellationToken).ConfigureAwait(false),
                    "BASIC" => Credential() is { } credential ? Basic(credential) : null,
                    _ => null,
                };
                if (answer is not null && (answer.Scheme != "Basic" || answer.Parameter != Current?.Parameter))
                {
                    Current = answer;
                    return true;
                }
            }

            return false;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private static AuthenticationHeaderValue Basic(NetworkCredential credential) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{credential.Password}")));

    private NetworkCredential? Credential()
    {
        if (!_looked)
        {
            _credential = options.Credential ?? RegistryAuthFile.Find(options.AuthFiles, reference);
            _looked = true;
        }

        return _credential;
    }

    private async Task<AuthenticationHeaderValue?> FetchTokenAsync(Dictionary<string, string> challenge, bool push, CancellationToken cancellationToken)
    {
        if (!challenge.TryGetValue("realm", out string? realm) || !Uri.TryCreate(realm, UriKind.Absolute, out Uri? service)
            || !(service.Scheme == Uri.UriSchemeHttps || (plain && service.Scheme == Uri.UriSchemeHttp)))
        {
            throw RegistryErrors.Unreachable(reference.Host, $"it sends for a token to '{realm}', which is not an address with TLS.", null);
        }

        // Not the scope that it asks for: the registry knows of one request, and the next may need more.
        string scope = $"repository:{reference.Repository}:{(push ? "pull,push" : "pull")}";
        string query = $"scope={Uri.EscapeDataString(scope)}"
            + (challenge.TryGetValue("service", out string? name) ? $"&service={Uri.EscapeDataString(name)}" : "");
        var address = new UriBuilder(service) { Query = service.Query.Length > 1 ? service.Query[1..] + "&" + query : query };
        using var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
        if (Credential() is { } credential)
        {
            request.Headers.Authorization = Basic(credential);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.StallTimeout);
        try
        {
            using HttpResponseMessage response = await http.SendAsync(request, limit.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                throw RegistryErrors.Status(reference, response.StatusCode, "get a token");
            }

            byte[] body = await RegistryBody.ReadAsync(response, MaxTokenBytes, limit.Token).ConfigureAwait(false)
                ?? throw RegistryErrors.Unreachable(reference.Host, "its token service sends too much.", null);
            using var document = JsonDocument.Parse(body);
            string? token = Member(document.RootElement, "token") ?? Member(document.RootElement, "access_token");
            return token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or IOException or FormatException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw RegistryErrors.Unreachable(reference.Host, $"its token service '{service.Authority}' gives no token.", e);
        }
    }

    private static string? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>realm="…",service="…" (RFC 9110, 11.2).</summary>
    private static Dictionary<string, string> Parameters(string text)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (int at = 0; at < text.Length;)
        {
            int equals = text.IndexOf('=', at);
            if (equals < 0)
            {
                break;
            }

            string name = text[at..equals].Trim(' ', ',', '\t');
            int from = equals + 1;
            if (from < text.Length && text[from] == '"')
            {
                var value = new StringBuilder();
                for (at = from + 1; at < text.Length && text[at] != '"'; at++)
                {
                    if (text[at] == '\\' && at + 1 < text.Length)
                    {
                        at++;
                    }

                    value.Append(text[at]);
                }

                found[name] = value.ToString();
                at++;
            }
            else
            {
                int end = text.IndexOf(',', from);
                at = end < 0 ? text.Length : end;
                found[name] = text[from..at].Trim();
            }
        }

        return found;
    }
}

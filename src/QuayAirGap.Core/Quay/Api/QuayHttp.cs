using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Quay.Api;

/// <summary>Requests to Quay's REST API: the token, what its statuses mean, and answers that are JSON of a bearable size.</summary>
internal sealed class QuayHttp : IDisposable
{
    private const int LargestAnswer = 64 << 20;
    private const int LongestMessage = 300;

    private readonly Uri _address;
    private readonly AuthenticationHeaderValue? _authorization;
    private readonly NetworkIdentity _identity;
    private readonly UpstreamClient _client;

    /// <exception cref="FeedException"><see cref="ErrorIds.QuayDenied"/> for a token that cannot be one, or <see cref="ErrorIds.NetworkFileInvalid"/></exception>
    public QuayHttp(Uri address, string? token, string? caFile, UpstreamOptions options)
    {
        _address = new Uri($"{address.AbsoluteUri.TrimEnd('/')}/api/v1/");
        try
        {
            _authorization = string.IsNullOrWhiteSpace(token) ? null : new AuthenticationHeaderValue("Bearer", token.Trim());
        }
        catch (FormatException e)
        {
            throw new FeedException(ErrorIds.QuayDenied, "The token has characters that no token has.", _address.AbsoluteUri, Remedy, e);
        }

        _identity = caFile is null ? NetworkIdentity.None : NetworkIdentity.Load(new NetworkSettings { CaFile = caFile }, folder: "");
        _client = new UpstreamClient(options, proxy: null, _identity);
    }

    private const string Remedy =
        "Give an OAuth access token of an application in Quay (organisation, Applications, Generate Token): repo:read to look, super:user to find every organisation, repo:write for labels.";

    /// <summary>Where Quay is.</summary>
    public string Host => _address.Authority;

    public Task<JsonDocument> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, HttpStatusCode.OK, ReadAsync, cancellationToken);

    public Task<JsonDocument> PostAsync(string path, byte[] body, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, body, HttpStatusCode.Created, ReadAsync, cancellationToken);

    /// <summary>Also where nothing was there to delete any more.</summary>
    public async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(HttpMethod.Delete, path, null, HttpStatusCode.NoContent, static (_, _, _) => Task.FromResult(true), cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.QuayNotFound)
        {
            // It is gone, which is what was wanted.
        }
    }

    public FeedException Unexpected(string path, string what, Exception? cause = null) => new(
        ErrorIds.QuayAnswer, SnapshotRules.Printable($"{_address}{path} {what.TrimEnd('.')}."), $"{_address}{path}",
        "See that this is the address of Quay itself, and look into its log.", cause);

    public void Dispose()
    {
        _client.Dispose();
        if (_identity != NetworkIdentity.None)
        {
            _identity.Dispose();
        }
    }

    private Task<T> SendAsync<T>(
        HttpMethod method, string path, byte[]? body, HttpStatusCode expected, Func<string, HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken) => _client.SendAsync(
            () => Request(method, path, body),
            async (response, token) => response.StatusCode == expected
                ? await read(path, response, token).ConfigureAwait(false)
                : throw Refused(method, path, response.StatusCode, await MessageAsync(response, token).ConfigureAwait(false)),
            failed: null, cancellationToken, changes: method != HttpMethod.Get);

    private HttpRequestMessage Request(HttpMethod method, string path, byte[]? body)
    {
        var request = new HttpRequestMessage(method, new Uri(_address, path));
        request.Headers.Authorization = _authorization;
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        return request;
    }

    private FeedException Refused(HttpMethod method, string path, HttpStatusCode status, string? message)
    {
        string what = $"{method} {_address}{path}";
        string why = SnapshotRules.Printable(message is null ? "" : $" It says: {message.TrimEnd('.')}.");
        return status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new FeedException(
                ErrorIds.QuayDenied, $"Quay does not allow {what} ({(int)status}).{why}", $"{_address}{path}", Remedy),
            HttpStatusCode.NotFound => new FeedException(
                ErrorIds.QuayNotFound, $"Quay knows nothing at {what} (404).{why}", $"{_address}{path}",
                "Check the name; Quay answers in the same way where the token's user must not see it."),

            // A registry that is set to read-only answers 503 and 405, a repository that mirrors another 503.
            HttpStatusCode.ServiceUnavailable or HttpStatusCode.MethodNotAllowed when method != HttpMethod.Get => new FeedException(
                ErrorIds.QuayReadOnly, $"Quay changes nothing there: {what} ({(int)status}).{why}", $"{_address}{path}",
                "A repository that mirrors another, or is read-only, takes no labels: nothing to do, its scan pages show the warning only through the gateway."),
            _ => Unexpected(path, $"answers {method} with {(int)status}.{why}"),
        };
    }

    /// <summary>What Quay says about an error, in the field that its release has it in.</summary>
    private async Task<string?> MessageAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument json = await ReadAsync("", response, cancellationToken).ConfigureAwait(false);
            foreach (string field in new[] { "error_message", "detail", "message", "error" })
            {
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String)
                {
                    string text = value.GetString()!;
                    return text.Length > LongestMessage ? text[..LongestMessage] + "…" : text;
                }
            }
        }
        catch (Exception e) when (e is FeedException or TransientUpstreamException)
        {
            // The status alone has to do.
        }

        return null;
    }

    private async Task<JsonDocument> ReadAsync(string path, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        Stream body = await _client.OpenBodyAsync(response, cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            byte[] buffer = new byte[81920];
            for (int read; (read = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            {
                await bytes.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                if (bytes.Length > LargestAnswer)
                {
                    throw Unexpected(path, $"answers with more than {LargestAnswer >> 20} MiB");
                }
            }
        }

        try
        {
            return JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length).ToArray());
        }
        catch (JsonException e)
        {
            string start = Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)Math.Min(bytes.Length, 40));
            throw Unexpected(path, $"does not answer with JSON but with '{start}'", e);
        }
    }
}

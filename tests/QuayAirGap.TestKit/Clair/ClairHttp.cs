using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Go's HTTP client as Clair sets it up: HTTP/1.1, <c>User-Agent: Go-http-client/1.1</c>, cookies, ten redirects, no time-out;
/// <c>Accept-Encoding</c> for the indexer only (clair:initialize/services.go switches compression off for the updaters).
/// </summary>
internal sealed class ClairHttp : IDisposable
{
    private readonly HttpClient _client;
    private readonly ClairConfig _config;
    private int _requests;

    public ClairHttp(ClairConfig config, bool compression)
    {
        _config = config;
        var handler = new SocketsHttpHandler
        {
            // Go sends no trace headers; a test host with an activity would make .NET add them.
            ActivityHeadersPropagator = null,
            AutomaticDecompression = compression ? DecompressionMethods.GZip : DecompressionMethods.None,
            MaxAutomaticRedirections = 10,
            UseProxy = config.Proxy is not null,
            Proxy = config.Proxy is null ? null : new WebProxy(config.Proxy),
        };
        handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(Server(config, context.DnsEndPoint), cancellationToken);
        if (config.TrustedAuthorities is { } authorities)
        {
            handler.SslOptions.CertificateChainPolicy = TrustOnly(authorities);
        }

        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>How many requests were made, redirects not counted.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public void Dispose() => _client.Dispose();

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri uri, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, Route(uri)) { Version = HttpVersion.Version11 };
        foreach (var (name, value) in headers.Where(h => h.Value.Length > 0))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (!request.Headers.Contains("User-Agent"))
        {
            request.Headers.TryAddWithoutValidation("User-Agent", "Go-http-client/1.1");
        }

        Interlocked.Increment(ref _requests);
        return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>A header's first value exactly as sent, or the empty string: Go's Header.Get.</summary>
    public static string Header(HttpResponseMessage response, string name)
    {
        foreach (var headers in new HttpHeaders[] { response.Headers, response.Content.Headers })
        {
            if (headers.NonValidated.TryGetValues(name, out var values))
            {
                return values.First();
            }
        }

        return string.Empty;
    }

    /// <summary>
    /// Addresses that are built into Clair are https. Where a test's server answers for all hosts, TLS ends before it; where a proxy
    /// rewrites, the host becomes the first part of the path.
    /// </summary>
    private Uri Route(Uri uri)
    {
        if (_config.AllHostsAt is not null && uri.Scheme == Uri.UriSchemeHttps)
        {
            return new UriBuilder(uri) { Scheme = Uri.UriSchemeHttp, Port = -1 }.Uri;
        }

        return _config.OtherHostsUnder is { } root && uri.Authority != root.Authority
            ? new Uri(root, uri.Authority + uri.PathAndQuery)
            : uri;
    }

    private static Uri Server(ClairConfig config, DnsEndPoint asked) =>
        config.AllHostsAt
        ?? (config.PortsAt.TryGetValue(asked.Port, out var server) ? server : new UriBuilder("tcp", asked.Host, asked.Port).Uri);

    private static X509ChainPolicy TrustOnly(string authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.ImportFromPem(authorities);
        return policy;
    }

    private static async ValueTask<Stream> ConnectAsync(Uri server, CancellationToken cancellationToken)
    {
        // Behind an air gap no name of the internet leads anywhere; and no test asks there.
        if (!server.IsLoopback)
        {
            throw new IOException($"dial tcp: lookup {server.Host}: no such host");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

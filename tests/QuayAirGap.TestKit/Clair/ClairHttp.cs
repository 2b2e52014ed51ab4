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
    private int _requests;

    public ClairHttp(ClairConfig config, bool compression)
    {
        var handler = new SocketsHttpHandler
        {
            // Go sends no trace headers; a test host with an activity would make .NET add them.
            ActivityHeadersPropagator = null,
            AutomaticDecompression = compression ? DecompressionMethods.GZip : DecompressionMethods.None,
            MaxAutomaticRedirections = 10,
            UseProxy = config.Proxy is not null,
            Proxy = config.Proxy is null ? null : new WebProxy(config.Proxy),
        };
        if (config.AllHostsAt is { } server)
        {
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(server, cancellationToken);
        }
        else if (config.PortsAt.Count > 0)
        {
            handler.ConnectCallback = (connection, cancellationToken) => ConnectAsync(config.PortsAt[connection.DnsEndPoint.Port], cancellationToken);
        }

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
        using var request = new HttpRequestMessage(method, uri) { Version = HttpVersion.Version11 };
        request.Headers.TryAddWithoutValidation("User-Agent", "Go-http-client/1.1");
        foreach (var (name, value) in headers.Where(h => h.Value.Length > 0))
        {
            request.Headers.TryAddWithoutValidation(name, value);
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

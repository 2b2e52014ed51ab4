using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tls;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>A mirror as upstream, with a proxy and both doors by name, and clients that trust its authority and nothing else.</summary>
public sealed class UpstreamRig : IAsyncDisposable
{
    private readonly TestMirror _mirror;
    private readonly List<HttpClient> _clients = [];

    private UpstreamRig(TestMirror mirror, string trust)
    {
        _mirror = mirror;
        Trust = trust;
    }

    /// <summary>PEM.</summary>
    public string Trust { get; }

    public TestMirror Mirror => _mirror;

    public TestMirror.RecordedLog Log => _mirror.Log;

    public Uri Proxy => new(_mirror.Mirror.ProxyUrls[0]);

    public int TlsPort => new Uri(_mirror.Mirror.ByNameUrls[0]).Port;

    public int PlainPort => new Uri(_mirror.Mirror.ByNameUrls[1]).Port;

    public static async Task<UpstreamRig> StartAsync(Site site, MirrorLimits? limits = null)
    {
        MirrorCertificateState state = new MirrorCertificates(site, TimeProvider.System).Ensure(["feeds.example.org"]);
        return new UpstreamRig(
            await TestMirror.StartAsync(new MirrorOptions
            {
                Site = site,
                ProxyUrls = ["http://127.0.0.1:0"],
                ByNameUrls = ["https://127.0.0.1:0", "http://127.0.0.1:0"],
                Limits = limits ?? new MirrorLimits(),
            }),
            await File.ReadAllTextAsync(state.TrustFile));
    }

    public HttpClient ThroughProxy(string? trust = null) => Client(trust, handler =>
    {
        handler.UseProxy = true;
        handler.Proxy = new WebProxy(Proxy);
    });

    /// <summary>As when the network's name resolution leads every host here.</summary>
    public HttpClient ByName(string? trust = null) => Client(trust, handler =>
    {
        handler.UseProxy = false;
        handler.ConnectCallback = async (context, token) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port == 443 ? TlsPort : PlainPort, token);
            return new NetworkStream(socket, ownsSocket: true);
        };
    });

    /// <summary>Sends these bytes to the proxy and returns what comes back until it closes.</summary>
    public async Task<string> SendRawAsync(string request, int? port = null)
    {
        using Socket socket = await ConnectAsync(port ?? Proxy.Port);
        await using var stream = new NetworkStream(socket);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        return await ReadAllAsync(stream);
    }

    public static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>A TLS connection within a tunnel (or straight, where <paramref name="tunnel"/> is null), naming whatever host.</summary>
    public async Task<SslStream> HandshakeAsync(string? tunnel, string serverName, params SslApplicationProtocol[] protocols)
    {
        Socket socket = await ConnectAsync(tunnel is null ? TlsPort : Proxy.Port);
        var stream = new NetworkStream(socket, ownsSocket: true);
        if (tunnel is not null)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {tunnel}:443 HTTP/1.1\r\nHost: {tunnel}:443\r\n\r\n"), TestContext.Current.CancellationToken);
            byte[] answer = new byte[256];
            int read = await stream.ReadAsync(answer, TestContext.Current.CancellationToken);
            Assert.StartsWith("HTTP/1.1 200 ", Encoding.ASCII.GetString(answer, 0, read));
        }

        var ssl = new SslStream(stream);
        await ssl.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = serverName,
                ApplicationProtocols = [.. protocols],
                CertificateChainPolicy = Policy(Trust),
            },
            TestContext.Current.CancellationToken);
        return ssl;
    }

    public static async Task<string> ReadAllAsync(Stream stream)
    {
        using var all = new MemoryStream();
        try
        {
            await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // A refused connection may end with a reset after its answer.
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await _mirror.DisposeAsync();
    }

    private HttpClient Client(string? trust, Action<SocketsHttpHandler> configure)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Policy(trust ?? Trust) },
        };
        configure(handler);
        var client = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version11 };
        _clients.Add(client);
        return client;
    }

    private static X509ChainPolicy Policy(string trust)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.ImportFromPem(trust);
        return policy;
    }
}

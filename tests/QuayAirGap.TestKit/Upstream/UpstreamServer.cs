using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>
/// Stands in for the internet: a real HTTP/1.1 server on a free port of 127.0.0.1, over folders laid out <c>&lt;host&gt;/&lt;path&gt;</c>.
/// <c>https://host/path</c> is had at <c>http://127.0.0.1:port/host/path</c>, or at <c>/path</c> with <c>Host: host</c>.
/// It answers as the upstreams do: ETag, Last-Modified, 304, ranges, gzip for text where the client asks for it, redirects of
/// folders to their slash, generated listings, exact 404s; and it misbehaves where told to.
/// </summary>
/// <remarks>
/// All members may be called from any thread, also while requests are under way. An answer under way keeps the content it began with.
/// The folders are read when they are set; later changes on disk are not seen. Use <see cref="Replace(string, byte[], DateTimeOffset?)"/>.
/// Paths are compared with case on every platform.
/// </remarks>
public sealed class UpstreamServer : IAsyncDisposable
{
    private readonly UpstreamTree _tree = new();
    private readonly UpstreamResponder _responder;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _listening = new(1, 1);
    private WebApplication? _app;
    private int _port;

    private X509Certificate2? _certificate;
    private bool _asksForCertificate;
    private string? _clientThumbprint;

    private UpstreamServer() => _responder = new UpstreamResponder(_tree, _stopping.Token);

    /// <summary>Where it listens: <c>http://127.0.0.1:port/</c>. This is what the product takes as upstream root.</summary>
    public Uri Root { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Every request so far, in order of arrival.</summary>
    public IReadOnlyList<UpstreamRequest> Requests => _responder.Requests;

    /// <summary>Starts a server.</summary>
    /// <param name="layers">Folders laid out <c>&lt;host&gt;/&lt;path&gt;</c>; where several hold a file, the first wins.</param>
    public static Task<UpstreamServer> StartAsync(params string[] layers) =>
        StartAsync([.. layers.Select(folder => new UpstreamLayer(folder))]);

    /// <summary>Starts a server.</summary>
    /// <param name="layers">The first that holds a file wins.</param>
    public static async Task<UpstreamServer> StartAsync(params UpstreamLayer[] layers)
    {
        var server = new UpstreamServer();
        server._tree.SetLayers(layers);
        await server.ListenAsync();
        return server;
    }

    /// <summary>Starts a server that speaks TLS, at <c>https://localhost:port/</c>.</summary>
    /// <param name="certificate">With its key.</param>
    /// <param name="asksForCertificate">Whether connections without a client's certificate are refused.</param>
    /// <param name="layers">The first that holds a file wins.</param>
    public static async Task<UpstreamServer> StartTlsAsync(X509Certificate2 certificate, bool asksForCertificate, params UpstreamLayer[] layers)
    {
        var server = new UpstreamServer { _certificate = certificate, _asksForCertificate = asksForCertificate };
        server._tree.SetLayers(layers);
        await server.ListenAsync();
        server.Root = new UriBuilder(server.Root) { Scheme = "https", Host = "localhost" }.Uri;
        return server;
    }

    /// <summary>The thumbprint of the certificate that a client showed last, or null.</summary>
    public string? ClientThumbprint => Volatile.Read(ref _clientThumbprint);

    /// <summary>The address here of what upstream has at <c>https://host/path</c>.</summary>
    public Uri UriOf(string hostPath) => new(Root, hostPath);

    /// <summary>Moves to another state of the upstream at once. What was replaced, removed or pending is forgotten; faults stay.</summary>
    public void SetLayers(params UpstreamLayer[] layers) => _tree.SetLayers(layers);

    /// <summary>Moves to another state of the upstream at once, with the layers' usual times.</summary>
    public void SetLayers(params string[] layers) => SetLayers([.. layers.Select(folder => new UpstreamLayer(folder))]);

    /// <summary>Changes or adds one file.</summary>
    /// <param name="hostPath"><c>host/path</c>.</param>
    /// <param name="content">Its new content. Not to be changed afterwards.</param>
    /// <param name="lastModified">Its new time; by default one second after the one it had, or the layers' default for a new file.</param>
    public void Replace(string hostPath, byte[] content, DateTimeOffset? lastModified = null) =>
        _tree.Replace(hostPath, new UpstreamFile(content, lastModified ?? NextTime(hostPath)));

    /// <summary>Changes one file after it has been answered (GET or HEAD; whole, in part, cut off or 304) another number of times.</summary>
    public void ReplaceAfter(string hostPath, int hits, byte[] content, DateTimeOffset? lastModified = null) =>
        _tree.ReplaceAfter(hostPath, hits, new UpstreamFile(content, lastModified ?? NextTime(hostPath)));

    /// <summary>Gives a file other content, a second later, each time that it is asked for: an upstream that publishes without an end.</summary>
    /// <param name="hostPath"><c>host/path</c>.</param>
    /// <param name="content">Makes the content of the n-th answer, n from 1. Called with a lock held: it must not call this server.</param>
    public void ReplaceAtEachHit(string hostPath, Func<int, byte[]> content)
    {
        var start = NextTime(hostPath);
        var hits = 0;
        _tree.ReplaceAtEachHit(hostPath, () => new UpstreamFile(content(++hits), start.AddSeconds(hits)));
    }

    /// <summary>Gives a file another time and leaves its content.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public void SetLastModified(string hostPath, DateTimeOffset lastModified) => _tree.Touch(hostPath, lastModified);

    /// <summary>Sends another Content-Type with a path than its name suggests.</summary>
    public void SetContentType(string hostPath, string contentType) => _responder.SetContentType(hostPath, contentType);

    /// <summary>Takes a file away; its folder stays.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public void Remove(string hostPath) => _tree.Remove(hostPath);

    /// <summary>Adds an empty folder.</summary>
    public void AddFolder(string hostPath) => _tree.AddFolder(hostPath.TrimEnd('/'));

    /// <summary>Takes a folder away with everything in it.</summary>
    public void RemoveFolder(string hostPath) => _tree.RemoveFolder(hostPath.TrimEnd('/'));

    /// <summary>The bytes that a path has now, as the upstream holds them.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public byte[] Content(string hostPath)
    {
        var file = _tree.Find(hostPath) ?? throw new FileNotFoundException($"The upstream has no '{hostPath}'.", hostPath);
        using var stream = file.OpenAt(0);
        var bytes = new byte[file.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Gives a host other habits.</summary>
    public void SetHost(string host, UpstreamHost habits) => _responder.SetHost(host, habits);

    /// <summary>Puts a fault in force.</summary>
    /// <param name="pattern">Which <c>host/path</c>; <c>*</c> stands for any run of characters, slashes included.</param>
    /// <param name="fault">What happens. Of several in force, delays add up, and the one added first decides the rest.</param>
    /// <param name="times">How often it strikes; null for always.</param>
    /// <param name="after">How many matching requests it lets pass first.</param>
    /// <param name="method">Only this method; null for any.</param>
    public UpstreamFaultRule AddFault(string pattern, UpstreamFault fault, int? times = null, int after = 0, string? method = null) =>
        _responder.AddFault(new UpstreamFaultRule(new PathPattern(pattern), fault, times, after, method));

    /// <summary>Ends all faults.</summary>
    public void ClearFaults() => _responder.ClearFaults();

    /// <summary>Forgets the requests so far.</summary>
    public void ClearRequests() => _responder.ClearRequests();

    /// <summary>The requests for some paths, in order.</summary>
    /// <param name="pattern">As for <see cref="AddFault"/>.</param>
    public IReadOnlyList<UpstreamRequest> RequestsFor(string pattern)
    {
        var paths = new PathPattern(pattern);
        return [.. Requests.Where(r => paths.Matches(r.HostPath))];
    }

    /// <summary>From here on connections are refused, as by a host that is down.</summary>
    public async Task RefuseConnectionsAsync()
    {
        await _listening.WaitAsync();
        try
        {
            await StopListeningAsync();
        }
        finally
        {
            _listening.Release();
        }
    }

    /// <summary>Listens again, on the same port.</summary>
    public async Task AcceptConnectionsAsync()
    {
        await _listening.WaitAsync();
        try
        {
            if (_app is null)
            {
                await ListenAsync();
            }
        }
        finally
        {
            _listening.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await RefuseConnectionsAsync();
        _listening.Dispose();
        _stopping.Dispose();
    }

    private DateTimeOffset NextTime(string hostPath) =>
        _tree.Find(hostPath) is { } file ? file.LastModified.AddSeconds(1) : UpstreamLayer.DefaultLastModified;

    private async Task ListenAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, _port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (_certificate is { } certificate)
                {
                    listen.UseHttps(new HttpsConnectionAdapterOptions
                    {
                        ServerCertificate = certificate,
                        ClientCertificateMode = _asksForCertificate ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate,
                        ClientCertificateValidation = (client, _, _) =>
                        {
                            Volatile.Write(ref _clientThumbprint, client.Thumbprint);
                            return true;
                        },
                    });
                }
            });
        });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var app = builder.Build();
        app.Run(_responder.AnswerAsync);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
        Root = new Uri(address.TrimEnd('/') + "/");
        _port = Root.Port;
        _app = app;
    }

    private async Task StopListeningAsync()
    {
        if (_app is { } app)
        {
            _app = null;
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }
}

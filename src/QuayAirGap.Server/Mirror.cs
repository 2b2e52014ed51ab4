using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using QuayAirGap.Core;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tls;
using QuayAirGap.Server.Contents;
using QuayAirGap.Server.Gateway;
using QuayAirGap.Server.Http;
using QuayAirGap.Server.Listening;
using QuayAirGap.Server.Upstream;

namespace QuayAirGap.Server;

/// <summary>A running mirror. Disposing it stops it: running downloads get a few seconds to end.</summary>
public sealed class Mirror : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly AccessLog? _accessLog;
    private readonly CertificateRenewal? _renewal;
    private readonly ScanGateway? _gateway;

    private Mirror(
        WebApplication application, AccessLog? accessLog, CertificateRenewal? renewal, ScanGateway? gateway, IReadOnlyList<string> bound, MirrorOptions options)
    {
        _application = application;
        _accessLog = accessLog;
        _renewal = renewal;
        _gateway = gateway;
        Urls = [.. bound.Take(options.Urls.Count)];
        ProxyUrls = [.. bound.Skip(options.Urls.Count).Take(options.ProxyUrls.Count)];
        ByNameUrls = [.. bound.Skip(options.Urls.Count + options.ProxyUrls.Count)];
    }

    /// <summary>Where it serves by path, with the ports that were taken.</summary>
    public IReadOnlyList<string> Urls { get; }

    /// <summary>Where it is a forward proxy for the feeds' own hosts.</summary>
    public IReadOnlyList<string> ProxyUrls { get; }

    /// <summary>Where it answers for the feeds' own hosts directly.</summary>
    public IReadOnlyList<string> ByNameUrls { get; }

    /// <summary>Where the gateway between Quay and Clair listens; empty without one.</summary>
    public IReadOnlyList<string> ScanGatewayUrls => _gateway?.Urls ?? [];

    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/>, <see cref="ErrorIds.MirrorCertificateMissing"/> or
    /// <see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public static async Task<Mirror> StartAsync(MirrorOptions options, CancellationToken cancellationToken = default)
    {
        if (options.Site is null == options.Folder is null)
        {
            throw new ArgumentException("A mirror serves a site or a folder.", nameof(options));
        }

        if (options is { ScanGateway: not null, Site: null })
        {
            throw new ArgumentException("A gateway judges by a site.", nameof(options));
        }

        ILogger log = options.Log?.CreateLogger("QuayAirGap.Mirror") ?? NullLogger.Instance;
        IMirrorContent content = options.Site is { } site
            ? new CurrentGeneration(site, options.TimeProvider, log)
            : new FolderContent(options.Folder!, options.FolderLastModified, options.TimeProvider);
        var refusals = new Refusals(options.TimeProvider, log);
        List<ListenAddress> addresses = [.. options.Urls.Concat(options.ProxyUrls).Concat(options.ByNameUrls).Select(ListenAddress.Parse)];
        CertificateRenewal? renewal = null;
        WebApplication? application = null;
        AccessLog? accessLog = null;
        ScanGateway? gateway = null;
        try
        {
            // Before the certificates are read: one that has ended meanwhile is renewed first.
            renewal = options.Site is null ? null : new CertificateRenewal(options.Site, options.TimeProvider, log);
            renewal?.Start();
            Certificates certificates = ReadCertificates(options, addresses, log);
            await content.PrepareAsync(cancellationToken);

            application = Build(options, kestrel => Listen(kestrel, options, addresses, certificates, refusals, log));
            var counter = new RequestCounter();
            GatewayCounter? gatewayCounter = options.ScanGateway is null ? null : new GatewayCounter();
            var pages = new StatusPages(
                content, new MetricsText(content, options.Site, counter, refusals, certificates.InUse(), gatewayCounter, options.TimeProvider),
                options.Site is null ? null : new SitePages(options.Site, options.ScanGateway?.Release, options.TimeProvider, log));
            accessLog = options.AccessLog is { } output ? new AccessLog(output, options.TimeProvider, log) : null;
            application.Run(new RequestRouter(new MirrorEndpoint(content, log), pages, counter, refusals, accessLog, options.TimeProvider).HandleAsync);

            await StartListeningAsync(application, addresses, cancellationToken);
            if (options.ScanGateway is { } between)
            {
                gateway = await ScanGateway.StartAsync(
                    between, options, certificates.ByPath, options.ReportJudge ?? new SiteJudge(options.Site!, between.Release, options.TimeProvider), gatewayCounter!, accessLog, log, cancellationToken);
            }

            return new Mirror(application, accessLog, renewal, gateway, [.. addresses.Zip(application.Urls, (a, bound) => a.Display(bound))], options);
        }
        catch
        {
            if (application is not null)
            {
                await application.DisposeAsync();
            }

            if (renewal is not null)
            {
                await renewal.DisposeAsync();
            }

            accessLog?.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        await _application.StopAsync();
        await _application.DisposeAsync();
        if (_renewal is not null)
        {
            await _renewal.DisposeAsync();
        }

        _accessLog?.Dispose();
    }

    internal static WebApplication Build(MirrorOptions options, Action<KestrelServerOptions> listen, Action<IServiceCollection>? more = null)
    {
        // Empty: neither appsettings files nor environment variables of whatever runs beside may change what this server does.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "quayairgap",
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        more?.Invoke(builder.Services);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Yarp", LogLevel.Error) // a line for each request, and again for what the gateway says itself
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None) // would start an activity, with its ids, for each request; errors are Kestrel's to say
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // repeats, with its stack, what StartAsync throws
        if (options.Log is { } provider)
        {
            builder.Logging.AddProvider(provider);
        }

        // Answers where the request was read, on a thread of the pool, instead of handing it on twice. What takes long there holds no other
        // connection up: while one thread is busy, the events of the others go to the next.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Room to read the next part of a file while the socket takes the one before.
            kestrel.Limits.MaxResponseBufferSize = 1024 * 1024;

            MirrorLimits limits = options.Limits;
            kestrel.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
            kestrel.Limits.KeepAliveTimeout = limits.KeepAliveTimeout;
            kestrel.Limits.MinResponseDataRate = new MinDataRate(limits.MinResponseDataRate, TimeSpan.FromSeconds(5));
            kestrel.Limits.MaxConcurrentConnections = limits.MaxConnections;

            // Nobody has a body to send.
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 32;
            listen(kestrel);
        });
        return builder.Build();
    }

    private static void Listen(
        KestrelServerOptions kestrel, MirrorOptions options, IReadOnlyList<ListenAddress> addresses, Certificates certificates, Refusals refusals, ILogger log)
    {
        for (int i = 0; i < addresses.Count; i++)
        {
            ListenAddress address = addresses[i];
            if (i < options.Urls.Count)
            {
                address.Listen(kestrel, l => ListenByPath(l, options, address.IsTls ? certificates.ByPath! : null));
            }
            else
            {
                UpstreamDoor door = i < options.Urls.Count + options.ProxyUrls.Count ? UpstreamDoor.Proxy : UpstreamDoor.ByName;
                var listener = new UpstreamListener(certificates.AsUpstream!, options.Limits, refusals, log);
                address.Listen(kestrel, l => listener.Configure(l, door, address.IsTls));
            }
        }
    }

    internal static void ListenByPath(ListenOptions listen, MirrorOptions options, ServerCertificate? certificate)
    {
        // Cleartext HTTP/2 is something no updater asks for.
        bool http2 = certificate is not null && options.Http2;
        listen.Protocols = http2 ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
        if (certificate is null)
        {
            return;
        }

        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = options.Limits.HeaderTimeout,
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = certificate.Context,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = http2 ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] : [SslApplicationProtocol.Http11],
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                AllowRenegotiation = false,
            }),
        });
    }

    private static Certificates ReadCertificates(MirrorOptions options, IReadOnlyList<ListenAddress> addresses, ILogger log)
    {
        MirrorCertificates? own = options.Site is null ? null : new MirrorCertificates(options.Site, options.TimeProvider);
        ServerCertificate? byPath = null;
        IEnumerable<ListenAddress> gateway = options.ScanGateway?.Urls.Select(ListenAddress.Parse) ?? [];
        if (addresses.Take(options.Urls.Count).Concat(gateway).FirstOrDefault(a => a.IsTls) is { } secure)
        {
            ServerCertificateFiles files = options.Certificate
                ?? (own is not null && File.Exists(own.MirrorFile) ? new ServerCertificateFiles(own.MirrorFile) : throw Missing(
                    $"There is no certificate for '{secure.Text}'.", secure.Text,
                    "Name one with --tls-certificate, or make one with New-ClairFeedMirrorCertificate -DnsName."));
            byPath = new ServerCertificate(files, options.TimeProvider, log);
        }

        if (options.ProxyUrls.Count + options.ByNameUrls.Count == 0)
        {
            return new Certificates(byPath, null);
        }

        if (addresses.Skip(options.Urls.Count).Take(options.ProxyUrls.Count).FirstOrDefault(a => a.IsTls) is { } proxy)
        {
            throw ListenAddress.NotStarted(
                $"A proxy cannot listen at '{proxy.Text}'.", proxy.Text, "Write it with http: a client speaks to the proxy first, and TLS begins within.", null);
        }

        if (own?.Read() is not { } state)
        {
            throw Missing(
                "There are no certificates to answer for the feeds' own hosts with.", options.Site?.TlsFolder ?? options.Folder!,
                "Make them with New-ClairFeedMirrorCertificate, and give Clair the authority. It takes a site, not a folder.");
        }

        if (state.HostsNotPermitted is { Count: > 0 } hosts)
        {
            log.LogError(
                "The mirror's authority may not vouch for {Hosts}: Clair will not read these feeds. Exchange it with New-ClairFeedMirrorCertificate -StartRotation.",
                string.Join(", ", hosts));
        }

        return new Certificates(byPath, new ServerCertificate(new ServerCertificateFiles(own.UpstreamFile), options.TimeProvider, log));
    }

    internal static async Task StartListeningAsync(WebApplication application, IReadOnlyList<ListenAddress> addresses, CancellationToken cancellationToken)
    {
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            string all = string.Join(";", addresses.Select(a => a.Text));
            bool taken = e.InnerException is AddressInUseException;
            throw ListenAddress.NotStarted(
                taken ? e.Message : $"The mirror cannot listen at {all}: {e.Message}", all,
                taken
                    ? "Stop the other program, or name another port with --urls."
                    : "Name an address of this host and a port that this account may use with --urls.",
                e);
        }
    }

    private static FeedException Missing(string message, string target, string remedy) => new(ErrorIds.MirrorCertificateMissing, message, target, remedy);

    private sealed record Certificates(ServerCertificate? ByPath, ServerCertificate? AsUpstream)
    {
        public IReadOnlyList<(string Use, ServerCertificate Certificate)> InUse() =>
            [.. new[] { ("path", ByPath), ("upstream", AsUpstream) }.Where(c => c.Item2 is not null).Select(c => (c.Item1, c.Item2!))];
    }

    /// <summary>Whoever started the mirror stops it; it takes no signals of its process.</summary>
    private sealed class EmbeddedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

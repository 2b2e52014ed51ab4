using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core;
using QuayAirGap.Server.Http;
using QuayAirGap.Server.Listening;
using Yarp.ReverseProxy.Forwarder;

namespace QuayAirGap.Server.Gateway;

/// <summary>A running gateway between Quay and Clair.</summary>
internal sealed class ScanGateway : IAsyncDisposable
{
    /// <summary>Far beyond what Quay waits for (600 seconds for an index): who asked decides how long.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    private readonly WebApplication _application;
    private readonly HttpMessageInvoker _client;

    private ScanGateway(WebApplication application, HttpMessageInvoker client, IReadOnlyList<string> urls)
    {
        _application = application;
        _client = client;
        Urls = urls;
    }

    /// <summary>Where it listens, with the ports that were taken.</summary>
    public IReadOnlyList<string> Urls { get; }

    /// <param name="options">What and where.</param>
    /// <param name="mirror">Its limits, log and clock.</param>
    /// <param name="certificate">For the addresses with https.</param>
    /// <param name="judge">Judges reports.</param>
    /// <param name="counter">Counts.</param>
    /// <param name="accessLog">Gets a line a request; may be null.</param>
    /// <param name="log">Gets troubles.</param>
    /// <param name="cancellationToken">Ends starting.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/> or <see cref="ErrorIds.ServeOptionInvalid"/></exception>
    public static async Task<ScanGateway> StartAsync(
        ScanGatewayOptions options, MirrorOptions mirror, ServerCertificate? certificate, IReportJudge judge, GatewayCounter counter, AccessLog? accessLog, ILogger log,
        CancellationToken cancellationToken)
    {
        List<ListenAddress> addresses = [.. options.Urls.Select(ListenAddress.Parse)];
        HttpMessageInvoker client = Client(options.CaFile);
        WebApplication? application = null;
        try
        {
            application = Mirror.Build(
                mirror,
                kestrel =>
                {
                    KestrelServerLimits limits = kestrel.Limits;
                    limits.MaxRequestBodySize = null; // Clair's own limit counts
                    limits.MinRequestBodyDataRate = null;
                    limits.MaxRequestHeadersTotalSize = 256 * 1024;
                    limits.MaxRequestHeaderCount = 1000;
                    kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1; // byte for byte
                    kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
                    foreach (ListenAddress address in addresses)
                    {
                        address.Listen(kestrel, l => Mirror.ListenByPath(l, mirror, address.IsTls ? certificate : null));
                    }
                },
                services => services.AddHttpForwarder());
            IHttpForwarder forwarder = application.Services.GetRequiredService<IHttpForwarder>();
            var decorator = new ReportDecorator(
                judge, new ReportWarning(options.Contact, options.Link), counter, new GatewayTroubles(counter, log, mirror.TimeProvider), options.Limits, mirror.TimeProvider);
            var transformer = new GatewayTransformer(options.Clair, decorator);
            var request = new ForwarderRequestConfig { ActivityTimeout = s_longest, Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
            string prefix = options.Clair.AbsoluteUri;
            application.Run(async context =>
            {
                long start = mirror.TimeProvider.GetTimestamp();
                var body = new CountingBody(context.Response.BodyWriter);
                context.Response.Body = body;
                ForwarderError error = await forwarder.SendAsync(context, prefix, client, request, transformer);
                if (error == ForwarderError.None)
                {
                    await body.EndAsync(context.RequestAborted);
                }
                else if (error is ForwarderError.Request or ForwarderError.RequestTimedOut)
                {
                    log.LogWarning("Clair at {Clair} does not answer: {Error}", prefix, context.GetForwarderErrorFeature()?.Exception?.GetBaseException().Message ?? error.ToString());
                }

                counter.Answered(context.Response.StatusCode);
                accessLog?.Add(context, "", body.Written, mirror.TimeProvider.GetElapsedTime(start));
            });
            await Mirror.StartListeningAsync(application, addresses, cancellationToken);
            return new ScanGateway(application, client, [.. addresses.Zip(application.Urls, (a, bound) => a.Display(bound))]);
        }
        catch
        {
            if (application is not null)
            {
                await application.DisposeAsync();
            }

            client.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        _client.Dispose();
    }

    private static HttpMessageInvoker Client(string? caFile)
    {
        // Behind the gap nobody answers for revocation or missing certificates.
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (caFile is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(ReadAuthorities(caFile));
        }

        return new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null, // adds no header of its own
            ConnectTimeout = TimeSpan.FromSeconds(15),
            ConnectCallback = ConnectAsync,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // Clair may move
            MaxResponseHeadersLength = 64, // KiB
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        });
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new ReadAheadStream(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static X509Certificate2Collection ReadAuthorities(string file)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            return authorities.Count > 0 ? authorities : throw new CryptographicException("it holds no certificate in PEM form");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FeedException(
                ErrorIds.ServeOptionInvalid, $"The authorities in '{file}' cannot be used: {e.Message.TrimEnd('.')}.", file,
                "Name a PEM file with --scan-gateway-ca that this account may read.", e);
        }
    }
}

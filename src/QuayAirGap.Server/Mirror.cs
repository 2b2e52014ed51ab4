using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core;
using QuayAirGap.Server.Contents;
using QuayAirGap.Server.Http;

namespace QuayAirGap.Server;

/// <summary>A running mirror. Disposing it stops it: running downloads get a few seconds to end.</summary>
public sealed class Mirror : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly AccessLog? _accessLog;

    private Mirror(WebApplication application, AccessLog? accessLog)
    {
        _application = application;
        _accessLog = accessLog;
        Urls = [.. application.Urls];
    }

    /// <summary>Where it listens, with the ports that were taken.</summary>
    public IReadOnlyList<string> Urls { get; }

    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/></exception>
    public static async Task<Mirror> StartAsync(MirrorOptions options, CancellationToken cancellationToken = default)
    {
        if (options.Site is null == options.Folder is null)
        {
            throw new ArgumentException("A mirror serves a site or a folder.", nameof(options));
        }

        // Empty: neither appsettings files nor environment variables of whatever runs beside may change what this server does.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "quayairgap",
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // repeats, with its stack, what StartAsync throws
        if (options.Log is { } provider)
        {
            builder.Logging.AddProvider(provider);
        }

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Room to read the next part of a file while the socket takes the one before.
            kestrel.Limits.MaxResponseBufferSize = 1024 * 1024;

            // Addresses without TLS speak HTTP/1.1; cleartext HTTP/2 is something no updater asks for.
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });

        WebApplication application = builder.Build();
        AccessLog? accessLog = null;
        try
        {
            ILogger log = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("QuayAirGap.Mirror");
            IMirrorContent content = options.Site is { } site
                ? new CurrentGeneration(site, options.TimeProvider, log)
                : new FolderContent(options.Folder!, options.FolderLastModified, options.TimeProvider);
            await content.PrepareAsync(cancellationToken);

            accessLog = options.AccessLog is { } output ? new AccessLog(output, options.TimeProvider, log) : null;
            Route(application, new MirrorEndpoint(content, log), accessLog, options.TimeProvider);
            foreach (string url in options.Urls)
            {
                application.Urls.Add(CheckAddress(url));
            }

            await StartListeningAsync(application, options.Urls, cancellationToken);
            return new Mirror(application, accessLog);
        }
        catch
        {
            await application.DisposeAsync();
            accessLog?.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        _accessLog?.Dispose();
    }

    private static void Route(WebApplication application, MirrorEndpoint endpoint, AccessLog? accessLog, TimeProvider time) =>
        application.Run(async context =>
        {
            long start = time.GetTimestamp();
            long sent = await endpoint.HandleAsync(context);
            accessLog?.Add(context, sent, time.GetElapsedTime(start));
        });

    private static string CheckAddress(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException e)
        {
            throw NotStarted(
                $"'{url}' is not an address to listen at.", url,
                "Write it as http://127.0.0.1:8080, or http://*:8080 for all of this host's addresses.", e);
        }

        if (address.Scheme != "http" || address.PathBase.Length > 0 || address.Port is < 0 or > ushort.MaxValue)
        {
            throw NotStarted(
                $"The mirror cannot listen at '{url}'.", url, "Write it as http://host:port, without a path, with a port up to 65535.", null);
        }

        return url;
    }

    private static async Task StartListeningAsync(WebApplication application, IReadOnlyList<string> urls, CancellationToken cancellationToken)
    {
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            string all = string.Join(";", urls);
            bool taken = e.InnerException is AddressInUseException;
            throw NotStarted(
                taken ? e.Message : $"The mirror cannot listen at {all}: {e.Message}", all,
                taken
                    ? "Stop the other program, or name another port with --urls."
                    : "Name an address of this host and a port that this account may use with --urls.",
                e);
        }
    }

    private static FeedException NotStarted(string message, string target, string remedy, Exception? cause) =>
        new(ErrorIds.MirrorNotStarted, message, target, remedy, cause);

    /// <summary>Whoever started the mirror stops it; it takes no signals of its process.</summary>
    private sealed class EmbeddedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

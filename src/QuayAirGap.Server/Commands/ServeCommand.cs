using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting.WindowsServices;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Sites;
using QuayAirGap.Server.Gateway;
using QuayAirGap.Server.Listening;

namespace QuayAirGap.Server.Commands;

/// <summary>"quayairgap serve".</summary>
public static class ServeCommand
{
    private const int Good = 0;
    private const int Error = 2;

    /// <summary>
    /// Serves until SIGTERM, Ctrl+C or cancellation. Access lines go to standard output, everything else to standard error. Where Windows'
    /// service control manager has started this process, it serves until that stops it, and says what an operator must know to the event log.
    /// </summary>
    /// <returns>0 when it was stopped, 2 when it could not start.</returns>
    public static Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() && WindowsServiceHelpers.IsWindowsService())
        {
            return Task.FromResult(WindowsService.Run(args));
        }

#pragma warning disable RS0030 // this is the executable's own command: here the console is what it talks to
        return RunAsync(args, Console.Out, Console.Error, cancellationToken);
#pragma warning restore RS0030
    }

    /// <summary>The same, talking to other writers.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var log = new TextLog(error, TimeProvider.System);
        return await RunAsync(args, output, trouble => error.WriteLine($"quayairgap serve: {trouble}"), log, static () => { }, stop.Token);

        void Stop(PosixSignalContext signal)
        {
            // The first one stops gracefully; a second one, from somebody who does not want to wait, has its usual effect.
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    /// <summary>The same for whoever has a way of its own to say things and to be stopped.</summary>
    /// <param name="args">The command line after "serve".</param>
    /// <param name="output">Where it listens, and the access lines.</param>
    /// <param name="refused">Gets why it could not start.</param>
    /// <param name="log">What an operator must know.</param>
    /// <param name="listening">Called once it listens, with the current generation loaded where there is one.</param>
    /// <param name="stop">Ends it in good order.</param>
    /// <returns>0 when it was stopped, 2 when it could not start.</returns>
    internal static async Task<int> RunAsync(
        string[] args, TextWriter output, Action<string> refused, ILoggerProvider log, Action listening, CancellationToken stop)
    {
        try
        {
            ServeArguments arguments = ServeArguments.Parse(args);
            if (arguments.WantsHelp)
            {
                await output.WriteLineAsync(ServeArguments.Help);
                return Good;
            }

            await using Mirror mirror = await Mirror.StartAsync(
                new MirrorOptions
                {
                    Site = arguments.Folder is null ? Site.Open(Path.GetFullPath(arguments.Site ?? Site.DefaultPath)) : null,
                    Folder = arguments.Folder is null ? null : Path.GetFullPath(arguments.Folder),
                    FolderLastModified = arguments.LastModified,
                    Urls = arguments.Urls,
                    ProxyUrls = arguments.Proxy,
                    ByNameUrls = arguments.ByName,
                    Certificate = CertificateOf(arguments),
                    Http2 = arguments.Http2,
                    ScanGateway = GatewayOf(arguments),
                    Limits = arguments.MaxConnections is { } most ? new MirrorLimits { MaxConnections = most } : new MirrorLimits(),
                    AccessLog = arguments.Quiet ? null : TextWriter.Synchronized(output),
                    Log = log,
                },
                stop);
            foreach (string line in mirror.Urls.Select(u => $"Listening on {u}")
                .Concat(mirror.ProxyUrls.Select(u => $"Proxy on {u}")).Concat(mirror.ByNameUrls.Select(u => $"By name on {u}"))
                .Concat(mirror.ScanGatewayUrls.Select(u => $"Scan gateway on {u}")))
            {
                await output.WriteLineAsync(line);
            }

            await output.FlushAsync(stop);
            listening();
            await Task.Delay(Timeout.InfiniteTimeSpan, stop);
            return Good;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Good;
        }
        catch (FeedException e)
        {
            refused($"{e.Message} {e.Remedy}");
            return Error;
        }

        static ScanGatewayOptions? GatewayOf(ServeArguments arguments) => arguments.ScanGateway is not { } clair
            ? null
            : new ScanGatewayOptions
            {
                Clair = clair,
                Urls = arguments.ScanGatewayUrls,
                CaFile = arguments.ScanGatewayCa is null ? null : Path.GetFullPath(arguments.ScanGatewayCa),
                Contact = arguments.ScanGatewayContact,
                Link = arguments.ScanGatewayLink,
                Release = arguments.ClairRelease is { } release ? ClairRelease.Get(release) : null,
            };

        static ServerCertificateFiles? CertificateOf(ServeArguments arguments) => arguments.TlsCertificate is not { } certificate
            ? null
            : new ServerCertificateFiles(
                Path.GetFullPath(certificate),
                arguments.TlsKey is null ? null : Path.GetFullPath(arguments.TlsKey),
                arguments.TlsPasswordFile is null ? null : ReadPassword(arguments.TlsPasswordFile));

        static string ReadPassword(string file)
        {
            try
            {
                return File.ReadLines(file).FirstOrDefault() ?? "";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new FeedException(
                    ErrorIds.ServeOptionInvalid, $"The password file '{file}' cannot be read: {e.Message}", file, "Name a file that this account may read.", e);
            }
        }
    }
}

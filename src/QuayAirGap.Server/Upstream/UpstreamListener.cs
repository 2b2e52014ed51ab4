using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core.Tls;
using QuayAirGap.Server.Http;
using QuayAirGap.Server.Listening;

namespace QuayAirGap.Server.Upstream;

/// <summary>
/// Takes connections that ask for the feeds' own hosts: at a proxy's port (CONNECT, or plain HTTP), or straight at a TLS port. Behind it
/// HTTP/1.1 only: over HTTP/2 the server would end the connection at the header "TE: gzip" of claircore's ubuntu/updaterset.go, and the
/// whole set would be lost without a word.
/// </summary>
internal sealed class UpstreamListener(ServerCertificate certificate, MirrorLimits limits, Refusals refusals, ILogger log)
{
    public void Configure(ListenOptions listen, UpstreamDoor door, bool tls)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection => OnConnectionAsync(connection, door, tls, next));
    }

    private async Task OnConnectionAsync(ConnectionContext connection, UpstreamDoor door, bool tls, ConnectionDelegate next)
    {
        var upstream = new UpstreamConnection(door);
        connection.Features.Set(upstream);
        if (door == UpstreamDoor.Proxy)
        {
            ConnectHead? head;
            using (CancellationTokenSource limit = Limited(connection))
            {
                try
                {
                    head = await ConnectHead.ReadAsync(connection.Transport.Input, limit.Token);
                }
                catch (OperationCanceledException)
                {
                    connection.Abort(new ConnectionAbortedException("The client said nothing in time."));
                    return;
                }
            }

            if (head is not null)
            {
                if (!await AcceptAsync(connection, head))
                {
                    return;
                }

                upstream.Tunnel = head.Host;
                tls = true;
            }
        }

        await (tls ? TlsAsync(connection, upstream, next) : next(connection));
    }

    /// <returns>Whether the tunnel is open.</returns>
    private async ValueTask<bool> AcceptAsync(ConnectionContext connection, ConnectHead head)
    {
        if (head.Port == 443 && UpstreamHosts.ContentHostOf(head.Host) is not null)
        {
            await connection.Transport.Output.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray());
            return true;
        }

        string target = LogText.Clean(head.Target);
        refusals.Add(
            head.Host.Length == 0 ? RefusalReason.Malformed : UpstreamHosts.ContentHostOf(head.Host) is null ? RefusalReason.Host : RefusalReason.Port,
            connection.RemoteEndPoint, $"CONNECT {target}");
        string text = $"{Refusals.Explain(target)}\n";
        string answer = head.Host.Length == 0 ? "400 Bad Request" : "403 Forbidden";
        await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {answer}\r\nContent-Type: text/plain\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}"));
        return false;
    }

    private async Task TlsAsync(ConnectionContext connection, UpstreamConnection upstream, ConnectionDelegate next)
    {
        IDuplexPipe transport = connection.Transport;
        await using var ssl = new SslStream(new DuplexStream(transport), leaveInnerStreamOpen: true);
        try
        {
            using CancellationTokenSource limit = Limited(connection);
            await ssl.AuthenticateAsServerAsync((_, hello, _, _) => ValueTask.FromResult(Choose(connection, upstream, hello)), null, limit.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or AuthenticationException or IOException or ConnectionAbortedException)
        {
            // Somebody who does not trust the authority ends here: worth knowing, when Clair cannot read a feed.
            if (e is AuthenticationException and not RefusedException)
            {
                log.LogWarning(
                    "{Client} ended the TLS handshake for {Host}: {Trouble} Does it trust the mirror's authority?",
                    connection.RemoteEndPoint, LogText.Clean(upstream.ServerName ?? upstream.Tunnel ?? "?"), LogText.Clean(e.InnerException?.Message ?? e.Message));
            }

            connection.Abort(new ConnectionAbortedException("No TLS."));
            return;
        }

        var input = PipeReader.Create(ssl, new StreamPipeReaderOptions(leaveOpen: true));
        var output = PipeWriter.Create(ssl, new StreamPipeWriterOptions(minimumBufferSize: 16 * 1024, leaveOpen: true));
        try
        {
            connection.Transport = new Pipes(input, output);
            await next(connection);
            await output.CompleteAsync();
            await ssl.ShutdownAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or ObjectDisposedException)
        {
            // The client is gone: there is nobody to say goodbye to.
        }
        finally
        {
            await input.CompleteAsync();
            connection.Transport = transport;
        }
    }

    /// <exception cref="RefusedException">The handshake names another host than a feed's, or than CONNECT did.</exception>
    private SslServerAuthenticationOptions Choose(ConnectionContext connection, UpstreamConnection upstream, SslClientHelloInfo hello)
    {
        string name = hello.ServerName.ToLowerInvariant();
        upstream.ServerName = name;
        if (UpstreamHosts.ContentHostOf(name) is null || (upstream.Tunnel is { } tunnel && tunnel != name))
        {
            refusals.Add(
                UpstreamHosts.ContentHostOf(name) is null ? RefusalReason.Host : RefusalReason.Disagreement,
                connection.RemoteEndPoint, $"TLS for '{LogText.Clean(name)}'{(upstream.Tunnel is null ? "" : $" within CONNECT {upstream.Tunnel}:443")}");
            throw new RefusedException();
        }

        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
        };
    }

    private CancellationTokenSource Limited(ConnectionContext connection)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        limit.CancelAfter(limits.HeaderTimeout);
        return limit;
    }

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class RefusedException() : AuthenticationException("Not a host that is answered here.");
}

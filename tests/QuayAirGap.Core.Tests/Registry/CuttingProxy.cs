using System.Net;
using System.Net.Sockets;

namespace QuayAirGap.Core.Tests.Registry;

/// <summary>A network that breaks: it carries bytes to the registry and back, and cuts connections after so many of them, so many times.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private int _cutsLeft;

    /// <param name="target">The registry's port.</param>
    /// <param name="after">Bytes in one direction after which a connection is cut.</param>
    /// <param name="cuts">How many connections are cut; later ones are left alone.</param>
    public CuttingProxy(int target, long after, int cuts)
    {
        _target = target;
        After = after;
        _cutsLeft = cuts;
        _listener.Start();
        _ = AcceptAsync();
    }

    public long After { get; }

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>How many connections were cut.</summary>
    public int Cut { get; private set; }

    /// <summary>Bytes of the answers that came through.</summary>
    public long Answered;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await Task.WhenAny(CopyAsync(client, server, answers: false), CopyAsync(server, client, answers: true));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
            }
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, bool answers)
    {
        try
        {
            byte[] buffer = new byte[8192];
            long carried = 0;
            for (int read; (read = await from.GetStream().ReadAsync(buffer, _stop.Token)) > 0;)
            {
                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                carried += read;
                if (answers)
                {
                    Interlocked.Add(ref Answered, read);
                }

                if (carried > After && Interlocked.Decrement(ref _cutsLeft) >= 0)
                {
                    Cut++;
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>A server that takes one request a connection, keeps it, and does with the connection what the test says.</summary>
internal sealed class ScriptedClair : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    /// <param name="answer">Gets the request as it came, head and body; writes to the socket whatever it likes.</param>
    public ScriptedClair(Func<string, Socket, Task> answer)
    {
        Answer = answer;
        _listener.Start();
        Uri = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _serving = ServeAsync();
    }

    public Func<string, Socket, Task> Answer { get; set; }

    public Uri Uri { get; }

    public List<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
#pragma warning disable VSTHRD003 // ends with the listener
        await _serving;
#pragma warning restore VSTHRD003
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_stop.Token);
                _ = Task.Run(() => OneAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task OneAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                string request = await ReadRequestAsync(socket);
                if (request.Length > 0)
                {
                    lock (Requests)
                    {
                        Requests.Add(request);
                    }

                    await Answer(request, socket);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
            }
        }
    }

    private async Task<string> ReadRequestAsync(Socket socket)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            int n = await socket.ReceiveAsync(buffer, _stop.Token);
            if (n == 0)
            {
                return text.ToString();
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, n));
            string all = text.ToString();
            int end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0)
            {
                continue;
            }

            string head = all[..end].ToLowerInvariant();
            int length = head.IndexOf("content-length:", StringComparison.Ordinal) is >= 0 and int at ? int.Parse(head[(at + 15)..].Split("\r\n")[0].Trim(), null) : 0;
            if (head.Contains("transfer-encoding: chunked", StringComparison.Ordinal) ? all.EndsWith("0\r\n\r\n", StringComparison.Ordinal) : all.Length >= end + 4 + length)
            {
                return all;
            }
        }
    }
}

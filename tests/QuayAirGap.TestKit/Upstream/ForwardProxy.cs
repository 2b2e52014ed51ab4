using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>
/// A forward proxy as companies have one: plain requests by their absolute address, TLS through CONNECT. One request for each connection.
/// It keeps the first line of every request.
/// </summary>
public sealed class ForwardProxy : IAsyncDisposable
{
    private const int LongestHead = 64 << 10;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly SemaphoreSlim _ended = new(0);

    private ForwardProxy()
    {
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _ = AcceptAsync();
    }

    /// <summary>What clients are told.</summary>
    public Uri Address { get; }

    /// <summary>"GET http://host/path HTTP/1.1", "CONNECT host:443 HTTP/1.1", in order.</summary>
    public IReadOnlyList<string> Lines => [.. _lines];

    /// <summary>Starts one on a free port.</summary>
    public static ForwardProxy Start() => new();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _ended.WaitAsync();
        _ended.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
            _ended.Release();
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var head = await ReadHeadAsync(stream);
                var lines = head.Split("\r\n");
                _lines.Enqueue(lines[0]);
                var parts = lines[0].Split(' ');
                var isTunnel = parts[0] == "CONNECT";
                var target = new Uri(isTunnel ? "https://" + parts[1] : parts[1]);
                using var upstream = new TcpClient();
                await upstream.ConnectAsync(target.Host, target.Port, _stopping.Token);
                var far = upstream.GetStream();
                if (isTunnel)
                {
                    await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _stopping.Token);
                }
                else
                {
                    var rest = lines[1..].Where(l => !l.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase) && l.Length > 0);
                    var forwarded = $"{parts[0]} {target.PathAndQuery} HTTP/1.1\r\n{string.Join("\r\n", rest)}\r\nConnection: close\r\n\r\n";
                    await far.WriteAsync(Encoding.Latin1.GetBytes(forwarded), _stopping.Token);
                }

                // The far side ends a plain answer, either side a tunnel.
                var back = far.CopyToAsync(stream, _stopping.Token);
                var forth = stream.CopyToAsync(far, _stopping.Token);
                await (isTunnel ? Task.WhenAny(back, forth) : back);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // Whoever went away is missed by nobody.
            }
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (head.Length < LongestHead && await stream.ReadAsync(one, _stopping.Token) == 1)
        {
            head.Append((char)one[0]);
            if (one[0] == '\n' && head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n")
            {
                return head.ToString();
            }
        }

        throw new IOException("There is no whole request.");
    }
}

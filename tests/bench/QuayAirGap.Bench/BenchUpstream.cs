using System.Diagnostics;
using System.Net.Sockets;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.Bench;

/// <summary>
/// What files are fetched from: nginx as a process of its own, where it is installed, because an upstream is another machine and its work is not what is measured.
/// Otherwise the tests' upstream, in this process, which takes as much of the processor as a client and shares its threads with the collector, but not with curl.
/// </summary>
internal sealed class BenchUpstream : IAsyncDisposable
{
    private Process? _nginx;
    private UpstreamServer? _server;

    private BenchUpstream()
    {
    }

    public Uri Root { get; private set; } = null!;

    public string Name => _nginx is null ? "the tests' upstream in this process" : "nginx";

    /// <param name="feeds">Laid out as <see cref="UpstreamServer"/> takes it.</param>
    /// <param name="work">For nginx's configuration.</param>
    public static async Task<BenchUpstream> StartAsync(string feeds, string work)
    {
        var upstream = new BenchUpstream();
        if (ServingBench.Find("QUAYAIRGAP_NGINX", "nginx") is not { } nginx)
        {
            upstream._server = await UpstreamServer.StartAsync(feeds);
            upstream.Root = upstream._server.Root;
            return upstream;
        }

        int port = ServingBench.FreePort();
        upstream.Root = new Uri($"http://127.0.0.1:{port}/");
        upstream._nginx = ServingBench.StartNginx(nginx, feeds, work, port);
        for (int i = 0; ; i++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port);
                return upstream;
            }
            catch (SocketException) when (i < 100)
            {
                await Task.Delay(100);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null)
        {
            _nginx.Kill(entireProcessTree: true);
            await _nginx.WaitForExitAsync();
            _nginx.Dispose();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}

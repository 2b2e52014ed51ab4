using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Server.Commands;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>What Windows' service control manager is told, and when. The manager itself is played by the test.</summary>
public sealed class ServiceRunTests : IDisposable
{
    private readonly TestSite _site = new();
    private readonly ConcurrentQueue<(EventLogType Type, uint Id, string Text)> _events = new();
    private readonly SemaphoreSlim _ended = new(0);
    private int _patience;

    public void Dispose()
    {
        _site.Dispose();
        _ended.Dispose();
    }

    [Fact]
    public async Task It_has_started_when_it_answers_and_has_stopped_when_it_answers_no_more()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        int port = FreePort();
        using ServiceRun run = Service("--site", _site.Root, "--urls", $"http://127.0.0.1:{port}");

        Assert.True(run.Start());

        using HttpClient client = TestMirror.NewClient(new Uri($"http://127.0.0.1:{port}"));
        Assert.Equal("ready\n", await client.GetStringAsync("/readyz", TestContext.Current.CancellationToken));
        Assert.Equal("one", await client.GetStringAsync("/a", TestContext.Current.CancellationToken));
        int asked = _patience;
        run.Stop();
        Assert.Equal(0, run.ExitCode);
        Assert.True(await _ended.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken), "Nobody was told that it ended.");
        Assert.InRange(asked, 1, _patience - 1);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("/a", TestContext.Current.CancellationToken));
        (EventLogType type, uint id, string text) = Assert.Single(_events);
        Assert.Equal((EventLogType.Information, ServiceRun.Informed), (type, id));
        Assert.Contains("Serving generation 1", text);
    }

    [Fact]
    public async Task A_site_before_its_first_import_starts_and_warns()
    {
        int port = FreePort();
        using ServiceRun run = Service("--quiet", "--site", _site.Root, "--urls", $"http://127.0.0.1:{port}");

        Assert.True(run.Start());

        using HttpClient client = TestMirror.NewClient(new Uri($"http://127.0.0.1:{port}"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        run.Stop();
        (EventLogType type, uint id, string text) = Assert.Single(_events);
        Assert.Equal((EventLogType.Warning, ServiceRun.Warned), (type, id));
        Assert.Contains("Import-ClairFeed", text);
    }

    [Theory]
    [InlineData("--urls", "http://127.0.0.1:PORT", "already in use")]
    [InlineData("--urls", "https://127.0.0.1:0", "no certificate")]
    [InlineData("--stie", "x", "'--site'")]
    public void What_cannot_start_says_so_in_an_event_and_by_its_exit_code(string option, string value, string expected)
    {
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        using ServiceRun run = Service("--site", _site.Root, option, value.Replace("PORT", $"{((IPEndPoint)taken.LocalEndPoint!).Port}"));

        Assert.False(run.Start());

        Assert.Equal(2, run.ExitCode);
        (EventLogType type, uint id, string text) = _events.Last();
        Assert.Equal((EventLogType.Error, ServiceRun.Failed), (type, id));
        Assert.Contains(expected, text);
    }

    private ServiceRun Service(params string[] args) =>
        new(args, (type, id, text) => _events.Enqueue((type, id, text)), _ => Interlocked.Increment(ref _patience), () => _ended.Release());

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

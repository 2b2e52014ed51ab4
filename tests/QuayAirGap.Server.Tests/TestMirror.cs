using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Sites;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>A mirror on a free port of this machine, a clock that stands still, a client that changes nothing, and the log.</summary>
public sealed class TestMirror : IAsyncDisposable
{
    private readonly Mirror _mirror;

    private TestMirror(Mirror mirror, FakeTimeProvider time, RecordedLog log)
    {
        _mirror = mirror;
        Log = log;
        Time = time;
        Address = new Uri(mirror.Urls[0]);
        Client = NewClient(Address);
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public Mirror Mirror => _mirror;

    public FakeTimeProvider Time { get; }

    public RecordedLog Log { get; }

    public static Task<TestMirror> StartAsync(Site site) => StartAsync(new MirrorOptions { Site = site });

    public static async Task<TestMirror> StartAsync(MirrorOptions options)
    {
        var log = new RecordedLog();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        string[] urls = options.Urls.All(u => u.EndsWith(":0", StringComparison.Ordinal)) ? [.. options.Urls] : ["http://127.0.0.1:0"];
        options = options with { Urls = urls, TimeProvider = time, Log = log };
        return new TestMirror(await Mirror.StartAsync(options, TestContext.Current.CancellationToken), time, log);
    }

    /// <summary>From now on a request looks whether another generation is current.</summary>
    public void PassASecond() => Time.Advance(TimeSpan.FromSeconds(1));

    public Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, headers);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach ((string name, string value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        HttpResponseMessage response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.LoadIntoBufferAsync(TestContext.Current.CancellationToken);
        return response;
    }

    /// <summary>Sends exactly these bytes and returns all that comes back until the server closes.</summary>
    public async Task<byte[]> SendRawAsync(byte[] request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Address.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync(request, TestContext.Current.CancellationToken);
        using var answer = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and int read)
            {
                answer.Write(buffer, 0, read);
            }
        }
        catch (SocketException)
        {
            // A refused request may end with a reset after its answer.
        }

        return answer.ToArray();
    }

    public Task<byte[]> GetRawAsync(string target, string method = "GET") =>
        SendRawAsync(Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\nHost: {Address.Authority}\r\nConnection: close\r\n\r\n"));

    public static HttpClient NewClient(Uri address) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseProxy = false,
    })
    {
        BaseAddress = address,
        DefaultRequestVersion = HttpVersion.Version11,
    };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _mirror.DisposeAsync();
    }

    public sealed class RecordedLog : ILoggerProvider
    {
        private readonly ConcurrentQueue<(LogLevel Level, string Message)> _lines = new();

        public IReadOnlyList<string> Errors => [.. _lines.Where(l => l.Level >= LogLevel.Error).Select(l => l.Message)];

        public IReadOnlyList<string> Warnings => [.. _lines.Where(l => l.Level == LogLevel.Warning).Select(l => l.Message)];

        public ILogger CreateLogger(string categoryName) => new Logger(_lines);

        public void Dispose()
        {
        }

        private sealed class Logger(ConcurrentQueue<(LogLevel Level, string Message)> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue((logLevel, formatter(state, exception) + exception));
        }
    }
}

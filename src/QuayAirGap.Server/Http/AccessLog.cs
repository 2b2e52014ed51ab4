using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace QuayAirGap.Server.Http;

/// <summary>
/// One line a request: time (UTC), client, request line, status, body bytes, milliseconds, user agent. Written by a thread of its
/// own, so that a slow or stuck reader of the log never holds up a download; lines that it cannot take are counted, and the count is written.
/// </summary>
internal sealed class AccessLog : IDisposable
{
    private const int Waiting = 8192;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly BlockingCollection<string> _lines = new(Waiting);
    private readonly TextWriter _output;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Thread _writer;
    private volatile bool _broken;
    private long _dropped;

    public AccessLog(TextWriter output, TimeProvider time, ILogger log)
    {
        _output = output;
        _time = time;
        _log = log;
        _writer = new Thread(WriteLines) { IsBackground = true, Name = "access log" };
        _writer.Start();
    }

    /// <param name="origin">What stands before the target where the connection, not the request, names the host; else empty.</param>
    public void Add(HttpContext context, string origin, long sent, TimeSpan took)
    {
        if (_broken)
        {
            return;
        }

        HttpRequest request = context.Request;
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

        // A client that has everything may be gone before this line is written.
        bool isWhole = HttpMethods.IsHead(request.Method) || sent == context.Response.ContentLength;
        string aborted = !isWhole && context.RequestAborted.IsCancellationRequested ? " aborted" : "";
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{_time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {context.Connection.RemoteIpAddress} " +
            $"\"{LogText.Clean(request.Method)} {LogText.Clean(origin + target)}\" {context.Response.StatusCode} {sent} " +
            $"{took.TotalMilliseconds:F1}ms \"{LogText.Clean(request.Headers.UserAgent.ToString())}\"{aborted}");
        if (!_lines.TryAdd(line))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Writes what is left, if somebody reads it. Call it when no request can come any more.</summary>
    public void Dispose()
    {
        _lines.CompleteAdding();
        if (_writer.Join(s_patience))
        {
            _lines.Dispose();
        }
    }

    private void WriteLines()
    {
        try
        {
            foreach (string line in _lines.GetConsumingEnumerable())
            {
                _output.WriteLine(line);
                long dropped = Interlocked.Exchange(ref _dropped, 0);
                if (dropped > 0)
                {
                    _output.WriteLine(string.Create(
                        CultureInfo.InvariantCulture, $"# {dropped} requests are not in this log: it could not be written fast enough."));
                }

                if (_lines.Count == 0)
                {
                    _output.Flush();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // A closed pipe or a full disk: the mirror is worth more than its log.
            _broken = true;
            _log.LogError("The access log ends here, it cannot be written: {Trouble}", e.Message);
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace QuayAirGap.Bench;

/// <summary>
/// Stands for Clair with no more work than that takes: sockets alone, a thread a connection, and what Clair's encoder hands to Go's server, chunks of 4 KiB. By the end
/// of the path it has the report "ready", is "working" first, or is "writing" slowly as well.
/// </summary>
internal sealed class BenchClair : IDisposable
{
    private const int Piece = 4096;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _report;
    private readonly byte[] _zipped;
    private readonly int _working;
    private readonly int _writing;

    /// <param name="report">What it answers.</param>
    /// <param name="working">How long it works, in milliseconds.</param>
    /// <param name="writing">How long it writes, in milliseconds.</param>
    public BenchClair(byte[] report, int working, int writing)
    {
        (_report, _working, _writing) = (report, working, writing);
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(report);
        }

        _zipped = zipped.ToArray();
        _listener.Start();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}/");

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket socket = _listener.AcceptSocket();
                socket.NoDelay = true;
                new Thread(() => Serve(socket)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was disposed.
        }
    }

    private void Serve(Socket socket)
    {
        using (socket)
        {
            byte[] buffer = new byte[64 * 1024];
            string request = "";
            for (int n; (n = socket.Receive(buffer)) > 0;)
            {
                request += Encoding.Latin1.GetString(buffer, 0, n);
                if (request.EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    Answer(new ChunkStream(socket), request);
                    request = "";
                }
            }
        }
    }

    private void Answer(ChunkStream chunks, string request)
    {
        bool gzip = request.Contains("gzip", StringComparison.OrdinalIgnoreCase);
        string path = request.Split(' ')[1];
        bool isReady = path.EndsWith("ready", StringComparison.Ordinal);
        if (!isReady)
        {
            Thread.Sleep(_working);
        }

        chunks.Begin(gzip ? "Content-Encoding: gzip\r\n" : "");
        byte[] whole = gzip && isReady ? _zipped : _report;
        Stream body = gzip && !isReady ? new GZipStream(chunks, CompressionLevel.Fastest) : chunks;
        TimeSpan writing = TimeSpan.FromMilliseconds(path.EndsWith("writing", StringComparison.Ordinal) ? _writing : 0);
        long begin = Stopwatch.GetTimestamp();
        for (int at = 0; at < whole.Length; at += Piece)
        {
            body.Write(whole.AsSpan(at, Math.Min(Piece, whole.Length - at)));
            while (Stopwatch.GetElapsedTime(begin) < writing * ((double)at / whole.Length))
            {
                Thread.SpinWait(20); // encoding takes a processor
            }
        }

        body.Dispose();
    }

    /// <summary>An answer in chunks, each of which is sent as it is written.</summary>
    private sealed class ChunkStream(Socket socket) : MemoryStream
    {
        private readonly byte[] _chunk = new byte[64 * 1024];

        public void Begin(string headers) => socket.Send(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.clair.index_report.v1+json\r\n{headers}Trailer: Clair-Error\r\nTransfer-Encoding: chunked\r\n\r\n"));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (!buffer.IsEmpty)
            {
                int n = Math.Min(buffer.Length, Piece);
                int head = Encoding.ASCII.GetBytes(n.ToString("x", CultureInfo.InvariantCulture) + "\r\n", _chunk);
                buffer[..n].CopyTo(_chunk.AsSpan(head));
                "\r\n"u8.CopyTo(_chunk.AsSpan(head + n));
                socket.Send(_chunk.AsSpan(0, head + n + 2));
                buffer = buffer[n..];
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                socket.Send("0\r\n\r\n"u8);
            }

            base.Dispose(disposing);
        }
    }
}

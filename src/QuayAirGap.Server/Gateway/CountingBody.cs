using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Unicode;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// A response's body that knows how much was written to it, and that can do its own framing in chunks: the server does not send trailers over HTTP/1.1,
/// and Clair says in one whether it failed on the way.
/// </summary>
internal sealed class CountingBody(PipeWriter writer) : Stream
{
    private IReadOnlyList<(string Name, string Value)> _trailers = [];

    public long Written { get; private set; }

    /// <summary>Whether what is written goes out in chunks; whoever sets it has said so in the headers.</summary>
    public bool IsChunked { get; set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => Written; set => throw new NotSupportedException(); }

    /// <summary>For <see cref="EndAsync"/>.</summary>
    public void SetTrailers(IEnumerable<(string Name, string Value)> trailers) => _trailers = [.. trailers];

    /// <summary>Writes the last chunk and the trailers, where there are chunks.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (IsChunked)
        {
            string end = $"0\r\n{string.Concat(_trailers.Select(t => $"{t.Name}: {t.Value}\r\n"))}\r\n";
            writer.Write(Encoding.Latin1.GetBytes(end));
            await writer.FlushAsync(cancellationToken);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // All of it in one go: each flush is a packet, and what the server frames itself is one chunk and not many of a memory page.
        if (!IsChunked)
        {
            await writer.WriteAsync(buffer, cancellationToken);
        }
        else if (buffer.Length > 0)
        {
            // In one piece of memory: many small ones are many to be sent.
            writer.Advance(Frame(writer.GetSpan(buffer.Length + 20), buffer.Span));
            await writer.FlushAsync(cancellationToken);
        }

        Written += buffer.Length;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => writer.FlushAsync(cancellationToken).AsTask();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <returns>Bytes of the chunk with its frame (RFC 9112, 7.1).</returns>
    private static int Frame(Span<byte> into, ReadOnlySpan<byte> chunk)
    {
        _ = Utf8.TryWrite(into, CultureInfo.InvariantCulture, $"{chunk.Length:x}\r\n", out int head);
        chunk.CopyTo(into[head..]);
        "\r\n"u8.CopyTo(into[(head + chunk.Length)..]);
        return head + chunk.Length + 2;
    }
}

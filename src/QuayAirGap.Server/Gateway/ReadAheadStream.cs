namespace QuayAirGap.Server.Gateway;

/// <summary>
/// A connection to Clair that takes from the system what is there at once. Clair writes a report in chunks of 4 KiB, and the client asks for each one twice,
/// its rest and the line that begins the next: without this, two calls of the system for every chunk.
/// </summary>
internal sealed class ReadAheadStream(Stream connection) : Stream
{
    private const int Size = 64 * 1024;

    private byte[]? _ahead;
    private int _start;
    private int _end;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_start < _end)
        {
            return ValueTask.FromResult(Take(buffer.Span));
        }

        // Nothing to be read is how a client waits for something without giving memory for it: so it waits below, too.
        return buffer.Length is 0 or >= Size ? connection.ReadAsync(buffer, cancellationToken) : FillAsync(buffer, cancellationToken);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_start == _end && buffer.Length > 0)
        {
            _start = _end = 0;
            _end = connection.Read(_ahead ??= new byte[Size]);
        }

        return Take(buffer);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => connection.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        connection.WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer) => connection.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => connection.Write(buffer.AsSpan(offset, count));

    public override Task FlushAsync(CancellationToken cancellationToken) => connection.FlushAsync(cancellationToken);

    public override void Flush() => connection.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            connection.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> FillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _start = _end = 0;
        _end = await connection.ReadAsync(_ahead ??= new byte[Size], cancellationToken);
        return Take(buffer.Span);
    }

    private int Take(Span<byte> into)
    {
        int n = Math.Min(into.Length, _end - _start);
        _ahead.AsSpan(_start, n).CopyTo(into);
        _start += n;
        return n;
    }
}

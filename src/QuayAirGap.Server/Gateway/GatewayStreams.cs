namespace QuayAirGap.Server.Gateway;

/// <summary>Something that is read forwards and only so.</summary>
internal abstract class ForwardStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>What a decoder reads: the answer's bytes as they arrive, which stay held.</summary>
internal sealed class ArrivingStream(HeldBody body, Task patience) : ForwardStream
{
    private int _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_position == body.Length)
        {
            if (!await body.MoreAsync(patience))
            {
                return 0;
            }
        }

        int n = Math.Min(buffer.Length, body.Length - _position);
        body.Held.Slice(_position, n).CopyTo(buffer);
        _position += n;
        return n;
    }
}

/// <summary>The answer as it came, in the end.</summary>
internal sealed class ReplayStream(HeldBody body, Action released) : ForwardStream
{
    private bool _disposed;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => body.ReadOnAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            body.Dispose();
            released();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Pieces, one after the other.</summary>
internal sealed class PiecesStream(IReadOnlyList<ReadOnlyMemory<byte>> pieces, Action released) : ForwardStream
{
    private int _piece;
    private int _offset;
    private bool _disposed;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int copied = 0;
        while (copied < buffer.Length && _piece < pieces.Count)
        {
            ReadOnlyMemory<byte> rest = pieces[_piece][_offset..];
            int n = Math.Min(rest.Length, buffer.Length - copied);
            rest[..n].CopyTo(buffer[copied..]);
            copied += n;
            _offset += n;
            if (_offset == pieces[_piece].Length)
            {
                _piece++;
                _offset = 0;
            }
        }

        return ValueTask.FromResult(copied);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            released();
        }

        base.Dispose(disposing);
    }
}

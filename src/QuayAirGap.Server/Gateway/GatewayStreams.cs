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

/// <summary>What a decoder reads: the answer's bytes as they arrive, which stay held until it is let go.</summary>
internal sealed class ArrivingStream(HeldBody body, CancellationToken patience) : ForwardStream
{
    private int _position;
    private bool _isLetGo;

    /// <summary>Nothing is held any more, and nobody loses patience: what has been read is needed no more.</summary>
    public void LetGo()
    {
        body.Forget(_position);
        _isLetGo = true;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_isLetGo)
        {
            return await body.ReadOnAsync(buffer, cancellationToken);
        }

        if (_position == body.Held.Length && !await body.MoreAsync(buffer.Length, patience))
        {
            return 0;
        }

        int n = Math.Min(buffer.Length, body.Held.Length - _position);
        body.Held.Slice(_position, n).CopyTo(buffer);
        _position += n;
        return n;
    }
}

/// <summary>The answer as it came, in the end.</summary>
internal sealed class ReplayStream(HeldBody body) : ForwardStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => body.ReadOnAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
        }

        base.Dispose(disposing);
    }
}

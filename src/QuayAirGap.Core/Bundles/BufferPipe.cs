using System.Buffers;
using System.Threading.Channels;

namespace QuayAirGap.Core.Bundles;

/// <summary>A pooled buffer that travels between two stages; whoever takes it out gives it back.</summary>
/// <param name="Pieces">What of it is content, where a stage has found that out for the next.</param>
internal readonly record struct PipeBuffer(byte[] Array, int Length, IReadOnlyList<ContentPiece>? Pieces = null)
{
    public ReadOnlySpan<byte> Span => Array.AsSpan(0, Length);

    public static byte[] Rent() => ArrayPool<byte>.Shared.Rent(BundleFormat.BufferSize);

    public void Return() => ArrayPool<byte>.Shared.Return(Array);
}

/// <summary>A bounded pipe of buffers between two stages that run at the same time.</summary>
internal sealed class BufferPipe
{
    private readonly Channel<PipeBuffer> _channel = Channel.CreateBounded<PipeBuffer>(
        new BoundedChannelOptions(BundleFormat.PipeDepth) { SingleReader = true, SingleWriter = true });

    /// <summary>False: the next stage has stopped, and the buffer is given back.</summary>
    public async ValueTask<bool> WriteAsync(PipeBuffer buffer, CancellationToken cancellationToken)
    {
        try
        {
            await _channel.Writer.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ChannelClosedException)
        {
            buffer.Return();
            return false;
        }
        catch (OperationCanceledException)
        {
            buffer.Return();
            throw;
        }
    }

    public IAsyncEnumerable<PipeBuffer> ReadAllAsync(CancellationToken cancellationToken) => _channel.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Called by either side when it is done, for whatever reason.</summary>
    public void Close() => _channel.Writer.TryComplete();

    /// <summary>Called when both sides are done.</summary>
    public void Drain()
    {
        while (_channel.Reader.TryRead(out PipeBuffer buffer))
        {
            buffer.Return();
        }
    }
}

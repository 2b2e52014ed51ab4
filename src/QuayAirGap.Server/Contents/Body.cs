using QuayAirGap.Server.Http;

namespace QuayAirGap.Server.Contents;

/// <summary>The bytes of a resource.</summary>
internal abstract class Body : IDisposable
{
    public abstract long Length { get; }

    /// <summary>Sends a part that lies within the body.</summary>
    public abstract ValueTask WriteAsync(ResponseSink sink, long offset, long count);

    public abstract void Dispose();
}

/// <summary>Bytes that are in memory already.</summary>
internal sealed class MemoryBody(ReadOnlyMemory<byte> content) : Body
{
    public override long Length => content.Length;

    public override ValueTask WriteAsync(ResponseSink sink, long offset, long count) =>
        sink.WriteAsync(content.Slice(checked((int)offset), checked((int)count)));

    public override void Dispose()
    {
    }
}

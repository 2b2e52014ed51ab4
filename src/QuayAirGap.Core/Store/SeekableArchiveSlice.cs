using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Store;

/// <summary>The next so many bytes of a stream, read-only. Disposing it leaves the stream alone.</summary>
internal sealed class SeekableArchiveSlice(Stream inner, long length) : ReadOnlyStream
{
    private long _left = length;

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
        _left -= read;
        return read;
    }
}

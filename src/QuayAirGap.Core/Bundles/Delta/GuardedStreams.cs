using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>Passes on what is written, but never more than what is signed for.</summary>
internal sealed class LimitedStream(Stream inner, long limit) : WriteOnlyStream
{
    public long Written { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Written += buffer.Length;
        if (Written > limit)
        {
            throw new InvalidDataException($"it makes more than the {limit} bytes that are signed for");
        }

        inner.Write(buffer);
    }
}

/// <summary>Compares what is written with a file, and stops at the first difference.</summary>
internal sealed class ComparingStream(MappedFile expected, long from, long to) : WriteOnlyStream
{
    private long _at = from;

    /// <summary>Everything was written, and is the same.</summary>
    public bool IsSame => _at == to;

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > to - _at || !buffer.SequenceEqual(new ReadOnlySpan<byte>(expected.Pointer + _at, buffer.Length)))
        {
            throw new InvalidDataException("it is packed in another way");
        }

        _at += buffer.Length;
    }
}

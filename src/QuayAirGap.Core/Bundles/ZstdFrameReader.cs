using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Unpacks one zstd frame. The library's own stream passes silently from one frame to the next and over skippable ones; a layer is
/// exactly one.
/// </summary>
internal sealed unsafe class ZstdFrameReader : IDisposable
{
    private ZSTD_DCtx_s* _context;

    public ZstdFrameReader(int maxWindowLog)
    {
        _context = Methods.ZSTD_createDCtx();
        Check(Methods.ZSTD_DCtx_setParameter(_context, ZSTD_dParameter.ZSTD_d_windowLogMax, maxWindowLog));
    }

    /// <summary>The frame's last byte was read and everything in it was given out.</summary>
    public bool IsComplete { get; private set; }

    /// <exception cref="ZstdException">The frame is damaged, or its window is larger than allowed.</exception>
    public void Unpack(ReadOnlySpan<byte> source, Span<byte> destination, out int consumed, out int written)
    {
        ObjectDisposedException.ThrowIf(_context is null, this);
        fixed (byte* from = source)
        fixed (byte* to = destination)
        {
            var input = new ZSTD_inBuffer_s { src = from, size = (nuint)source.Length, pos = 0 };
            var output = new ZSTD_outBuffer_s { dst = to, size = (nuint)destination.Length, pos = 0 };
            nuint hint = Methods.ZSTD_decompressStream(_context, &output, &input);
            consumed = (int)input.pos;
            written = (int)output.pos;
            Check(hint);
            IsComplete = hint == 0;
        }
    }

    public void Dispose()
    {
        if (_context is not null)
        {
            _ = Methods.ZSTD_freeDCtx(_context);
            _context = null;
        }
    }

    private static void Check(nuint result)
    {
        if (Methods.ZSTD_isError(result))
        {
            throw new ZstdException(Methods.ZSTD_getErrorCode(result), Methods.ZSTD_getErrorName(result));
        }
    }
}

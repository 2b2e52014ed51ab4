using System.Numerics;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// One file as a zstd frame that refers back into another (the library's refPrefix; the same as the program's --patch-from). Both are
/// mapped, so that the tables of the compressor are all the private memory that it takes.
/// </summary>
internal static unsafe class ZstdPatch
{
    /// <summary>What a side may have, in bytes: the largest window then is 2 GiB, zstd's own limit.</summary>
    public const long MaxSize = 1L << 30;

    /// <summary>
    /// Up to this size the strongest level is worth its time: a year of the NVD (31 MB) takes some seconds and 150 MB more, and its patch, the largest of a day, is a
    /// sixth smaller.
    /// </summary>
    private const long SmallSize = 40L << 20;

    private const int StrongLevel = 19;
    private const int FastLevel = 9;
    private const int MinWindowLog = 10;
    private const int OutputSize = 1 << 17;

    /// <summary>ZSTD_c_stableInBuffer: the input is not copied into a window of its own.</summary>
    private const ZSTD_cParameter StableInput = ZSTD_cParameter.ZSTD_c_experimentalParam9;

    /// <summary>Writes the frame; false, and the output is of no use, where it would be longer than a limit.</summary>
    public static bool TryMake(MappedFile old, MappedFile content, Stream output, long limit, CancellationToken cancellationToken)
    {
        ZSTD_CCtx_s* context = Methods.ZSTD_createCCtx();
        byte[] buffer = new byte[OutputSize];
        try
        {
            long larger = Math.Max(old.Length, content.Length);
            Check(Methods.ZSTD_CCtx_setParameter(context, ZSTD_cParameter.ZSTD_c_compressionLevel, larger <= SmallSize ? StrongLevel : FastLevel));
            Check(Methods.ZSTD_CCtx_setParameter(context, ZSTD_cParameter.ZSTD_c_windowLog, WindowLog(old.Length, content.Length)));
            Check(Methods.ZSTD_CCtx_setParameter(context, ZSTD_cParameter.ZSTD_c_enableLongDistanceMatching, 1));
            Check(Methods.ZSTD_CCtx_setParameter(context, StableInput, 1));
            Check(Methods.ZSTD_CCtx_setPledgedSrcSize(context, (ulong)content.Length));
            Check(Methods.ZSTD_CCtx_refPrefix(context, old.Pointer, (nuint)old.Length));
            var input = new ZSTD_inBuffer_s { src = content.Pointer, size = (nuint)content.Length, pos = 0 };
            long written = 0;
            fixed (byte* to = buffer)
            {
                nuint left;
                do
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var part = new ZSTD_outBuffer_s { dst = to, size = OutputSize, pos = 0 };
                    left = Methods.ZSTD_compressStream2(context, &part, &input, ZSTD_EndDirective.ZSTD_e_end);
                    Check(left);
                    output.Write(buffer, 0, (int)part.pos);
                    written += (long)part.pos;
                    if (written > limit)
                    {
                        return false;
                    }
                }
                while (left != 0);
            }

            return true;
        }
        finally
        {
            _ = Methods.ZSTD_freeCCtx(context);
        }
    }

    /// <summary>
    /// Unpacks a frame into a file of exactly the size that is signed for. What the frame says of itself is compared before anything is
    /// unpacked; unpacked in one piece, it takes no window of its own.
    /// </summary>
    /// <exception cref="InvalidDataException">The frame is not one frame of that size, or is damaged.</exception>
    public static void Apply(MappedFile old, MappedFile patch, MappedFile output)
    {
        ZSTD_frameHeader frame;
        nuint status = Methods.ZSTD_getFrameHeader(&frame, patch.Pointer, (nuint)patch.Length);
        if (status != 0 || frame.frameType != ZSTD_frameType_e.ZSTD_frame || frame.dictID != 0)
        {
            throw new InvalidDataException("it is no patch");
        }

        if (frame.frameContentSize != (ulong)output.Length || frame.windowSize > 1UL << WindowLog(old.Length, output.Length))
        {
            throw new InvalidDataException($"it makes {frame.frameContentSize} bytes within a window of {frame.windowSize}, where {output.Length} are signed for");
        }

        nuint length = Methods.ZSTD_findFrameCompressedSize(patch.Pointer, (nuint)patch.Length);
        if (Methods.ZSTD_isError(length) || length != (nuint)patch.Length)
        {
            throw new InvalidDataException("it is not exactly one frame");
        }

        ZSTD_DCtx_s* context = Methods.ZSTD_createDCtx();
        try
        {
            Check(Methods.ZSTD_DCtx_refPrefix(context, old.Pointer, (nuint)old.Length));
            nuint written = Methods.ZSTD_decompressDCtx(context, output.Pointer, (nuint)output.Length, patch.Pointer, (nuint)patch.Length);
            Check(written);
            if (written != (nuint)output.Length)
            {
                throw new InvalidDataException($"it makes {written} bytes, where {output.Length} are signed for");
            }
        }
        catch (ZstdException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
        finally
        {
            _ = Methods.ZSTD_freeDCtx(context);
        }
    }

    /// <summary>Both files must lie within the window: with a smaller one a patch is as long as the file.</summary>
    private static int WindowLog(long old, long content) => Math.Max(MinWindowLog, BitOperations.Log2((ulong)Math.Max(old, content)) + 1);

    private static void Check(nuint result)
    {
        if (Methods.ZSTD_isError(result))
        {
            throw new ZstdException(Methods.ZSTD_getErrorCode(result), Methods.ZSTD_getErrorName(result));
        }
    }
}

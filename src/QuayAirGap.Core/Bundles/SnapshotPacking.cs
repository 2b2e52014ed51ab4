using QuayAirGap.Core.Snapshots;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// The snapshot as it travels: one zstd frame. It is packed for its size alone, in a daily delta it would be a fifth of all bytes; what is signed, and
/// what its SHA-256 is taken of, is the document itself. It is unpacked before anybody's signature was checked, so the unpacked size is bounded by what a
/// document may have, and the window by what any reader of a bundle grants.
/// </summary>
internal static class SnapshotPacking
{
    /// <summary>Documents up to this size are worth the strongest level; it takes about a second for each 2 MiB.</summary>
    private const int SmallSize = 4 * 1024 * 1024;

    public static byte[] Pack(ReadOnlySpan<byte> document)
    {
        using var compressor = new Compressor(document.Length <= SmallSize ? BundleFormat.DeltaCompressionLevel : BundleFormat.CompressionLevel);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 0);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, BundleFormat.MaxWindowLog);
        return compressor.Wrap(document).ToArray();
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.BundleLimit"/>, <see cref="ErrorIds.BundleTruncated"/>,
    /// <see cref="ErrorIds.BundleExtraContent"/> or <see cref="ErrorIds.BundleInvalid"/></exception>
    public static byte[] Unpack(string path, ReadOnlySpan<byte> packed)
    {
        try
        {
            using var frame = new ZstdFrameReader(BundleFormat.MaxWindowLog);
            using var document = new MemoryStream(Math.Min(packed.Length * 4, SnapshotDocument.MaxBytes));
            byte[] buffer = new byte[1 << 16];
            for (bool full = true; !frame.IsComplete && (packed.Length > 0 || full);)
            {
                frame.Unpack(packed, buffer, out int consumed, out int written);
                packed = packed[consumed..];
                full = written == buffer.Length;
                if (document.Length + written > SnapshotDocument.MaxBytes)
                {
                    throw BundleErrors.Limit(path, $"its snapshot unpacks to more than {SnapshotDocument.MaxBytes} bytes");
                }

                document.Write(buffer, 0, written);
            }

            return !frame.IsComplete ? throw BundleErrors.Truncated(path, "its compressed snapshot ends too early")
                : packed.Length > 0 ? throw BundleErrors.Extra(path, "something follows its compressed snapshot")
                : document.ToArray();
        }
        catch (ZstdException e)
        {
            throw e.Code == ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge
                ? BundleErrors.Limit(path, $"its snapshot is compressed with a window of more than {1 << BundleFormat.MaxWindowLog} bytes")
                : BundleErrors.Invalid(path, $"its snapshot cannot be unpacked ({e.Message})", e);
        }
    }
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Sources.Gzip;

/// <summary>
/// Unpacks a gzip file (RFC 1952, one member, as every upstream writes it) to its end, within limits, and hashes what comes out.
/// .NET takes a file for whole that breaks off between two blocks or within its trailer; this does not.
/// </summary>
internal sealed class GunzipStream : ReadOnlyStream
{
    private const int TrailerSize = 8;
    private const int SmallestFile = 18;

    private readonly Stream _packed;
    private readonly GZipStream _gzip;
    private readonly GzipLimits _limits;
    private readonly IncrementalHash _hash;
    private long _length;
    private bool _isAtEnd;

    /// <param name="packed">Seekable; disposed with this stream.</param>
    /// <param name="limits">What is refused while it is read.</param>
    /// <param name="algorithm">Of <see cref="Hash"/>.</param>
    public GunzipStream(Stream packed, GzipLimits limits, HashAlgorithmName algorithm)
    {
        _packed = packed;
        _limits = limits;
        _gzip = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
        _hash = IncrementalHash.CreateHash(algorithm);
    }

    /// <summary>Unpacked bytes so far.</summary>
    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>Looks at the first bytes alone, which tell a page in a file's place from a file that broke off.</summary>
    /// <param name="packed">Disposed.</param>
    /// <exception cref="InvalidDataException">It is no gzip file at all.</exception>
    public static void ThrowUnlessGzip(Stream packed)
    {
        using (packed)
        {
            if (packed.ReadByte() != 0x1F || packed.ReadByte() != 0x8B)
            {
                throw new InvalidDataException("it is no gzip file");
            }
        }
    }

    /// <summary>Reads what is left, and gives the hash of everything unpacked.</summary>
    /// <exception cref="InvalidDataException">As for reading.</exception>
    public byte[] Hash()
    {
        byte[] buffer = new byte[64 << 10];
        while (Read(buffer) > 0)
        {
        }

        return _hash.GetCurrentHash();
    }

    /// <exception cref="InvalidDataException">It is no gzip file, is damaged or cut short, or exceeds a limit.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (_isAtEnd || buffer.IsEmpty)
        {
            return 0;
        }

        int n = _gzip.Read(buffer);
        if (n == 0)
        {
            _isAtEnd = true;
            ThrowUnlessWhole();
            return 0;
        }

        _hash.AppendData(buffer[..n]);
        _length += n;
        if (_length > _limits.Size || (_length > _limits.FreeSize && _length / _limits.Ratio > _packed.Length))
        {
            throw new InvalidDataException($"it unpacks to more than {_length - n} bytes out of {_packed.Length}, which no honest feed does");
        }

        return n;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gzip.Dispose();
            _packed.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The checksum in the trailer is compared by the decoder, where it gets to see it; the length is compared here.</summary>
    private void ThrowUnlessWhole()
    {
        if (_packed.Length >= SmallestFile)
        {
            Span<byte> trailer = stackalloc byte[TrailerSize];
            _packed.Position = _packed.Length - TrailerSize;
            _packed.ReadExactly(trailer);
            if (BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) == (uint)_length)
            {
                return;
            }
        }

        throw new InvalidDataException($"it is cut short, or goes on behind its end: {_length} bytes came out, and its trailer does not say so");
    }
}

/// <summary>What an honest gzip file of a feed never reaches.</summary>
/// <param name="Size">Unpacked bytes.</param>
/// <param name="Ratio">Unpacked against packed. Feeds reach 4 to 15; deflate allows 1,032.</param>
/// <param name="FreeSize">Unpacked bytes that a file may have whatever the ratio.</param>
internal sealed record GzipLimits(long Size, int Ratio, long FreeSize)
{
    public static GzipLimits Default { get; } = new(2L << 30, 100, 16 << 20);
}

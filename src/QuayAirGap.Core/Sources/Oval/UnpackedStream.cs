using System.Security.Cryptography;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;
using QuayAirGap.Core.Sources.Gzip;

namespace QuayAirGap.Core.Sources.Oval;

/// <summary>
/// The unpacked bytes of a document, to the very end of the packed file, checksums and all: Go's readers, which Clair unpacks with,
/// refuse a file that ends early or goes on with anything but another packed stream. Every defect is an <see cref="InvalidDataException"/>.
/// </summary>
internal sealed class UnpackedStream : Stream
{
    /// <summary>The limits are this stream's, whatever the packing.</summary>
    private static readonly GzipLimits s_anySize = new(long.MaxValue, int.MaxValue, long.MaxValue);

    private readonly BufferedStream _packed;
    private readonly OvalPacking _packing;
    private readonly OvalLimits _limits;
    private readonly CancellationToken _cancellationToken;
    private Stream? _current;
    private long _length;
    private long _mark;

    /// <param name="packed">Seekable; disposed with this.</param>
    public UnpackedStream(Stream packed, OvalPacking packing, OvalLimits limits, CancellationToken cancellationToken)
    {
        _packed = new BufferedStream(packed, 1 << 16);
        _packing = packing;
        _limits = limits;
        _cancellationToken = cancellationToken;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>The reader has got on to another node.</summary>
    public void Mark() => _mark = _length;

    public override int Read(byte[] buffer, int offset, int count)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        int n = ReadUnpacked(buffer, offset, count);
        _length += n;
        if (_length > _limits.Unpacked || (_length > _limits.Free && _length / _limits.Ratio > _packed.Length))
        {
            throw new InvalidDataException($"{_packed.Length} bytes unpack to more than {_length >> 20} MiB, far more than advisories do");
        }

        return _length - _mark <= _limits.Node ? n : throw new InvalidDataException($"it has a tag or text of more than {_limits.Node >> 20} MiB");
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _current?.Dispose();
            _packed.Dispose();
        }

        base.Dispose(disposing);
    }

    private int ReadUnpacked(byte[] buffer, int offset, int count)
    {
        if (_packing == OvalPacking.None)
        {
            return _packed.Read(buffer, offset, count);
        }

        try
        {
            while (true)
            {
                _current ??= OpenNext();
                int n = _current.Read(buffer, offset, count);
                if (n > 0)
                {
                    return n;
                }

                // A gzip file has looked at its own end.
                if (_packing == OvalPacking.Gzip)
                {
                    return 0;
                }

                // Parallel packers write several streams, one after the other.
                if (_packed.Position == _packed.Length)
                {
                    return 0;
                }

                _current.Dispose();
                _current = null;
            }
        }
        catch (Exception e) when (e is SharpZipBaseException or EndOfStreamException or IndexOutOfRangeException or ArithmeticException)
        {
            throw new InvalidDataException($"it is no whole bzip2 file: {e.Message.TrimEnd('.')}", e);
        }
    }

    private Stream OpenNext()
    {
        if (_packing == OvalPacking.Gzip)
        {
            return new GunzipStream(_packed, s_anySize, HashAlgorithmName.SHA256);
        }

        // The library takes anything that does not begin like this for an empty stream.
        Span<byte> magic = stackalloc byte[4];
        int n = _packed.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        if (n < magic.Length || !magic[..3].SequenceEqual("BZh"u8) || magic[3] is < (byte)'1' or > (byte)'9')
        {
            throw new InvalidDataException("it is not packed with bzip2");
        }

        _packed.Position -= magic.Length;
        return new BZip2InputStream(_packed) { IsStreamOwner = false };
    }
}

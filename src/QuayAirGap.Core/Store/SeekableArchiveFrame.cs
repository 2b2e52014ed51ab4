using System.Security.Cryptography;
using System.Text;
using ZstdSharp;

namespace QuayAirGap.Core.Store;

/// <summary>
/// The documents of one frame, unpacked and in memory. One thread fills it; any other hashes and compresses it, since frames do not depend
/// on each other. Its buffers are used again.
/// </summary>
internal sealed class SeekableArchiveFrame
{
    private const int FirstSize = 1 << 20;

    private readonly List<(SeekableArchiveDocument Document, int Skip)> _documents = [];
    private byte[] _tar = new byte[FirstSize];
    private byte[] _packed = [];
    private int _packedLength;

    /// <summary>Bytes of the tar so far.</summary>
    public int Length { get; private set; }

    public IReadOnlyList<(SeekableArchiveDocument Document, int Skip)> Documents => _documents;

    public ReadOnlySpan<byte> Packed => _packed.AsSpan(0, _packedLength);

    /// <summary>Whether a document belongs into this frame, where it is not the first.</summary>
    public bool Takes(SeekableArchiveDocument document) =>
        Length == 0 || (Length + SeekableArchive.SizeInTar(document.Size) <= SeekableArchive.MaxFrameSize && !SeekableArchive.StartsFrame(document.Path));

    /// <param name="document">No larger than a frame.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/>: the content has another size.</exception>
    public void Add(SeekableArchiveDocument document, Stream content)
    {
        int end = Length + (int)SeekableArchive.SizeInTar(document.Size);
        if (end > _tar.Length)
        {
            Array.Resize(ref _tar, Math.Max(end, _tar.Length * 2));
        }

        WriteHeader(document, _tar.AsSpan(Length, SeekableArchive.BlockSize));
        int start = Length + SeekableArchive.BlockSize;
        Span<byte> place = _tar.AsSpan(start, (int)document.Size);
        if (content.ReadAtLeast(place, place.Length, throwOnEndOfStream: false) != place.Length || content.ReadByte() >= 0)
        {
            throw SeekableArchive.Damaged(document.Path);
        }

        _tar.AsSpan(start + place.Length, end - start - place.Length).Clear();
        _documents.Add((document, start));
        Length = end;
    }

    /// <summary>Holds each document against its digest, or finds it, and compresses all of them.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/></exception>
    public void Pack(Compressor compressor)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        foreach ((SeekableArchiveDocument document, int skip) in _documents)
        {
            SHA256.HashData(_tar.AsSpan(skip, (int)document.Size), digest);
            document.Found(SeekableArchiveDigest.Of(digest));
        }

        int bound = Compressor.GetCompressBound(Length);
        if (_packed.Length < bound)
        {
            _packed = new byte[bound];
        }

        _packedLength = compressor.Wrap(_tar.AsSpan(0, Length), _packed);
    }

    /// <summary>Makes it empty.</summary>
    public void Reset()
    {
        _documents.Clear();
        Length = 0;
    }

    /// <summary>
    /// A plain ustar header (POSIX.1-2017, pax, "ustar Interchange Format"). Owner, mode and time are the same for all documents: a
    /// document whose stamp moved while its content did not must not change its frame.
    /// </summary>
    public static void WriteHeader(SeekableArchiveDocument document, Span<byte> header)
    {
        if (document.Path.Length > 100 || !Ascii.IsValid(document.Path) || document.Size is < 0 or > SeekableArchive.MaxDocumentSize)
        {
            throw new ArgumentException($"'{document.Path}' with {document.Size} bytes does not fit into the archive.");
        }

        header.Clear();
        Encoding.ASCII.GetBytes(document.Path, header);
        "0000644\0"u8.CopyTo(header[100..]);
        "0000000\0"u8.CopyTo(header[108..]);
        "0000000\0"u8.CopyTo(header[116..]);
        Octal(document.Size, header.Slice(124, 11));
        "00000000000\0"u8.CopyTo(header[136..]);
        header.Slice(148, 8).Fill((byte)' ');
        header[156] = (byte)'0';
        "ustar\0"u8.CopyTo(header[257..]);
        "00"u8.CopyTo(header[263..]);
        "0000000\0"u8.CopyTo(header[329..]);
        "0000000\0"u8.CopyTo(header[337..]);
        int sum = 0;
        foreach (byte b in header)
        {
            sum += b;
        }

        Octal(sum, header.Slice(148, 6));
        header[154] = 0;

        static void Octal(long value, Span<byte> field)
        {
            for (int i = field.Length - 1; i >= 0; i--)
            {
                field[i] = (byte)('0' + (value & 7));
                value >>= 3;
            }
        }
    }
}

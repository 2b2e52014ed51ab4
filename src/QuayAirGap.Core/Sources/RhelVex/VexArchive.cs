using System.Buffers;
using System.Text;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Streams;
using ZstdSharp;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// Upstream's archive, read forward once: zstd around a tar of "year/document.json". It takes what Clair takes (claircore
/// rhel/vex/fetcher.go) and refuses whatever else a tar can say: links, devices, other paths, a path twice, endless content. A tar that
/// stops without its end mark is refused too; Clair would take the half that is there for the whole.
/// </summary>
internal sealed class VexArchive : IDisposable
{
    /// <summary>Well above what is published (about 300,000 documents); a bomb is stopped long before the disk or the day is full.</summary>
    private const int MaxEntries = 2_000_000;

    private const long MaxTotalSize = 1L << 40;

    private const int MaxExtension = 64 << 10;

    private readonly Stream _file;
    private readonly DecompressionStream _unpacked;
    private readonly Guarded _tar;
    private readonly string _url;
    private readonly int _maxEntries;
    private readonly long _maxTotalSize;
    private readonly byte[] _block = new byte[512];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private SeekableArchiveSlice? _content;
    private long _contentSize;
    private string? _extendedPath;
    private int _entries;
    private long _total;

    /// <param name="file">The archive; disposed with this.</param>
    /// <param name="url">Where it was had from, for errors.</param>
    /// <param name="maxEntries">Entries of whatever kind.</param>
    /// <param name="maxTotalSize">Bytes of all entries' content.</param>
    public VexArchive(Stream file, string url, int maxEntries = MaxEntries, long maxTotalSize = MaxTotalSize)
    {
        _maxEntries = maxEntries;
        _maxTotalSize = maxTotalSize;
        _file = file;
        _url = url;
        _unpacked = new DecompressionStream(file, 128 << 10);
        _tar = new Guarded(this);
    }

    /// <summary>The current document's path.</summary>
    public string Path { get; private set; } = "";

    /// <summary>Bytes of the current document.</summary>
    public long Size => _contentSize;

    /// <summary>The current document's bytes; good until the next <see cref="MoveNext"/>.</summary>
    public Stream Content => _content ?? throw new InvalidOperationException();

    /// <summary>Goes to the next document, over what is left of the current one.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamContent"/></exception>
    public bool MoveNext()
    {
        try
        {
            return MoveNextCore();
        }
        catch (Exception e) when (e is ZstdException or EndOfStreamException or InvalidDataException)
        {
            throw Refuse(e.Message, e);
        }
    }

    public void Dispose()
    {
        _unpacked.Dispose();
        _file.Dispose();
    }

    public FeedException Refuse(string what, Exception? cause = null) => new(
        ErrorIds.UpstreamContent, $"The archive '{_url}' is not what it should be: {what.TrimEnd('.')}.", _url,
        "The upstream, or a cache before it, delivers a broken archive; try again later.", cause);

    private bool MoveNextCore()
    {
        while (true)
        {
            SkipContent();
            _tar.ReadExactly(_block);
            if (_block.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            {
                Drain();
                return false;
            }

            (char type, long size) = ReadHeader();
            if (++_entries > _maxEntries || (_total += size) > _maxTotalSize)
            {
                throw new InvalidDataException($"it unpacks to more than {_maxEntries} entries or {_maxTotalSize} bytes");
            }

            _contentSize = size;
            _content = new SeekableArchiveSlice(_tar, size);
            switch (type)
            {
                case '0' or '\0':
                    Path = _extendedPath ?? ReadName();
                    _extendedPath = null;
                    if (Path.StartsWith("./", StringComparison.Ordinal))
                    {
                        Path = Path[2..];
                    }

                    if (!VexPath.IsSafe(Path))
                    {
                        throw new InvalidDataException($"it holds '{Path}', which is not a document's path");
                    }

                    if (!_seen.Add(Path))
                    {
                        throw new InvalidDataException($"it holds '{Path}' twice");
                    }

                    if (size > SeekableArchive.MaxDocumentSize)
                    {
                        throw new InvalidDataException($"'{Path}' has {size} bytes; {SeekableArchive.MaxDocumentSize} are allowed");
                    }

                    return true;
                case '5' when size == 0:
                    _extendedPath = null;
                    break;
                case 'x' or 'g':
                    ReadExtension(size, type == 'x');
                    break;
                default:
                    throw new InvalidDataException($"'{ReadName()}' is neither a file nor a folder (tar type '{type}')");
            }
        }
    }

    private (char Type, long Size) ReadHeader()
    {
        int sum = 0;
        for (int i = 0; i < _block.Length; i++)
        {
            sum += i is >= 148 and < 156 ? ' ' : _block[i];
        }

        return Octal(148, 8) == sum ? ((char)_block[156], Octal(124, 12)) : throw new InvalidDataException("a header within its tar is damaged");
    }

    private string ReadName()
    {
        string name = Text(0, 100);
        bool ustar = _block.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        return ustar && _block[345] != 0 ? Text(345, 155) + "/" + name : name;

        string Text(int start, int length)
        {
            ReadOnlySpan<byte> field = _block.AsSpan(start, length);
            int end = field.IndexOf((byte)0);
            return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
        }
    }

    private long Octal(int start, int length)
    {
        ReadOnlySpan<byte> field = _block.AsSpan(start, length).Trim(" \0"u8);
        long value = 0;
        foreach (byte b in field)
        {
            if (b is < (byte)'0' or > (byte)'7')
            {
                throw new InvalidDataException("a number within its tar cannot be read");
            }

            value = (value * 8) + (b - '0');
        }

        return value;
    }

    /// <summary>
    /// An extended header may name the next file (some writers repeat the name in it always), and carry times and owners. One that
    /// changes how long a file is has no business here.
    /// </summary>
    private void ReadExtension(long size, bool local)
    {
        if (size > MaxExtension)
        {
            throw new InvalidDataException($"an extended header of {size} bytes");
        }

        byte[] extension = new byte[size];
        Content.ReadExactly(extension);
        ReadOnlySpan<byte> rest = extension;
        while (!rest.IsEmpty)
        {
            // "<length> <key>=<value>\n", where the length counts itself
            int space = rest.IndexOf((byte)' ');
            if (space <= 0 || !System.Buffers.Text.Utf8Parser.TryParse(rest[..space], out int length, out int used) || used != space
                || length <= space + 1 || length > rest.Length || rest[length - 1] != (byte)'\n')
            {
                throw new InvalidDataException("an extended header cannot be read");
            }

            ReadOnlySpan<byte> record = rest[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            string key = Encoding.Latin1.GetString(equals < 0 ? record : record[..equals]);
            if (key == "path" && local)
            {
                _extendedPath = Encoding.Latin1.GetString(record[(equals + 1)..]);
            }
            else if (key is "path" or "size" or "linkpath" || key.StartsWith("GNU.sparse", StringComparison.Ordinal))
            {
                throw new InvalidDataException($"an extended header sets '{key}'");
            }

            rest = rest[length..];
        }
    }

    private void SkipContent()
    {
        if (_content is null)
        {
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            while (_content.Read(buffer) > 0)
            {
            }

            int padding = (int)(-_contentSize & 511);
            _tar.ReadExactly(buffer, 0, padding);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _content = null;
    }

    /// <summary>Reads what follows the end mark, so that a cut or altered end of the compressed stream is noticed.</summary>
    private void Drain()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            int read;
            while ((read = _unpacked.Read(buffer)) > 0)
            {
                if (buffer.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0)
                {
                    throw new InvalidDataException("something follows its end mark");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The tar. Whoever reads a document out of it learns of damage in the archive's own words.</summary>
    private sealed class Guarded(VexArchive archive) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            try
            {
                int read = archive._unpacked.Read(buffer);
                return read > 0 || buffer.IsEmpty ? read : throw new EndOfStreamException("it ends too early");
            }
            catch (Exception e) when (e is ZstdException or EndOfStreamException)
            {
                throw archive.Refuse(e.Message, e);
            }
        }
    }
}

using System.Security.Cryptography;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Takes the tar of a source's layer in pieces and compares it with what the signed snapshot says must be in it: these contents, in this
/// order, and not a byte else.
/// </summary>
internal sealed class LayerUnpacker(string source, IReadOnlyList<LayerEntry> entries) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _header = new byte[UstarHeader.BlockSize];
    private readonly byte[] _expected = new byte[UstarHeader.BlockSize];
    private int _headerFilled;
    private int _entry;
    private bool _inContent;
    private long _contentLeft;
    private int _paddingLeft;
    private int _endLeft = SourceLayer.EndSize;

    /// <summary>Bytes of content compared so far.</summary>
    public long Done { get; private set; }

    /// <param name="tar">What comes next.</param>
    /// <param name="pieces">Told which parts of it are content, or null. A content's last piece is told when its digest is right.</param>
    /// <exception cref="FeedException">What the tar holds is not what it must.</exception>
    public void Feed(ReadOnlySpan<byte> tar, ICollection<ContentPiece>? pieces)
    {
        int length = tar.Length;
        while (tar.Length > 0)
        {
            int taken = _inContent ? FeedContent(tar, length - tar.Length, pieces)
                : _paddingLeft > 0 ? FeedPadding(tar)
                : _entry < entries.Count ? FeedHeader(tar, pieces)
                : FeedEnd(tar);
            tar = tar[taken..];
        }
    }

    /// <summary>Says that there is no more.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleTruncated"/> or <see cref="ErrorIds.BundleMissingContent"/></exception>
    public void Complete()
    {
        if (_entry < entries.Count)
        {
            throw _inContent
                ? BundleErrors.Truncated(source, $"source '{source}' ends within the content of '{entries[_entry].Url}'")
                : BundleErrors.Missing(source, $"source '{source}' lacks the content of '{entries[_entry].Url}'");
        }

        if (_endLeft > 0)
        {
            throw BundleErrors.Truncated(source, $"source '{source}' ends before its end mark");
        }
    }

    public void Dispose() => _hash.Dispose();

    private int FeedHeader(ReadOnlySpan<byte> tar, ICollection<ContentPiece>? pieces)
    {
        int count = Math.Min(tar.Length, UstarHeader.BlockSize - _headerFilled);
        tar[..count].CopyTo(_header.AsSpan(_headerFilled));
        _headerFilled += count;
        if (_headerFilled == UstarHeader.BlockSize)
        {
            _headerFilled = 0;
            LayerEntry entry = entries[_entry];
            SourceLayer.FormatHeader(_expected, entry);
            if (!_header.AsSpan().SequenceEqual(_expected))
            {
                throw Explain(entry);
            }

            _inContent = true;
            _contentLeft = entry.Size;
            _paddingLeft = UstarHeader.Padding(entry.Size);
            if (_contentLeft == 0)
            {
                FinishContent();
                pieces?.Add(new ContentPiece(entry, 0, 0, IsLast: true));
            }
        }

        return count;
    }

    private int FeedContent(ReadOnlySpan<byte> tar, int at, ICollection<ContentPiece>? pieces)
    {
        LayerEntry entry = entries[_entry];
        int count = (int)Math.Min(tar.Length, _contentLeft);
        _hash.AppendData(tar[..count]);
        _contentLeft -= count;
        Done += count;
        if (_contentLeft == 0)
        {
            FinishContent();
        }

        pieces?.Add(new ContentPiece(entry, at, count, IsLast: !_inContent));
        return count;
    }

    private void FinishContent()
    {
        LayerEntry entry = entries[_entry];
        if (Sha256Digest.ToText(_hash.GetHashAndReset()) != entry.Sha256)
        {
            throw BundleErrors.Altered(source, $"the content of '{entry.Url}' (source '{source}') has another SHA-256 than its signed snapshot says");
        }

        _inContent = false;
        _entry++;
    }

    private int FeedPadding(ReadOnlySpan<byte> tar)
    {
        int count = Math.Min(tar.Length, _paddingLeft);
        if (tar[..count].ContainsAnyExcept((byte)0))
        {
            throw BundleErrors.Extra(source, $"there is something behind the content of '{entries[_entry - 1].Url}' (source '{source}')");
        }

        _paddingLeft -= count;
        return count;
    }

    private int FeedEnd(ReadOnlySpan<byte> tar)
    {
        int count = Math.Min(tar.Length, _endLeft);
        if (count == 0 || tar[..count].ContainsAnyExcept((byte)0))
        {
            throw BundleErrors.Extra(source, $"there is something behind the last content of source '{source}'");
        }

        _endLeft -= count;
        return count;
    }

    /// <summary>Why a header is another than it must be.</summary>
    private FeedException Explain(LayerEntry expected)
    {
        if (!_header.AsSpan().ContainsAnyExcept((byte)0))
        {
            return BundleErrors.Missing(source, $"source '{source}' lacks the content of '{expected.Url}'");
        }

        UstarHeader found;
        try
        {
            found = UstarHeader.Parse(_header);
        }
        catch (FormatException e)
        {
            return BundleErrors.Inconsistent(source, $"source '{source}': {e.Message}");
        }

        if (UstarHeader.IsLink(found.Type))
        {
            return BundleErrors.Link(source, $"'{found.Name}' (source '{source}')");
        }

        if (UstarHeader.Escapes(found.Name))
        {
            return BundleErrors.Escape(source, $"'{found.Name}' (source '{source}')");
        }

        if (found.Name != SourceLayer.NameOf(expected.Sha256))
        {
            return entries.Skip(_entry).Any(e => SourceLayer.NameOf(e.Sha256) == found.Name)
                ? BundleErrors.Missing(source, $"source '{source}' lacks the content of '{expected.Url}', or has it in the wrong place")
                : BundleErrors.Extra(source, $"source '{source}' has '{found.Name}', which its snapshot does not name");
        }

        return found.Size > expected.Size
            ? BundleErrors.Limit(source, $"the content of '{expected.Url}' (source '{source}') has {found.Size} bytes; its snapshot says {expected.Size}")
            : found.Size < expected.Size
            ? BundleErrors.Truncated(source, $"the content of '{expected.Url}' (source '{source}') has {found.Size} of {expected.Size} bytes")
            : BundleErrors.Inconsistent(source, $"source '{source}': the entry of '{expected.Url}' is not written as it must be");
    }
}

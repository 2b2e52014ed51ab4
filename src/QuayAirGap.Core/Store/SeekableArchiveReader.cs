using ZstdSharp;

namespace QuayAirGap.Core.Store;

/// <summary>An archive that is there already, out of which frames are copied as they are and documents are read in order.</summary>
internal sealed class SeekableArchiveReader : IDisposable
{
    private readonly SeekableArchivePlace[] _places;
    private readonly Func<Stream> _open;
    private readonly int[] _order;
    private readonly int[] _rank;

    private Stream? _frames;
    private Stream? _documents;
    private DecompressionStream? _frame;
    private long _frameOffset = -1;
    private long _position;

    /// <param name="places">In any order; no path twice. Sorted by path when this returns.</param>
    /// <param name="open">
    /// Opens the archive's bytes, seekable; called when they are needed first, and twice, since frames and documents are read side by side.
    /// </param>
    public SeekableArchiveReader(SeekableArchivePlace[] places, Func<Stream> open)
    {
        _places = places;
        _open = open;
        Array.Sort(_places, static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        _order = [.. Enumerable.Range(0, places.Length)];
        Array.Sort(_order, (a, b) => (places[a].FrameOffset, places[a].Skip).CompareTo((places[b].FrameOffset, places[b].Skip)));
        _rank = new int[places.Length];
        for (int i = 0; i < _order.Length; i++)
        {
            _rank[_order[i]] = i;
        }
    }

    /// <summary>Where the document of that path with that digest is, or null.</summary>
    public SeekableArchivePlace? Find(string path, in SeekableArchiveDigest digest)
    {
        int i = IndexOf(path);
        return i >= 0 && _places[i].Digest == digest ? _places[i] : null;
    }

    /// <summary>The places within a frame that holds exactly these documents in this order, or null.</summary>
    public SeekableArchivePlace[]? FindFrame(ReadOnlySpan<SeekableArchiveDocument> documents)
    {
        int first = IndexOf(documents[0].Path);
        if (first < 0)
        {
            return null;
        }

        int start = _rank[first];
        long offset = _places[first].FrameOffset;
        if (OffsetAt(start - 1) == offset || OffsetAt(start + documents.Length) == offset || start + documents.Length > _order.Length)
        {
            return null;
        }

        var frame = new SeekableArchivePlace[documents.Length];
        for (int i = 0; i < frame.Length; i++)
        {
            frame[i] = _places[_order[start + i]];
            if (frame[i].FrameOffset != offset || frame[i].Path != documents[i].Path || frame[i].Digest != documents[i].Digest)
            {
                return null;
            }
        }

        return frame;
    }

    /// <summary>The compressed bytes of a frame.</summary>
    public Stream OpenFrame(in SeekableArchivePlace place)
    {
        _frames ??= _open();
        _frames.Position = place.FrameOffset;
        return new SeekableArchiveSlice(_frames, place.FrameLength);
    }

    /// <summary>A document's bytes, good until the next call. Asking in the archive's order unpacks each frame once.</summary>
    public Stream OpenDocument(in SeekableArchivePlace place)
    {
        if (_frame is null || _frameOffset != place.FrameOffset || _position > place.Skip)
        {
            _frame?.Dispose();
            _documents ??= _open();
            _documents.Position = place.FrameOffset;
            _frame = new DecompressionStream(new SeekableArchiveSlice(_documents, place.FrameLength));
            _frameOffset = place.FrameOffset;
            _position = 0;
        }

        SeekableArchive.Skip(_frame, place.Skip - _position);

        // The writer reads it to its end or gives up altogether.
        _position = place.Skip + place.Size;
        return new SeekableArchiveSlice(_frame, place.Size);
    }

    public void Dispose()
    {
        _frame?.Dispose();
        _frames?.Dispose();
        _documents?.Dispose();
    }

    private long OffsetAt(int rank) => rank >= 0 && rank < _order.Length ? _places[_order[rank]].FrameOffset : -1;

    private int IndexOf(string path)
    {
        int low = 0;
        int high = _places.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = string.CompareOrdinal(_places[middle].Path, path);
            if (order == 0)
            {
                return middle;
            }

            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return -1;
    }
}

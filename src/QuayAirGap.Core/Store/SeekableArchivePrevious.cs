using QuayAirGap.Core.Publishing;
using ZstdSharp;

namespace QuayAirGap.Core.Store;

/// <summary>An archive written earlier, out of which frames are copied as they are and documents are read in order.</summary>
internal sealed class SeekableArchivePrevious : IDisposable
{
    private readonly IReadOnlyList<ArchiveMember> _members;
    private readonly Stream _frames;
    private readonly Stream _documents;
    private readonly int[] _order;
    private readonly int[] _rank;

    private DecompressionStream? _frame;
    private long _frameOffset = -1;
    private long _position;

    /// <param name="members">Ordered by path, ordinal.</param>
    /// <param name="open">Opens the archive's bytes, seekable; called twice, since frames and documents are read side by side.</param>
    public SeekableArchivePrevious(IReadOnlyList<ArchiveMember> members, Func<Stream> open)
    {
        _members = members;
        _order = [.. Enumerable.Range(0, members.Count)];
        Array.Sort(_order, (a, b) => (members[a].FrameOffset, members[a].Skip).CompareTo((members[b].FrameOffset, members[b].Skip)));
        _rank = new int[members.Count];
        for (int i = 0; i < _order.Length; i++)
        {
            _rank[_order[i]] = i;
        }

        _frames = open();
        _documents = open();
    }

    /// <summary>The document of that path with that digest, or null.</summary>
    public ArchiveMember? Find(string path, in SeekableArchiveDigest digest)
    {
        int i = IndexOf(path);
        return i >= 0 && SeekableArchiveDigest.Parse(_members[i].Sha256) == digest ? _members[i] : null;
    }

    /// <summary>The members of a frame that holds exactly these documents in this order, or null.</summary>
    public IReadOnlyList<ArchiveMember>? FindFrame(ReadOnlySpan<SeekableArchiveDocument> documents)
    {
        int first = IndexOf(documents[0].Path);
        if (first < 0)
        {
            return null;
        }

        int start = _rank[first];
        long offset = _members[first].FrameOffset;
        if (OffsetAt(start - 1) == offset || OffsetAt(start + documents.Length) == offset || start + documents.Length > _order.Length)
        {
            return null;
        }

        var frame = new ArchiveMember[documents.Length];
        for (int i = 0; i < frame.Length; i++)
        {
            frame[i] = _members[_order[start + i]];
            if (frame[i].FrameOffset != offset || frame[i].Path != documents[i].Path
                || SeekableArchiveDigest.Parse(frame[i].Sha256) != documents[i].Digest)
            {
                return null;
            }
        }

        return frame;
    }

    /// <summary>The compressed bytes of a frame.</summary>
    public Stream OpenFrame(ArchiveMember member)
    {
        _frames.Position = member.FrameOffset;
        return new SeekableArchiveSlice(_frames, member.FrameLength);
    }

    /// <summary>A document's bytes, good until the next call. Asking in the archive's order unpacks each frame once.</summary>
    public Stream OpenDocument(ArchiveMember member)
    {
        if (_frame is null || _frameOffset != member.FrameOffset || _position > member.Skip)
        {
            _frame?.Dispose();
            _documents.Position = member.FrameOffset;
            _frame = new DecompressionStream(new SeekableArchiveSlice(_documents, member.FrameLength));
            _frameOffset = member.FrameOffset;
            _position = 0;
        }

        SeekableArchive.Skip(_frame, member.Skip - _position);

        // The writer reads it to its end or gives up altogether.
        _position = member.Skip + member.Size;
        return new SeekableArchiveSlice(_frame, member.Size);
    }

    public void Dispose()
    {
        _frame?.Dispose();
        _frames.Dispose();
        _documents.Dispose();
    }

    private long OffsetAt(int rank) => rank >= 0 && rank < _order.Length ? _members[_order[rank]].FrameOffset : -1;

    private int IndexOf(string path)
    {
        int low = 0;
        int high = _members.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = string.CompareOrdinal(_members[middle].Path, path);
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

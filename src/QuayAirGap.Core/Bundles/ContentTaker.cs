namespace QuayAirGap.Core.Bundles;

/// <summary>A part of a content, and where it lies in a buffer.</summary>
/// <param name="Entry">The content.</param>
/// <param name="Offset">Where the part begins in the buffer.</param>
/// <param name="Length">Bytes.</param>
/// <param name="IsLast">The content ends with it, and is what it must be.</param>
internal readonly record struct ContentPiece(LayerEntry Entry, int Offset, int Length, bool IsLast);

/// <summary>Writes a layer's content to where it is wanted. It comes in pieces, one content after the other.</summary>
internal sealed class ContentTaker(IBlobSink sink) : IDisposable
{
    private bool _isOpen;
    private Stream? _target;

    /// <param name="buffer">With its pieces.</param>
    public void Take(PipeBuffer buffer)
    {
        foreach (ContentPiece piece in buffer.Pieces!)
        {
            if (!_isOpen)
            {
                _target = sink.Open(piece.Entry.Sha256, piece.Entry.Size);
                _isOpen = true;
            }

            _target?.Write(buffer.Array.AsSpan(piece.Offset, piece.Length));
            if (piece.IsLast)
            {
                Finish(piece.Entry);
            }
        }
    }

    public void Dispose() => _target?.Dispose();

    private void Finish(LayerEntry entry)
    {
        _isOpen = false;
        if (_target is not null)
        {
            _target.Dispose();
            _target = null;
            sink.Accept(entry.Sha256, entry.Size);
        }
    }
}

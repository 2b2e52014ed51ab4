using System.Buffers;

namespace QuayAirGap.Core.Coverage;

/// <summary>A stream's bytes, in pieces, so that a large report is never copied to grow; a limit stands for a stream without an end.</summary>
internal static class BoundedBytes
{
    /// <summary>Bytes. The reports of very large images, findings included, have some tens of millions.</summary>
    internal const long Largest = 128L << 20;

    private const int PieceSize = 1 << 20;

    public static ReadOnlySequence<byte> Read(Stream stream)
    {
        List<ReadOnlyMemory<byte>> pieces = [];
        long total = 0;
        while (true)
        {
            byte[] piece = new byte[PieceSize];
            int length = stream.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
            Add(pieces, piece, length, ref total);
            if (length < piece.Length)
            {
                return Sequence(pieces);
            }
        }
    }

    public static async Task<ReadOnlySequence<byte>> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        List<ReadOnlyMemory<byte>> pieces = [];
        long total = 0;
        while (true)
        {
            byte[] piece = new byte[PieceSize];
            int length = await stream.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            Add(pieces, piece, length, ref total);
            if (length < piece.Length)
            {
                return Sequence(pieces);
            }
        }
    }

    private static void Add(List<ReadOnlyMemory<byte>> pieces, byte[] piece, int length, ref long total)
    {
        total += length;
        if (total > Largest)
        {
            throw IndexReportReader.Invalid($"it has more than {Largest >> 20} MiB");
        }

        pieces.Add(piece.AsMemory(0, length));
    }

    private static ReadOnlySequence<byte> Sequence(List<ReadOnlyMemory<byte>> pieces)
    {
        if (pieces.Count == 1)
        {
            return new ReadOnlySequence<byte>(pieces[0]);
        }

        var first = new Piece(pieces[0], 0);
        Piece last = first;
        foreach (ReadOnlyMemory<byte> piece in pieces.Skip(1))
        {
            last = last.Append(piece);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}

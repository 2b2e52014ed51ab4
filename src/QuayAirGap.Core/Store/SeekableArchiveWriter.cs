using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using QuayAirGap.Core.Publishing;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Store;

/// <summary>
/// Writes a <see cref="SeekableArchive"/>. The bytes follow from the documents and their order alone: whether frames are compressed or
/// copied from an earlier archive makes no difference, nor how many are compressed at a time. Memory does not grow with the archive, but
/// for the table that it returns.
/// </summary>
/// <param name="output">Where the archive goes; left open.</param>
/// <param name="cancellationToken">Leaves the output unfinished.</param>
internal sealed class SeekableArchiveWriter(Stream output, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Unpacked bytes of frames that are being compressed while the next is filled: two of the largest.</summary>
    private const int MostBytes = 8 << 20;

    /// <summary>How many they may be.</summary>
    private static readonly int s_mostFrames = Math.Clamp(Environment.ProcessorCount, 2, 16);

    private readonly Queue<(SeekableArchiveFrame Frame, Task Packing)> _pending = new();
    private readonly Stack<SeekableArchiveFrame> _spare = new();
    private readonly ConcurrentBag<Compressor> _compressors = [];
    private readonly List<Placed> _placed = [];
    private SeekableArchiveFrame _frame = new();
    private int _pendingBytes;
    private long _written;

    /// <param name="documents">In the order in which they are to stand; no path twice.</param>
    /// <param name="earlier">Archives to take unchanged documents from; the first that has one gives it.</param>
    /// <param name="openContent">
    /// Opens the bytes of a document that is in none of <paramref name="earlier"/>; called in the documents' order.
    /// </param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/>: content is not what its size and digest say.</exception>
    public void AddAll(
        List<SeekableArchiveDocument> documents, IReadOnlyList<SeekableArchiveReader> earlier, Func<SeekableArchiveDocument, Stream> openContent)
    {
        for (int start = 0; start < documents.Count;)
        {
            ReadOnlySpan<SeekableArchiveDocument> all = CollectionsMarshal.AsSpan(documents);
            ReadOnlySpan<SeekableArchiveDocument> frame = all.Slice(start, FrameLength(all[start..]));
            if (!TryCopy(frame, earlier))
            {
                foreach (SeekableArchiveDocument document in frame)
                {
                    AddFrom(document, earlier, openContent);
                }
            }

            start += frame.Length;
        }
    }

    /// <summary>Adds one document.</summary>
    /// <param name="content">Read to its end, and no longer needed when this returns.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobDamaged"/>: the content of this document, or of one before it, is not what
    /// its size and digest say.</exception>
    public void Add(SeekableArchiveDocument document, Stream content)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_frame.Takes(document))
        {
            EndFrame();
        }

        if (SeekableArchive.SizeInTar(document.Size) > SeekableArchive.MaxFrameSize)
        {
            WriteLarge(document, content);
        }
        else
        {
            _frame.Add(document, content);
        }
    }

    /// <summary>Ends the archive, and puts the table of its documents behind it, so that whoever has the archive needs nothing else.</summary>
    /// <exception cref="FeedException">As <see cref="Add"/>.</exception>
    public void CompleteWithTable()
    {
        Complete();
        SeekableArchiveTable.Write(output, _placed.Select(p => (p.Document, p.Offset, p.Length)));
    }

    /// <summary>Ends the archive.</summary>
    /// <returns>The table of members, ordered by path, with the documents' stamps of this moment.</returns>
    /// <exception cref="FeedException">As <see cref="Add"/>.</exception>
    public IReadOnlyList<ArchiveMember> Complete()
    {
        EndFrame();
        Drain();
        using (var end = new CompressionStream(output, 3))
        {
            end.SetPledgedSrcSize(2 * SeekableArchive.BlockSize);
            end.Write(new byte[2 * SeekableArchive.BlockSize]);
        }

        ArchiveMember[] members =
        [
            .. _placed.Select(p => new ArchiveMember(
                p.Document.Path, p.Sha256 ?? p.Document.Digest.ToString(), p.Document.Size, p.Offset, p.Length, p.Skip, p.Document.LastModified)),
        ];
        Array.Sort(members, static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return members;
    }

    public void Dispose()
    {
        // What is still being compressed, where something has failed, is of no use, but has a compressor in its hands.
        foreach ((_, Task packing) in _pending)
        {
#pragma warning disable VSTHRD002 // a thread of the pool waits for another: there is no context that both need
            packing.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait(CancellationToken.None);
#pragma warning restore VSTHRD002
        }

        _pending.Clear();
        while (_compressors.TryTake(out Compressor? compressor))
        {
            compressor.Dispose();
        }
    }

    private static int FrameLength(ReadOnlySpan<SeekableArchiveDocument> documents)
    {
        long size = SeekableArchive.SizeInTar(documents[0].Size);
        int count = 1;
        while (count < documents.Length)
        {
            size += SeekableArchive.SizeInTar(documents[count].Size);
            if (size > SeekableArchive.MaxFrameSize || SeekableArchive.StartsFrame(documents[count].Path))
            {
                break;
            }

            count++;
        }

        return count;
    }

    private void AddFrom(
        SeekableArchiveDocument document, IReadOnlyList<SeekableArchiveReader> earlier, Func<SeekableArchiveDocument, Stream> openContent)
    {
        foreach (SeekableArchiveReader archive in earlier)
        {
            if (archive.Find(document.Path, document.Digest) is not { } place)
            {
                continue;
            }

            try
            {
                using Stream packed = archive.OpenDocument(place);
                Add(document, packed);
                return;
            }
            catch (Exception e) when (e is ZstdException or EndOfStreamException)
            {
                throw SeekableArchive.Damaged(document.Path, e);
            }
        }

        using Stream content = openContent(document);
        Add(document, content);
    }

    private bool TryCopy(ReadOnlySpan<SeekableArchiveDocument> frame, IReadOnlyList<SeekableArchiveReader> earlier)
    {
        foreach (SeekableArchiveReader archive in earlier)
        {
            if (archive.FindFrame(frame) is { } same)
            {
                Copy(same, frame, archive);
                return true;
            }
        }

        return false;
    }

    private void Copy(SeekableArchivePlace[] same, ReadOnlySpan<SeekableArchiveDocument> frame, SeekableArchiveReader archive)
    {
        EndFrame();
        Drain();
        long offset = _written;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            using Stream content = archive.OpenFrame(same[0]);
            int read = content.ReadAtLeast(buffer, SeekableArchive.MaxFrameHeader, throwOnEndOfStream: false);
            if (SeekableArchive.UnpackedSize(buffer.AsSpan(0, read)) != same[^1].End)
            {
                throw SeekableArchive.Damaged(same[0].Path);
            }

            for (; read > 0; read = content.Read(buffer))
            {
                cancellationToken.ThrowIfCancellationRequested();
                Write(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (_written - offset != same[0].FrameLength)
        {
            throw SeekableArchive.Damaged(same[0].Path);
        }

        for (int i = 0; i < frame.Length; i++)
        {
            _placed.Add(new Placed(frame[i], offset, same[0].FrameLength, same[i].Skip, same[i].Sha256));
        }
    }

    private void EndFrame()
    {
        if (_frame.Length == 0)
        {
            return;
        }

        while (_pending.Count == s_mostFrames || (_pending.Count > 0 && _pendingBytes + _frame.Length > MostBytes))
        {
            WriteNext();
        }

        SeekableArchiveFrame full = _frame;
        _pending.Enqueue((full, Task.Run(() => Pack(full), CancellationToken.None)));
        _pendingBytes += full.Length;
        while (_pending.Count > 0 && _pending.Peek().Packing.IsCompleted)
        {
            WriteNext();
        }

        _frame = _spare.TryPop(out SeekableArchiveFrame? spare) ? spare : new SeekableArchiveFrame();
    }

    private void Drain()
    {
        while (_pending.Count > 0)
        {
            WriteNext();
        }
    }

    private void WriteNext()
    {
        cancellationToken.ThrowIfCancellationRequested();
        (SeekableArchiveFrame frame, Task packing) = _pending.Peek();
#pragma warning disable VSTHRD002 // a thread of the pool waits for another: there is no context that both need
        packing.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
        _pending.Dequeue();
        _pendingBytes -= frame.Length;
        long offset = _written;
        Write(frame.Packed);
        foreach ((SeekableArchiveDocument document, int skip) in frame.Documents)
        {
            _placed.Add(new Placed(document, offset, _written - offset, skip, null));
        }

        frame.Reset();
        _spare.Push(frame);
    }

    private void Pack(SeekableArchiveFrame frame)
    {
        if (!_compressors.TryTake(out Compressor? compressor))
        {
            compressor = NewCompressor();
        }

        try
        {
            frame.Pack(compressor);
        }
        finally
        {
            _compressors.Add(compressor);
        }
    }

    /// <summary>A document that is more than a frame on its own goes through in pieces.</summary>
    private void WriteLarge(SeekableArchiveDocument document, Stream content)
    {
        Drain();
        long offset = _written;
        using Compressor compressor = NewCompressor();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var counted = new CountingStream(this);

        // Disposed when the frame is whole, and only then: disposing ends the frame, and an unfinished one makes that an error of its own
        // in the place of the one that stopped it.
        var compressed = new CompressionStream(counted, compressor, 0);

        // A frame that tells its size needs no larger window than that, in whoever unpacks it.
        long size = SeekableArchive.SizeInTar(document.Size);
        compressed.SetPledgedSrcSize((ulong)size);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            SeekableArchiveFrame.WriteHeader(document, buffer.AsSpan(0, SeekableArchive.BlockSize));
            compressed.Write(buffer, 0, SeekableArchive.BlockSize);
            long left = document.Size;
            int read;
            while ((read = content.Read(buffer)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                left -= read;
                if (left < 0)
                {
                    break;
                }

                hash.AppendData(buffer, 0, read);
                compressed.Write(buffer, 0, read);
            }

            if (left != 0)
            {
                throw SeekableArchive.Damaged(document.Path);
            }

            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            hash.GetHashAndReset(digest);
            document.Found(SeekableArchiveDigest.Of(digest));
            int padding = (int)(size - SeekableArchive.BlockSize - document.Size);
            buffer.AsSpan(0, padding).Clear();
            compressed.Write(buffer, 0, padding);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        compressed.Dispose();
        _placed.Add(new Placed(document, offset, _written - offset, SeekableArchive.BlockSize, null));
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _written += bytes.Length;
    }

    private static Compressor NewCompressor()
    {
        var compressor = new Compressor(3);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor;
    }

    /// <summary>Where a document stands.</summary>
    /// <param name="Sha256">The earlier table's text where it was copied, so that it is in memory once.</param>
    private readonly record struct Placed(SeekableArchiveDocument Document, long Offset, long Length, long Skip, string? Sha256);

    private sealed class CountingStream(SeekableArchiveWriter writer) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => writer._written;

        public override long Position { get => writer._written; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => writer.Write(buffer);

        public override void Write(byte[] buffer, int offset, int count) => writer.Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

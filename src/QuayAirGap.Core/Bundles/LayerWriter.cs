using System.Buffers;
using System.Security.Cryptography;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using ZstdSharp;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Writes a source's layer: the tar of its content, compressed. One stage reads and checks the content, the other compresses, hashes
/// and writes. One thread compresses and all buffers have one size, so equal content gives equal bytes.
/// </summary>
internal sealed class LayerWriter(SourceSnapshot source, Func<string, FileStream> open, IProgress<FeedProgress>? progress)
{
    /// <summary>A delta's layer of up to this size is worth the strongest level; larger ones, and full ones, take too long with it.</summary>
    private const long SmallTarSize = 8L << 20;

    private readonly IReadOnlyList<LayerEntry> _entries = SourceLayer.EntriesOf(source);

    public async Task<LayerDescriptor> WriteAsync(FileStream destination, WriteBehind behind, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pipe = new BufferPipe();
        Task<LayerDescriptor> compress = Task.Run(() => CompressAsync(pipe, destination, behind, stop.Token), CancellationToken.None);
        try
        {
            await ReadAsync(pipe, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The other stage has failed, and says why below.
            await stop.CancelAsync().ConfigureAwait(false);
        }
        catch
        {
            // First, or the other stage would finish a layer that is not whole.
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            pipe.Close();
            await compress.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            pipe.Drain();
        }

        return await compress.ConfigureAwait(false);
    }

    private async Task ReadAsync(BufferPipe pipe, CancellationToken cancellationToken)
    {
        var tar = new Filler(pipe, cancellationToken);
        byte[] header = new byte[UstarHeader.BlockSize];
        byte[] zeros = new byte[SourceLayer.EndSize];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long done = 0;
        long total = _entries.Sum(e => e.Size);
        try
        {
            foreach (LayerEntry entry in _entries)
            {
                SourceLayer.FormatHeader(header, entry);
                await tar.AppendAsync(header).ConfigureAwait(false);
                await using (FileStream content = open(entry.Sha256))
                {
                    if (content.Length != entry.Size)
                    {
                        throw Damaged(entry, $"has {content.Length} bytes where {entry.Size} are expected");
                    }

                    for (long left = entry.Size; left > 0;)
                    {
                        Memory<byte> free = await tar.RoomAsync().ConfigureAwait(false);
                        int read = await content.ReadAsync(free[..(int)Math.Min(free.Length, left)], cancellationToken).ConfigureAwait(false);
                        if (read == 0)
                        {
                            throw Damaged(entry, "became shorter while it was read");
                        }

                        hash.AppendData(free.Span[..read]);
                        tar.Advance(read);
                        left -= read;
                        done += read;
                        progress?.Report(new FeedProgress(source.Name, "Bundling", entry.Url, done, total));
                    }
                }

                // A store on a bad disk must not be signed for.
                if (Sha256Digest.ToText(hash.GetHashAndReset()) != entry.Sha256)
                {
                    throw Damaged(entry, "has another SHA-256 than its name");
                }

                await tar.AppendAsync(zeros.AsMemory(0, UstarHeader.Padding(entry.Size))).ConfigureAwait(false);
            }

            await tar.AppendAsync(zeros).ConfigureAwait(false);
            await tar.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            tar.Release();
        }

        progress?.Report(new FeedProgress(source.Name, "Bundling", null, total, total, Completed: true));
    }

    private async Task<LayerDescriptor> CompressAsync(BufferPipe pipe, FileStream destination, WriteBehind behind, CancellationToken cancellationToken)
    {
        long tarSize = SourceLayer.TarSizeOf(_entries);
        byte[] output = PipeBuffer.Rent();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var compressor = new Compressor(LevelOf(tarSize));

        // Small sources get small windows, and the reader learns the size before it unpacks anything.
        compressor.SetPledgedSrcSize((ulong)tarSize);
        long size = 0;
        long taken = 0;
        try
        {
            await foreach (PipeBuffer buffer in pipe.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    taken += buffer.Length;
                    bool last = taken == tarSize;
                    for (int from = 0; ;)
                    {
                        OperationStatus status = compressor.WrapStream(
                            buffer.Array.AsSpan(from, buffer.Length - from), output, out int consumed, out int written, last);
                        from += consumed;
                        hash.AppendData(output, 0, written);
                        size += written;
                        await destination.WriteAsync(output.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
                        behind.Advance(destination.Position);
                        if (from == buffer.Length && (!last || status == OperationStatus.Done))
                        {
                            break;
                        }
                    }
                }
                finally
                {
                    buffer.Return();
                }
            }
        }
        finally
        {
            pipe.Close();
            ArrayPool<byte>.Shared.Return(output);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return new LayerDescriptor(Sha256Digest.ToText(hash.GetHashAndReset()), size, tarSize);
    }

    private int LevelOf(long tarSize) =>
        source.Delta is not null && tarSize <= SmallTarSize ? BundleFormat.DeltaCompressionLevel
        : source.Delta is null && _entries.Where(e => CollectSession.IsPacked(e.Url)).Sum(e => e.Size) > tarSize / 10 * 9 ? BundleFormat.PackedCompressionLevel
        : BundleFormat.CompressionLevel;

    private FeedException Damaged(LayerEntry entry, string what) => new(
        ErrorIds.BlobDamaged, $"The store's content of '{entry.Url}' {what}.", source.Name,
        $"Delete '{entry.Sha256}' from the site's store and run Save-ClairFeed again. Check the disk.");

    /// <summary>Cuts the tar into buffers of one size, whatever the sizes in which it comes.</summary>
    private sealed class Filler(BufferPipe pipe, CancellationToken cancellationToken)
    {
        private byte[]? _buffer;
        private int _filled;

        public async ValueTask<Memory<byte>> RoomAsync()
        {
            if (_filled == BundleFormat.BufferSize)
            {
                await FlushAsync().ConfigureAwait(false);
            }

            _buffer ??= PipeBuffer.Rent();
            return _buffer.AsMemory(_filled, BundleFormat.BufferSize - _filled);
        }

        public void Advance(int count) => _filled += count;

        public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes)
        {
            while (bytes.Length > 0)
            {
                Memory<byte> room = await RoomAsync().ConfigureAwait(false);
                int count = Math.Min(room.Length, bytes.Length);
                bytes[..count].CopyTo(room);
                _filled += count;
                bytes = bytes[count..];
            }
        }

        public async ValueTask FlushAsync()
        {
            if (_buffer is { } full)
            {
                var filled = new PipeBuffer(full, _filled);
                _buffer = null;
                _filled = 0;
                if (!await pipe.WriteAsync(filled, cancellationToken).ConfigureAwait(false))
                {
                    throw new OperationCanceledException();
                }
            }
        }

        public void Release()
        {
            if (_buffer is { } left)
            {
                _buffer = null;
                ArrayPool<byte>.Shared.Return(left);
            }
        }
    }
}

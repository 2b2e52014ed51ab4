using System.Buffers;
using System.Security.Cryptography;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Verifies one source's layer in one pass. Four stages at the same time, so that hashing the layer, unpacking it, hashing its content
/// and writing it share the processors: what takes longest is one SHA-256 over the content, as it is for anybody who checks it.
/// </summary>
internal sealed class LayerReader
{
    private readonly string _source;
    private readonly LayerDescriptor _layer;
    private readonly ContentExtent _extent;
    private readonly IBlobSink? _sink;
    private readonly IProgress<FeedProgress>? _progress;
    private readonly IReadOnlyList<LayerEntry> _entries;
    private readonly BufferPipe _packed = new();
    private readonly BufferPipe _unpacked = new();
    private readonly BufferPipe _compared = new();

    public LayerReader(SourceSnapshot source, ContentExtent extent, IBlobSink? sink, IProgress<FeedProgress>? progress)
    {
        _source = source.Name;
        _layer = source.Layer!;
        _entries = SourceLayer.EntriesOf(source);
        _extent = extent;
        _sink = sink;
        _progress = progress;
    }

    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<bool> read = Task.Run(() => ReadAsync(stop.Token), CancellationToken.None);
        Task<FeedException?> unpack = Task.Run(() => RefusalOfAsync(UnpackAsync, stop), CancellationToken.None);
        Task<FeedException?> compare = Task.Run(() => RefusalOfAsync(CompareAsync, stop), CancellationToken.None);
        Task<FeedException?> take = Task.Run(() => RefusalOfAsync(TakeAsync, stop), CancellationToken.None);
        Task[] stages = [take, compare, unpack, read];
        await Task.WhenAll(stages).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
        _packed.Drain();
        _unpacked.Drain();
        _compared.Drain();

        // Whichever fails stops the others: its reason is the one that counts.
        await (stages.FirstOrDefault(s => s.IsFaulted) ?? Task.WhenAll(stages)).ConfigureAwait(false);
        FeedException? refusal = await unpack.ConfigureAwait(false) ?? await compare.ConfigureAwait(false) ?? await take.ConfigureAwait(false);

        // Damage on the way shows in many forms further in; the layer's own digest says that it is damage, and not a lie.
        if (!await read.ConfigureAwait(false))
        {
            throw BundleErrors.Altered(_source, $"the layer of source '{_source}' has another SHA-256 than its signed snapshot says");
        }

        if (refusal is not null)
        {
            throw refusal;
        }
    }

    private static async Task<FeedException?> RefusalOfAsync(Func<CancellationToken, Task> stage, CancellationTokenSource stop)
    {
        try
        {
            await stage(stop.Token).ConfigureAwait(false);
            return null;
        }
        catch (FeedException e)
        {
            return e;
        }
        catch
        {
            // A disk that is full, or somebody who waits no longer: then nobody needs to know what the rest of the layer is.
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>First stage: reads the layer to its end and hashes it. Whether its digest is right.</summary>
    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using ArchiveBytes.Reader handle = _extent.Open();
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            bool wanted = true;
            for (long done = 0; done < _extent.Size;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                byte[] buffer = PipeBuffer.Rent();
                int read = Read(handle, buffer.AsSpan(0, (int)Math.Min(BundleFormat.BufferSize, _extent.Size - done)), _extent.Offset + done);
                hash.AppendData(buffer, 0, read);
                done += read;
                if (wanted)
                {
                    wanted = await _packed.WriteAsync(new PipeBuffer(buffer, read), cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }

            return Sha256Digest.ToText(hash.GetHashAndReset()) == _layer.Sha256;
        }
        finally
        {
            _packed.Close();
        }
    }

    private int Read(ArchiveBytes.Reader handle, Span<byte> buffer, long at)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            int read = handle.Read(buffer[done..], at + done);
            done += read > 0 ? read : throw BundleErrors.Truncated(_source, $"the layer of source '{_source}' became shorter while it was read");
        }

        return done;
    }

    /// <summary>Second stage: unpacks the layer, never to more than the signed snapshot says.</summary>
    private async Task UnpackAsync(CancellationToken cancellationToken)
    {
        byte[]? output = null;
        try
        {
            using var frame = new ZstdFrameReader(BundleFormat.MaxWindowLog);
            long left = _layer.TarSize;
            int filled = 0;
            await foreach (PipeBuffer buffer in _packed.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    int from = 0;
                    bool full;
                    do
                    {
                        if (frame.IsComplete)
                        {
                            throw BundleErrors.Extra(_source, $"something follows the compressed content of source '{_source}'");
                        }

                        output ??= PipeBuffer.Rent();
                        frame.Unpack(
                            buffer.Array.AsSpan(from, buffer.Length - from), output.AsSpan(filled, BundleFormat.BufferSize - filled),
                            out int consumed, out int written);
                        from += consumed;
                        filled += written;
                        left -= written;
                        if (left < 0)
                        {
                            throw BundleErrors.Limit(_source, $"source '{_source}' unpacks to more than the {_layer.TarSize} bytes that its snapshot says");
                        }

                        full = filled == BundleFormat.BufferSize;
                        if (full)
                        {
                            var ready = new PipeBuffer(output, filled);
                            output = null;
                            filled = 0;
                            if (!await _unpacked.WriteAsync(ready, cancellationToken).ConfigureAwait(false))
                            {
                                return; // the last stage has its reason
                            }
                        }
                    }
                    while (from < buffer.Length || (full && !frame.IsComplete));
                }
                finally
                {
                    buffer.Return();
                }
            }

            if (!frame.IsComplete)
            {
                throw BundleErrors.Truncated(_source, $"the compressed content of source '{_source}' ends after {_layer.TarSize - left} of {_layer.TarSize} bytes");
            }

            // Too little is the last stage's to say: it knows what is missing.
            if (filled > 0)
            {
                var ready = new PipeBuffer(output!, filled);
                output = null;
                await _unpacked.WriteAsync(ready, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (ZstdException e)
        {
            throw e.Code == ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge
                ? BundleErrors.Limit(_source, $"source '{_source}' is compressed with a window of more than {1 << BundleFormat.MaxWindowLog} bytes")
                : BundleErrors.Inconsistent(_source, $"source '{_source}' cannot be unpacked ({e.Message})");
        }
        finally
        {
            if (output is not null)
            {
                ArrayPool<byte>.Shared.Return(output);
            }

            _packed.Close();
            _unpacked.Close();
        }
    }

    /// <summary>Third stage: compares the content with the signed snapshot.</summary>
    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var unpacker = new LayerUnpacker(_source, _entries);
            long total = _entries.Sum(e => e.Size);
            await foreach (PipeBuffer buffer in _unpacked.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                List<ContentPiece>? pieces = _sink is null ? null : [];
                try
                {
                    unpacker.Feed(buffer.Span, pieces);
                }
                catch
                {
                    buffer.Return();
                    throw;
                }

                _progress?.Report(new FeedProgress(_source, "Verifying", null, unpacker.Done, total));
                if (pieces is null)
                {
                    buffer.Return();
                }
                else if (!await _compared.WriteAsync(buffer with { Pieces = pieces }, cancellationToken).ConfigureAwait(false))
                {
                    return; // the last stage has its reason
                }
            }

            unpacker.Complete();
            _progress?.Report(new FeedProgress(_source, "Verifying", null, total, total, Completed: true));
        }
        finally
        {
            _unpacked.Close();
            _compared.Close();
        }
    }

    /// <summary>Fourth stage: hands on what was compared, where somebody wants it.</summary>
    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            using ContentTaker? taker = _sink is null ? null : new ContentTaker(_sink);
            await foreach (PipeBuffer buffer in _compared.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    taker!.Take(buffer);
                }
                finally
                {
                    buffer.Return();
                }
            }
        }
        finally
        {
            _compared.Close();
        }
    }
}

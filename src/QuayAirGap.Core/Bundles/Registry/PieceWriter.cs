using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>Writes the pieces of an archive one behind the other, and goes on where an attempt before ended.</summary>
internal sealed class PieceWriter(RegistryClient client, FileStream file, IReadOnlyList<Piece> pieces, IProgress<FeedProgress>? progress)
{
    private readonly long _total = pieces.Sum(p => ArchiveEntry.LengthOf(p.Size)) + SourceLayer.EndSize;
    private long _received;

    /// <summary>Bytes of the current piece that are written and hashed.</summary>
    private long _done;

    /// <returns>Bytes that came over the network.</returns>
    public async Task<long> WriteAsync(CancellationToken cancellationToken)
    {
        long at = 0;
        foreach (Piece piece in pieces)
        {
            long end = at + ArchiveEntry.LengthOf(piece.Size);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long there = await ThereAsync(piece, at, hash, cancellationToken).ConfigureAwait(false);
            if (there < piece.Size || file.Length < end)
            {
                file.SetLength(at + (there > 0 ? UstarHeader.BlockSize + there : 0));
                file.Position = file.Length;
                if (there == 0)
                {
                    await ArchiveEntry.WriteHeaderAsync(file, piece.Name, piece.Size, cancellationToken).ConfigureAwait(false);
                }

                await WriteContentAsync(piece, there, hash, cancellationToken).ConfigureAwait(false);
                await file.WriteAsync(new byte[UstarHeader.Padding(piece.Size)], cancellationToken).ConfigureAwait(false);
            }

            if (Sha256Digest.ToText(hash.GetHashAndReset()) != piece.Sha256)
            {
                file.SetLength(at);
                throw RegistryErrors.Content(client.Reference, $"the content of '{piece.Name}' has another SHA-256");
            }

            at = end;
            progress?.Report(new FeedProgress(client.Reference.Host, "Receiving", null, at, _total));
        }

        file.SetLength(at);
        file.Position = at;
        await file.WriteAsync(new byte[SourceLayer.EndSize], cancellationToken).ConfigureAwait(false);
        return _received;
    }

    /// <summary>
    /// How much of a piece's content an attempt before has left, hashed already; 0 where it is another piece, or nothing. A piece that is whole and
    /// false, as after a power cut, counts as nothing too.
    /// </summary>
    private async Task<long> ThereAsync(Piece piece, long at, IncrementalHash hash, CancellationToken cancellationToken)
    {
        long there = Math.Min(file.Length - at - UstarHeader.BlockSize, piece.Size);
        if (there <= 0)
        {
            return 0;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BundleFormat.BufferSize);
        try
        {
            file.Position = at;
            await file.ReadExactlyAsync(buffer.AsMemory(0, UstarHeader.BlockSize), cancellationToken).ConfigureAwait(false);
            if (!buffer.AsSpan(0, UstarHeader.BlockSize).SequenceEqual(ArchiveEntry.Header(piece.Name, piece.Size)))
            {
                return 0;
            }

            for (long done = 0; done < there;)
            {
                int count = (int)Math.Min(BundleFormat.BufferSize, there - done);
                await file.ReadExactlyAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                hash.AppendData(buffer, 0, count);
                done += count;
            }

            if (there == piece.Size && Sha256Digest.ToText(hash.GetCurrentHash()) != piece.Sha256)
            {
                hash.GetHashAndReset();
                return 0;
            }

            return there;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task WriteContentAsync(Piece piece, long done, IncrementalHash hash, CancellationToken cancellationToken)
    {
        if (piece.Content is { } content)
        {
            await file.WriteAsync(content.AsMemory((int)done), cancellationToken).ConfigureAwait(false);
            hash.AppendData(content, (int)done, content.Length - (int)done);
            return;
        }

        _done = done;
        for (int attempt = 1; _done < piece.Size;)
        {
            long before = _done;
            FeedException? broken = null;
            try
            {
                await FetchAsync(piece, hash, cancellationToken).ConfigureAwait(false);
            }
            catch (FeedException e) when (e.ErrorId is ErrorIds.RegistryUnreachable or ErrorIds.RegistryStatus)
            {
                broken = e;
            }

            if (_done < piece.Size)
            {
                // One that gets on may break as often as it likes.
                attempt = _done > before ? 1 : attempt + 1;
                if (attempt > client.Options.Attempts)
                {
                    throw broken ?? RegistryErrors.Unreachable(client.Reference.Host, "it ends its answers too early.", null);
                }

                await Task.Delay(client.Options.RetryDelay * Math.Pow(2, attempt - 1), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Reads on from where the piece stands, as far as the connection lasts.</summary>
    private async Task FetchAsync(Piece piece, IncrementalHash hash, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await client.GetBlobAsync(piece.Sha256, _done, cancellationToken).ConfigureAwait(false);

        // Who does not know ranges sends all of it from the beginning.
        long skip = response.StatusCode switch
        {
            HttpStatusCode.PartialContent when response.Content.Headers.ContentRange?.From == _done => 0,
            HttpStatusCode.OK => _done,
            HttpStatusCode.PartialContent => throw RegistryErrors.Content(client.Reference, "the registry sends another part of a blob than was asked for"),
            _ => throw RegistryErrors.Status(client.Reference, response.StatusCode, "give a blob"),
        };
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BundleFormat.BufferSize);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                while (true)
                {
                    stall.CancelAfter(client.Options.StallTimeout);
                    int read = await ReadAsync(body, buffer, stall, cancellationToken).ConfigureAwait(false);
                    if (read == 0)
                    {
                        return;
                    }

                    int from = (int)Math.Min(skip, read);
                    skip -= from;
                    int count = read - from;
                    if (count > piece.Size - _done)
                    {
                        throw RegistryErrors.Content(client.Reference, $"'{piece.Name}' has more than the {piece.Size} bytes that its manifest says");
                    }

                    await file.WriteAsync(buffer.AsMemory(from, count), cancellationToken).ConfigureAwait(false);
                    hash.AppendData(buffer, from, count);
                    _done += count;
                    _received += count;
                    progress?.Report(new FeedProgress(client.Reference.Host, "Receiving", null, file.Position, _total));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<int> ReadAsync(Stream body, byte[] buffer, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer.AsMemory(0, BundleFormat.BufferSize), stall.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw RegistryErrors.Unreachable(client.Reference.Host, e.Message, e);
        }
    }
}

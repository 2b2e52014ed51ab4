using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// A file on its way through several connections. What has arrived is kept only where the upstream gave a strong ETag, so that the rest is
/// certain to be the rest of the same bytes (RFC 9110, 13.1.5); otherwise the next try begins anew.
/// </summary>
internal sealed class PartialDownload(BlobStore store) : IAsyncDisposable
{
    private BlobWriter? _writer;
    private long? _total;

    /// <summary>The validator of what has arrived, where a further try may go on behind it; null where it begins anew.</summary>
    public string? ETag { get; private set; }

    /// <summary>Bytes that have arrived and count.</summary>
    public long Length => _writer?.Length ?? 0;

    public bool CanResume => ETag is not null && Length > 0;

    /// <summary>Whether some of it came by a connection before the last.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Begins with a whole response.</summary>
    /// <param name="etag">The response's, as sent; null where what arrives cannot be gone on with.</param>
    /// <param name="total">What the whole has, where the response says so.</param>
    public async Task<BlobWriter> BeginAsync(string? etag, long? total)
    {
        await DropAsync().ConfigureAwait(false);
        ETag = etag is not null && etag.StartsWith('"') ? etag : null;
        _total = total;
        return _writer = store.CreateWriter();
    }

    /// <summary>Goes on with a partial response.</summary>
    /// <returns>Null where it is not the rest of what has arrived: the next try begins anew.</returns>
    public async Task<BlobWriter?> ContinueAsync(string? etag, long? from, long? total)
    {
        if (!CanResume || etag != ETag || from != Length || total is null || (_total is not null && total != _total))
        {
            await DropAsync().ConfigureAwait(false);
            return null;
        }

        _total = total;
        IsResumed = true;
        return _writer;
    }

    /// <summary>Whether all that was announced is there; true where nothing was.</summary>
    public bool IsWhole => _total is null || _total == Length;

    public async Task DropAsync()
    {
        ETag = null;
        _total = null;
        IsResumed = false;
        if (_writer is { } writer)
        {
            _writer = null;
            await writer.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync() => await DropAsync().ConfigureAwait(false);
}

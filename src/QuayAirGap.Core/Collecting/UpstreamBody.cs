using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Collecting;

/// <summary>
/// A response body that cannot hang and cannot end early unnoticed: <see cref="HttpClient.Timeout"/> stops counting once the headers have
/// arrived, so each read has a time limit of its own.
/// </summary>
internal sealed class UpstreamBody(Stream inner, string url, long? expectedLength, TimeSpan stallTimeout, Action<int> received) : ReadOnlyStream
{
    private long _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stall.CancelAfter(stallTimeout);
        int n;
        try
        {
            n = await inner.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransientUpstreamException(
                ErrorIds.UpstreamStalled, url, $"{url} stopped sending after {_length} bytes, for {stallTimeout.TotalSeconds:0} seconds.");
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new TransientUpstreamException(ErrorIds.UpstreamIncomplete, url, $"{url} broke off after {_length} bytes: {e.Message}", e);
        }

        _length += n;
        received(n);
        if (n == 0 && buffer.Length > 0 && expectedLength is { } expected && _length != expected)
        {
            throw new TransientUpstreamException(ErrorIds.UpstreamIncomplete, url, $"{url} sent {_length} bytes instead of {expected}.");
        }

        return n;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Clair's answer, kept while it is being judged. Reading it never cancels a read of the connection, which would end it: whoever loses patience
/// leaves the read that is under way to <see cref="ReadOnAsync"/>.
/// </summary>
internal sealed class HeldBody(Stream body, HeldBuffer buffer) : IDisposable
{
    private Task<int>? _pending;
    private bool _ended;
    private int _replayed;

    public int Length => buffer.Length;

    /// <summary>What the connection ended with, or null.</summary>
    public Exception? Fault { get; private set; }

    public ReadOnlyMemory<byte> Held => buffer.Held;

    /// <summary>Takes what comes next.</summary>
    /// <param name="patience">Ends when it takes too long.</param>
    /// <returns>False at the end, and when the connection broke.</returns>
    /// <exception cref="HoldException">It takes too long, or is too much.</exception>
    public async ValueTask<bool> MoreAsync(Task patience)
    {
        if (_ended)
        {
            return false;
        }

        _pending = ReadAsync(buffer.Room());
#pragma warning disable VSTHRD003 // patience is a timer, nothing that could wait for this
        if (!_pending.IsCompleted && await Task.WhenAny(_pending, patience) != _pending)
#pragma warning restore VSTHRD003
        {
            throw new HoldException(GatewayFailure.Time, "it takes too long to arrive");
        }

        await TakePendingAsync(CancellationToken.None);
        return !_ended;
    }

    /// <summary>
    /// Everything from the beginning: what is held, then what comes, then how it ended. Of what comes as much at once as is there already, since every
    /// piece is a packet to Quay, and Clair's pieces are small; for what is not there yet nothing waits.
    /// </summary>
    public async ValueTask<int> ReadOnAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        if (_replayed == Length && !_ended)
        {
            if (_pending is null)
            {
                buffer.Clear(); // it has gone on
                _replayed = 0;
                _pending = ReadAsync(buffer.Room());
            }

            await TakePendingAsync(cancellationToken);
        }

        while (!_ended && Length - _replayed < into.Length && (_pending is not null || !buffer.IsFull))
        {
            _pending ??= ReadAsync(buffer.Room());
            if (!_pending.IsCompleted)
            {
                break;
            }

            await TakePendingAsync(cancellationToken);
        }

        if (_replayed < Length)
        {
            int n = Math.Min(into.Length, Length - _replayed);
            Held.Slice(_replayed, n).CopyTo(into);
            _replayed += n;
            return n;
        }

        return Fault is null ? 0 : throw new IOException("Clair's answer broke off.", Fault);
    }

    public void Dispose()
    {
        body.Dispose();
        buffer.Dispose(isWrittenTo: _pending is { IsCompleted: false });
    }

    /// <summary>As a task in every case: the reader of chunks throws at once where it stumbles over one, and says "at the end" when it is asked again.</summary>
    private async Task<int> ReadAsync(Memory<byte> room) => await body.ReadAsync(room);

    private async ValueTask TakePendingAsync(CancellationToken cancellationToken)
    {
        try
        {
            int n = await _pending!.WaitAsync(cancellationToken);
            buffer.Add(n);
            _ended = n == 0;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested(); // the client has gone, not Clair
            Fault = e;
            _ended = true;
        }

        _pending = null;
    }
}

/// <summary>A report that goes through as it is, and why.</summary>
internal sealed class HoldException(GatewayFailure failure, string why, Exception? cause = null) : Exception(why, cause)
{
    public GatewayFailure Failure { get; } = failure;
}

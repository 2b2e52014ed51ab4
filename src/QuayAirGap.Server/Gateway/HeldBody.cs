namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Clair's answer, kept while it is being judged. Reading it never cancels a read of the connection, which would end it: whoever loses patience
/// leaves the read that is under way to <see cref="ReadOnAsync"/>.
/// </summary>
internal sealed class HeldBody(Stream body, HeldBuffer buffer) : IDisposable
{
    /// <summary>How much is taken at once before somebody looks at it.</summary>
    private const int Batch = 64 * 1024;

    private Task<int>? _pending;
    private bool _ended;
    private int _replayed;

    public int Length => buffer.Length;

    /// <summary>What the connection ended with, or null.</summary>
    public Exception? Fault { get; private set; }

    public ReadOnlyMemory<byte> Held => buffer.Held;

    /// <summary>Takes what comes next, and with it what is there already: Clair's pieces are small.</summary>
    /// <param name="patience">Ends when it takes too long.</param>
    /// <returns>False at the end, and when the connection broke.</returns>
    /// <exception cref="HoldException">It takes too long, or is too much.</exception>
    public async ValueTask<bool> MoreAsync(Task patience)
    {
        int before = Length;
        while (!_ended && Length - before < Batch)
        {
            if (TakeAtOnce())
            {
                continue;
            }

            if (Length > before)
            {
                break;
            }

#pragma warning disable VSTHRD003 // patience is a timer, nothing that could wait for this
            if (await Task.WhenAny(_pending!, patience) != _pending)
#pragma warning restore VSTHRD003
            {
                throw new HoldException(GatewayFailure.Time, "it takes too long to arrive");
            }

            await TakePendingAsync(CancellationToken.None);
        }

        return Length > before;
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
            }

            if (!TakeAtOnce())
            {
                await TakePendingAsync(cancellationToken);
            }
        }

        while (!_ended && Length - _replayed < into.Length && (_pending is not null || !buffer.IsFull) && TakeAtOnce())
        {
            // As far as there is room.
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

    /// <returns>Whether there was something, or the end; else a read is under way.</returns>
    private bool TakeAtOnce()
    {
        if (_pending is { IsCompleted: false })
        {
            return false;
        }

#pragma warning disable VSTHRD002 // both have ended
        try
        {
            if (_pending is null)
            {
                ValueTask<int> read = body.ReadAsync(buffer.Room());
                if (!read.IsCompleted)
                {
                    _pending = read.AsTask();
                    return false;
                }

                Take(read.GetAwaiter().GetResult());
            }
            else
            {
                Take(_pending.GetAwaiter().GetResult());
            }
        }
        catch (Exception e) when (IsBreak(e))
        {
            // Also where the read itself throws: the reader of chunks does so where it stumbles over one, and says "at the end" when it is asked again.
            Fault = e;
            _ended = true;
        }
#pragma warning restore VSTHRD002

        return true;
    }

    private async ValueTask TakePendingAsync(CancellationToken cancellationToken)
    {
        try
        {
            Take(await _pending!.WaitAsync(cancellationToken));
        }
        catch (Exception e) when (IsBreak(e))
        {
            cancellationToken.ThrowIfCancellationRequested(); // the client has gone, not Clair
            Fault = e;
            _ended = true;
        }
    }

    private void Take(int count)
    {
        buffer.Add(count);
        _ended = count == 0;
        _pending = null;
    }

    private static bool IsBreak(Exception e) => e is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException;
}

/// <summary>A report that goes through as it is, and why.</summary>
internal sealed class HoldException(GatewayFailure failure, string why, Exception? cause = null) : Exception(why, cause)
{
    public GatewayFailure Failure { get; } = failure;
}

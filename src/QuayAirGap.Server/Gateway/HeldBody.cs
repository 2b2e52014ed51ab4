namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Clair's answer as it comes. Losing patience never cancels a read of the connection, which would end it: the read that is under way is left to whoever reads next.
/// </summary>
internal sealed class HeldBody(Stream body, HeldBuffer buffer) : IHeldBytes, IDisposable
{
    private Task<int>? _pending;
    private bool _ended;

    public ReadOnlyMemory<byte> Held => buffer.Held;

    /// <summary>What the connection ended with, or null.</summary>
    public Exception? Fault { get; private set; }

    public async ValueTask<bool> MoreAsync(int most, CancellationToken cancellationToken)
    {
        int before = buffer.Length;
        TakeWhatIsThere(before + most);
        if (buffer.Length == before && !_ended)
        {
            await TakePendingAsync(cancellationToken);
            TakeWhatIsThere(before + most);
        }

        return buffer.Length > before || (Fault is null ? false : throw new IOException("Clair's answer broke off.", Fault));
    }

    public void Forget(int count) => buffer.Forget(count);

    /// <summary>
    /// What is held, then what comes, then how it ended. Of what comes as much at once as is there already, since every piece is a packet to Quay, and
    /// Clair's pieces are small; for what is not there yet nothing waits.
    /// </summary>
    /// <exception cref="IOException">Clair's answer broke off.</exception>
    public async ValueTask<int> ReadOnAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        if (buffer.Length > 0)
        {
            TakeWhatIsThere(into.Length);
        }
        else if (!await MoreAsync(Math.Max(into.Length, 1), cancellationToken)) // to read nothing is how somebody waits before taking memory for it
        {
            return 0;
        }

        int n = Math.Min(into.Length, buffer.Length);
        Held[..n].CopyTo(into);
        Forget(n);
        return n;
    }

    public void Dispose()
    {
        body.Dispose();
        buffer.Dispose(isWrittenTo: _pending is { IsCompleted: false });
    }

    /// <param name="upTo">How much is held then, at most, if it was not more before.</param>
    private void TakeWhatIsThere(int upTo)
    {
        while (!_ended && buffer.Length < upTo && TakeAtOnce(upTo - buffer.Length))
        {
            // Clair's pieces are small.
        }
    }

    /// <returns>Whether there was something, or the end; else a read is under way.</returns>
    private bool TakeAtOnce(int most)
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
                Memory<byte> room = buffer.Room();
                ValueTask<int> read = body.ReadAsync(room[..Math.Min(most, room.Length)]);
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
            cancellationToken.ThrowIfCancellationRequested(); // whoever waits has had enough; Clair has not gone
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

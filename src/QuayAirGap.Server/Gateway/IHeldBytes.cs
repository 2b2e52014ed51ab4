namespace QuayAirGap.Server.Gateway;

/// <summary>Bytes that arrive, and are held until somebody needs them no more.</summary>
internal interface IHeldBytes
{
    /// <summary>What has arrived and is not forgotten.</summary>
    ReadOnlyMemory<byte> Held { get; }

    /// <summary>Waits for what comes next, and takes with it what is there already.</summary>
    /// <param name="most">Bytes, more than none.</param>
    /// <param name="cancellationToken">Ends waiting; somebody else may wait on.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="IOException">They broke off.</exception>
    /// <exception cref="HoldException">It is too much to be held.</exception>
    ValueTask<bool> MoreAsync(int most, CancellationToken cancellationToken);

    /// <summary>Lets go of the first of what is held.</summary>
    void Forget(int count);
}

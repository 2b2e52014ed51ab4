namespace QuayAirGap.Server;

/// <summary>What one client may take of a mirror, so that the others get theirs.</summary>
public sealed record MirrorLimits
{
    /// <summary>For the head of a request, for CONNECT, and for a TLS handshake.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For the next request on a connection. Longer than the 90 seconds for which Go's client keeps one.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// Bytes a second that a client must take, on average over what is on the way to it. Low: Clair stops reading for minutes while it
    /// stores what it has read.
    /// </summary>
    public double MinResponseDataRate { get; init; } = 240;

    /// <summary>All connections together; one more is closed at once.</summary>
    public long MaxConnections { get; init; } = 20_000;
}

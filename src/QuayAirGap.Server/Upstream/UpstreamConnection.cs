namespace QuayAirGap.Server.Upstream;

/// <summary>How a client came in that asks for the feeds' own hosts.</summary>
internal enum UpstreamDoor
{
    /// <summary>To the proxy: CONNECT, or requests in absolute form.</summary>
    Proxy,

    /// <summary>Straight, because the network's name resolution sent it here.</summary>
    ByName,
}

/// <summary>What is known of such a connection; a feature of the connection.</summary>
internal sealed class UpstreamConnection(UpstreamDoor door)
{
    public UpstreamDoor Door => door;

    /// <summary>The host that CONNECT named, lower-case; null without CONNECT.</summary>
    public string? Tunnel { get; set; }

    /// <summary>The host that the TLS handshake named, lower-case; null for plain HTTP.</summary>
    public string? ServerName { get; set; }

    public string Scheme => ServerName is null ? "http" : "https";
}

using QuayAirGap.Core.Clair;

namespace QuayAirGap.Server.Gateway;

/// <summary>A gateway between Quay and Clair: where it listens, what is behind it, and what it says.</summary>
public sealed record ScanGatewayOptions
{
    /// <summary>Clair's API, "http://clair.example:6060"; a path in it goes before every request's.</summary>
    public required Uri Clair { get; init; }

    /// <summary>Where Quay finds it, as <see cref="MirrorOptions.Urls"/>. Those with https use the certificate of the addresses by path.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:6061"];

    /// <summary>PEM, the only authorities that are trusted to vouch for Clair; null for the system's. An absolute path.</summary>
    public string? CaFile { get; init; }

    /// <summary>What Clair it is: which updaters it has depends on it. Null for the one that the site's settings name.</summary>
    public ClairRelease? Release { get; init; }

    /// <summary>Whom to ask about a warning, in words; null for "whoever runs the feed mirror".</summary>
    public string? Contact { get; init; }

    /// <summary>Where to read more, shown as the warning's link; null for none.</summary>
    public Uri? Link { get; init; }

    public ScanGatewayLimits Limits { get; init; } = new();
}

/// <summary>How much a report may cost before it goes through as it is.</summary>
public sealed record ScanGatewayLimits
{
    /// <summary>Bytes of a report that are held at once, decoded or not: until it is judged all that has come, which is mostly what the index found.</summary>
    public int MostHeld { get; init; } = 64 << 20;

    /// <summary>Bytes of all reports together that are held at once.</summary>
    public long MostHeldTogether { get; init; } = 256L << 20;

    /// <summary>How long a report may take, from its first byte, until there is enough of it to judge: Quay waits for 30 seconds without a byte in all.</summary>
    public TimeSpan ArrivalTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long judging may take.</summary>
    public TimeSpan JudgingTime { get; init; } = TimeSpan.FromSeconds(2);
}

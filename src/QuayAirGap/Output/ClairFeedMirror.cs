using QuayAirGap.Serving;

namespace QuayAirGap;

/// <summary>A mirror that this session started. Times are UTC.</summary>
public sealed class ClairFeedMirror
{
    private readonly MirrorProcess _process;

    internal ClairFeedMirror(MirrorProcess process) => _process = process;

    /// <summary>Where it listens; a port 0 that was asked for is the real one here.</summary>
    public string Url => _process.Urls[0];

    /// <summary>Every address, where it listens on several.</summary>
    public string[] Urls => [.. _process.Urls];

    /// <summary>Where it is a proxy for the feeds' own hosts; empty without -AsUpstream.</summary>
    public string[] ProxyUrls => [.. _process.ProxyUrls];

    /// <summary>Where it answers for the feeds' own hosts directly; empty without -ByName.</summary>
    public string[] ByNameUrls => [.. _process.ByNameUrls];

    /// <summary>Where Quay finds the scan gateway; empty without -ScanGateway.</summary>
    public string[] ScanGatewayUrls => [.. _process.ScanGatewayUrls];

    public int ProcessId => _process.Id;

    /// <summary>The site that it serves, or null.</summary>
    public string? SitePath => _process.SitePath;

    /// <summary>The folder that it serves in place of a site, or null.</summary>
    public string? Folder => _process.Folder;

    public DateTimeOffset StartedAt => _process.StartedAt;

    public bool IsRunning => _process.IsRunning;

    /// <inheritdoc/>
    public override string ToString() => Url;

    internal MirrorProcess Process => _process;
}

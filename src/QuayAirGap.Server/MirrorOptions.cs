using Microsoft.Extensions.Logging;
using QuayAirGap.Core.Sites;
using QuayAirGap.Server.Gateway;
using QuayAirGap.Server.Listening;

namespace QuayAirGap.Server;

/// <summary>What a mirror serves, and where. Exactly one of <see cref="Site"/> and <see cref="Folder"/> is given.</summary>
public sealed record MirrorOptions
{
    /// <summary>Serves the site's current generation.</summary>
    public Site? Site { get; init; }

    /// <summary>Serves a folder laid out host/path, as a stand-in for the upstreams. An absolute path.</summary>
    public string? Folder { get; init; }

    /// <summary>With <see cref="Folder"/>: the Last-Modified of every file, UTC; null for the files' own times.</summary>
    public DateTimeOffset? FolderLastModified { get; init; }

    /// <summary>Addresses to serve at by path, "http://127.0.0.1:8080"; port 0 takes a free one. The ones with https need a certificate.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8080"];

    /// <summary>For the addresses with https; null for the site's own certificate (its folder tls/).</summary>
    public ServerCertificateFiles? Certificate { get; init; }

    /// <summary>
    /// Offers HTTP/2 beside HTTP/1.1 at the addresses with https. Not for Clair: its ubuntu updater sends "TE: gzip", which ends a
    /// connection of HTTP/2, and the set is lost.
    /// </summary>
    public bool Http2 { get; init; }

    /// <summary>Addresses to serve at as a forward proxy for the feeds' own hosts, "http://127.0.0.1:3128". Needs a site with certificates.</summary>
    public IReadOnlyList<string> ProxyUrls { get; init; } = [];

    /// <summary>
    /// Addresses to answer at for the feeds' own hosts where the network's name resolution leads here, "https://*:443" and "http://*:80".
    /// Needs a site with certificates.
    /// </summary>
    public IReadOnlyList<string> ByNameUrls { get; init; } = [];

    /// <summary>A gateway between Quay and Clair beside the mirror; null for none. Needs a site.</summary>
    public ScanGatewayOptions? ScanGateway { get; init; }

    /// <summary>Judges reports instead of the site, in tests.</summary>
    internal IReportJudge? ReportJudge { get; init; }

    public MirrorLimits Limits { get; init; } = new();

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Gets one line a request; null for none. Not disposed.</summary>
    public TextWriter? AccessLog { get; init; }

    /// <summary>Gets what an operator must know: switches of generation, missing content. Without one, nobody is told.</summary>
    public ILoggerProvider? Log { get; init; }
}

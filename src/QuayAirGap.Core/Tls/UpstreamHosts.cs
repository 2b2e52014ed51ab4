using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Tls;

/// <summary>The hosts that a mirror answers for when it stands in for the upstreams, and no others. Names are lower-case.</summary>
public static class UpstreamHosts
{
    /// <summary>Where claircore (debian/updater.go) looks for Debian's releases; the collector asks an equal server for the same tree.</summary>
    private static readonly string s_debianCdn = string.Join('.', "deb", "debian", "org");

    private static readonly Dictionary<string, string> s_contentHosts = Build();

    /// <summary>Every host that some source of the catalogue is had from, and Debian's CDN; ordered, none twice.</summary>
    public static IReadOnlyList<string> All { get; } = [.. s_contentHosts.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The host under whose name a generation keeps what this host is asked for; null for a host that is no feed's.</summary>
    public static string? ContentHostOf(string host) => s_contentHosts.GetValueOrDefault(host);

    private static Dictionary<string, string> Build()
    {
        var hosts = SourceCatalog.All.SelectMany(s => s.Hosts).Distinct(StringComparer.OrdinalIgnoreCase)
            .ToDictionary(h => h.ToLowerInvariant(), h => h.ToLowerInvariant(), StringComparer.OrdinalIgnoreCase);
        hosts[s_debianCdn] = SourceCatalog.Get("debian").MirrorUri!.Host;
        return hosts;
    }
}

namespace QuayAirGap.Core.Sites;

public sealed partial class SiteSettings
{
    /// <summary>What a new site's sources.yaml says.</summary>
    internal const string Template = """
        # QuayAirGap: what this site carries, and how old it may become.
        # Set-ClairFeedSource edits this file and keeps its comments. What is not said here has its default; Get-ClairFeedSource shows all.
        version: 1

        # sources:
        #   alpine:
        #     enabled: false            # not needed: no Alpine images here
        #   debian:
        #     upstreamRoot: http://cache.example/   # fetch https://host/path as http://cache.example/host/path
        #     warnAfter: 3d             # thresholds on the age since the last good capture: d, h or m
        #     criticalAfter: 5d
        #     expireAfter: 7d
        #   osv:
        #     include: [go, pypi]       # parts: ecosystems of osv, releases of alpine; or exclude: [...]
        #     maxShrink: 10             # per cent fewer advisories than last time: more is held back
        # network:
        #   proxy: http://proxy.example:3128          # default: the system's
        #   caFile: corporate-ca.pem                  # trusted besides the system's; paths from this folder
        #   clientCertificate: collector-client.pfx   # PFX or PEM with its key
        #   requestsPerHost: 4
        # clair:                    # the Clair that reads the mirror here: feeds count as fresh once it is proved to have them
        #   url: http://clair.example:6060
        #   pskFile: /etc/quayairgap/clair-psk
        #   release: 4.9.0          # by whose rules images are judged: 4.9.0 or main
        sources: {}

        """;
}

using System.Globalization;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// What a Clair is configured with, named and treated as by Clair: <c>alpine.url</c> gets a missing trailing slash,
/// <c>rhel-vex.url</c> and <c>debian.mirror_url</c> do not and then resolve at their parent.
/// </summary>
public sealed record ClairConfig
{
    /// <summary><c>updaters.config.alpine.url</c>.</summary>
    public required string AlpineUrl { get; init; }

    /// <summary><c>updaters.config.debian.mirror_url</c>; <c>debian/dists/</c> is expected beneath.</summary>
    public required string DebianMirrorUrl { get; init; }

    /// <summary><c>updaters.config.debian.json_url</c>.</summary>
    public required string DebianJsonUrl { get; init; }

    /// <summary><c>updaters.config.osv.url</c>. Its path counts for the archives, not for <c>ecosystems.txt</c>.</summary>
    public required string OsvUrl { get; init; }

    /// <summary><c>updaters.config.osv.allowlist</c>; null or empty allows all.</summary>
    public IReadOnlyList<string>? OsvAllowlist { get; init; }

    /// <summary><c>updaters.config.rhel-vex.url</c>.</summary>
    public required string RhelVexUrl { get; init; }

    /// <summary><c>updaters.config.rhel-vex.compressed_file_timeout</c>: for the archive's whole download and reading.</summary>
    public TimeSpan CompressedFileTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary><c>updaters.config.oracle-YEAR-updater.url</c> by year.</summary>
    public required Func<int, string> OracleUrl { get; init; }

    /// <summary><c>url</c> of the updater of a Photon release (1, 2, …), in both spellings of its name.</summary>
    public required Func<int, string> PhotonUrl { get; init; }

    /// <summary><c>compression</c> of the Photon updaters; null for Clair's own guess.</summary>
    public string? PhotonCompression { get; init; }

    /// <summary><c>updaters.config.suse.url</c>.</summary>
    public required string SuseUrl { get; init; }

    /// <summary><c>updaters.config.ubuntu.url</c>.</summary>
    public required string UbuntuUrl { get; init; }

    /// <summary><c>updaters.config.ubuntu.force</c>.</summary>
    public IReadOnlyList<(string Name, string Version)> UbuntuForce { get; init; } = [];

    /// <summary><c>updaters.config.ubuntu/updater/NAME.url</c> by codename, with <c>use_bzip2: true</c>; null for no such key.</summary>
    public Func<string, string>? UbuntuUpdaterUrl { get; init; }

    /// <summary><c>indexer.scanner.repo.rhel-repository-scanner.repo2cpe_mapping_url</c>.</summary>
    public required string RepositoryToCpeUrl { get; init; }

    /// <summary><c>indexer.scanner.package.rhel_containerscanner.name2repos_mapping_url</c>.</summary>
    public required string ContainerNameReposMapUrl { get; init; }

    /// <summary><c>updaters.config.clair.cvss.feed_root</c>; without a trailing slash the updater is left out.</summary>
    public required string CvssFeedRoot { get; init; }

    /// <summary><c>clair.epss.url</c>; null for the address that is built in, which names yesterday by Clair's clock.</summary>
    public string? EpssUrl { get; init; }

    /// <summary><c>clair.kev.feed_root</c>.</summary>
    public required string KevUrl { get; init; }

    /// <summary>Which Clair.</summary>
    public ClairRelease Release { get; init; } = ClairRelease.V490;

    /// <summary>
    /// Where all connections go, whatever host a URL names, as when the network's name resolution answers for the upstreams; null to
    /// connect as the URLs say.
    /// </summary>
    public Uri? AllHostsAt { get; init; }

    /// <summary>
    /// Where a rewriting proxy sends requests for every host but this one: <c>&lt;root&gt;/&lt;host&gt;/&lt;path&gt;</c>; null for none. The
    /// <c>aws</c> set takes no configuration at all, so it comes to a mirror's paths this way only.
    /// </summary>
    public Uri? OtherHostsUnder { get; init; }

    /// <summary><c>HTTP_PROXY</c> and <c>HTTPS_PROXY</c> of Clair's environment; null for none.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>
    /// Where connections to a port of any host go, as when the network's name resolution answers for the upstreams; empty to connect as the
    /// URLs say. Host and port of a URL stay what they are in the request and in the TLS handshake.
    /// </summary>
    public IReadOnlyDictionary<int, Uri> PortsAt { get; init; } = new Dictionary<int, Uri>();

    /// <summary>The authorities that Clair's host trusts (PEM); null for the system's.</summary>
    public string? TrustedAuthorities { get; init; }

    /// <summary>
    /// A Clair without any setting of <c>updaters</c>: claircore's own addresses. It has no allow-list of ecosystems either.
    /// </summary>
    public static ClairConfig Unconfigured { get; } = At(host => "https://" + host) with
    {
        DebianMirrorUrl = "https://" + string.Join('.', "deb", "debian", "org") + "/",
    };

    /// <summary>A Clair whose configuration points at a mirror by path: <c>&lt;root&gt;/&lt;upstream host&gt;/&lt;path&gt;</c>.</summary>
    /// <param name="root">The mirror's root.</param>
    public static ClairConfig ByPath(Uri root) => At(host => new Uri(root, host).AbsoluteUri) with
    {
        UbuntuUpdaterUrl = name => new Uri(root, $"security-metadata.canonical.com/oval/com.ubuntu.{name}.cve.oval.xml.bz2").AbsoluteUri,
        PhotonCompression = "none",
    };

    /// <summary>A Clair with upstream's own host names (in plain http), all answered by one server.</summary>
    /// <param name="server">The server. It sees the upstream's name in the Host header.</param>
    public static ClairConfig AsUpstream(Uri server) => At(host => "http://" + host) with { AllHostsAt = server };

    private static ClairConfig At(Func<string, string> rootOf) => new()
    {
        AlpineUrl = rootOf("secdb.alpinelinux.org") + "/",
        DebianMirrorUrl = rootOf("ftp.debian.org") + "/",
        DebianJsonUrl = rootOf("security-tracker.debian.org") + "/tracker/data/json",
        OsvUrl = rootOf("osv-vulnerabilities.storage.googleapis.com") + "/",
        RhelVexUrl = rootOf("security.access.redhat.com") + "/data/csaf/v2/vex/",
        OracleUrl = year => string.Create(
            CultureInfo.InvariantCulture, $"{rootOf("linux.oracle.com")}/security/oval/com.oracle.elsa-{year}.xml.bz2"),
        PhotonUrl = release => string.Create(
            CultureInfo.InvariantCulture, $"{rootOf("packages.vmware.com")}/photon/photon_oval_definitions/com.vmware.phsa-photon{release}.xml"),
        SuseUrl = rootOf("ftp.suse.com") + "/pub/projects/security/oval/",
        UbuntuUrl = rootOf("api.launchpad.net") + "/1.0/",
        CvssFeedRoot = rootOf("nvd.nist.gov") + "/feeds/json/cve/2.0/",
        KevUrl = rootOf("www.cisa.gov") + "/sites/default/files/feeds/known_exploited_vulnerabilities.json",
        RepositoryToCpeUrl = rootOf("security.access.redhat.com") + "/data/metrics/repository-to-cpe.json",
        ContainerNameReposMapUrl = rootOf("security.access.redhat.com") + "/data/metrics/container-name-repos-map.json",
    };
}

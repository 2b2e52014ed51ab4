using System.Globalization;
using QuayAirGap.Core;

namespace QuayAirGap.Server.Commands;

/// <summary>The command line of serve.</summary>
internal sealed record ServeArguments
{
    private const string Usage = """
        Usage: quayairgap serve [--site <dir> | --folder <dir>] [--urls <url>[;<url>…]] [--as-upstream] [options]

        Serves the current generation of a site to Clair, by path: http://this-host:8080/<upstream host>/<path>.
        With --as-upstream also under the feeds' own names, to a Clair without any feed setting.

          --site <dir>            The site. Default: the environment variable QUAYAIRGAP_SITE, else the platform's usual place.
          --folder <dir>          Instead of a site, a folder laid out <host>/<path>: a stand-in for the upstreams, in a lab.
          --last-modified <time>  With --folder: the modification time of every file, UTC, like 2026-11-01T00:00:00Z.
          --urls <url>            Where to serve by path. Default: http://127.0.0.1:8080. Port 0 takes a free one; * is every address of this host.
                                  /status and /images (for people), /status.json, /healthz, /readyz and /metrics are here too.
          --as-upstream           Answers for the feeds' own hosts, with the certificates that New-ClairFeedMirrorCertificate makes.
          --proxy <url>           With --as-upstream: where to be Clair's proxy (HTTP_PROXY and HTTPS_PROXY). Default: http://127.0.0.1:3128.
          --by-name <url>         With --as-upstream: where to answer when the network's name resolution leads the feeds' hosts here,
                                  like https://*:443;http://*:80. With it alone there is no proxy.
          --tls-certificate <f>   For https in --urls: PEM or PFX. Default: the site's own. A renewed file is taken without a restart.
          --tls-key <file>        Its private key, PEM, where it is in a file of its own.
          --tls-password-file <f> The password of the private key, on the first line.
          --http2                 Offers HTTP/2 at the https addresses of --urls. Not for Clair: it would lose Ubuntu.
          --scan-gateway <url>    Stands between Quay and Clair: listens for Quay, asks the Clair at this address, and adds a warning to the report of each
                                  image that the site's feeds cannot speak for. Point Quay's SECURITY_SCANNER_V4_ENDPOINT at it. Needs a site.
          --scan-gateway-urls <u> Where Quay finds it. Default: http://127.0.0.1:6061. With https: the certificate of --tls-certificate, or the site's own.
          --scan-gateway-ca <f>   PEM, the authorities that vouch for Clair, where its address has https and they are not the system's.
          --scan-gateway-contact <text>  Whom to ask, in words, at the end of each warning.
          --scan-gateway-link <url>  Where to read more: the link of each warning, such as this mirror's status page.
          --clair-release <name>  The release of that Clair. Default: the site's setting, else 4.9.0.
          --max-connections <n>   All connections together. Default: 20000. The account's limit of open files must be above it.
          --quiet                 No line for each request.
          --help                  This text.

        Exit codes: 0 stopped by SIGTERM or Ctrl+C; 2 not started.
        """;

    private static readonly string[] s_flags = ["--as-upstream", "--http2", "--quiet", "--help"];

    private static readonly string[] s_options =
    [
        "--site", "--folder", "--last-modified", "--urls", "--proxy", "--by-name", "--tls-certificate", "--tls-key", "--tls-password-file",
        "--scan-gateway", "--scan-gateway-urls", "--scan-gateway-ca", "--scan-gateway-contact", "--scan-gateway-link", "--clair-release", "--max-connections", .. s_flags,
    ];

    public static string Help => Usage;

    public string? Site { get; private init; }

    public string? Folder { get; private init; }

    public DateTimeOffset? LastModified { get; private init; }

    public IReadOnlyList<string> Urls { get; private init; } = ["http://127.0.0.1:8080"];

    public bool AsUpstream { get; private init; }

    public IReadOnlyList<string> Proxy { get; private init; } = [];

    public IReadOnlyList<string> ByName { get; private init; } = [];

    public string? TlsCertificate { get; private init; }

    public string? TlsKey { get; private init; }

    public string? TlsPasswordFile { get; private init; }

    public bool Http2 { get; private init; }

    public Uri? ScanGateway { get; private init; }

    public IReadOnlyList<string> ScanGatewayUrls { get; private init; } = [];

    public string? ScanGatewayCa { get; private init; }

    public string? ScanGatewayContact { get; private init; }

    public Uri? ScanGatewayLink { get; private init; }

    public string? ClairRelease { get; private init; }

    public long? MaxConnections { get; private init; }

    public bool Quiet { get; private init; }

    public bool WantsHelp { get; private init; }

    /// <exception cref="FeedException"><see cref="ErrorIds.ServeOptionInvalid"/></exception>
    public static ServeArguments Parse(IReadOnlyList<string> args)
    {
        var parsed = new ServeArguments();
        var given = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < args.Count; i++)
        {
            string argument = args[i];
            int equals = argument.StartsWith("--", StringComparison.Ordinal) ? argument.IndexOf('=') : -1;
            string option = equals < 0 ? argument : argument[..equals];
            if (option is "-h" or "-?" or "/?")
            {
                option = "--help";
            }

            if (!s_options.Contains(option))
            {
                throw Invalid($"serve has no option '{option}'.", option, $"Did you mean '{Nearest.To(option, s_options)}'? serve --help lists all.");
            }

            if (!given.Add(option))
            {
                throw Invalid($"{option} is given twice.", option, "Give it once; several addresses go into one --urls, separated by semicolons.");
            }

            if (s_flags.Contains(option))
            {
                if (equals >= 0)
                {
                    throw Invalid($"{option} takes no value.", option, $"Write {option} alone.");
                }

                parsed = option switch
                {
                    "--quiet" => parsed with { Quiet = true },
                    "--as-upstream" => parsed with { AsUpstream = true },
                    "--http2" => parsed with { Http2 = true },
                    _ => parsed with { WantsHelp = true },
                };
                continue;
            }

            string value = equals >= 0 ? argument[(equals + 1)..] : i + 1 < args.Count ? args[++i] : "";
            if (value.Length == 0)
            {
                throw Invalid($"{option} needs a value.", option, "serve --help shows what each option takes.");
            }

            parsed = option switch
            {
                "--site" => parsed with { Site = value },
                "--folder" => parsed with { Folder = value },
                "--last-modified" => parsed with { LastModified = ParseTime(value) },
                "--proxy" => parsed with { Proxy = Several(value) },
                "--by-name" => parsed with { ByName = Several(value) },
                "--tls-certificate" => parsed with { TlsCertificate = value },
                "--tls-key" => parsed with { TlsKey = value },
                "--tls-password-file" => parsed with { TlsPasswordFile = value },
                "--scan-gateway" => parsed with { ScanGateway = ParseAddress(option, value) },
                "--scan-gateway-urls" => parsed with { ScanGatewayUrls = Several(value) },
                "--scan-gateway-ca" => parsed with { ScanGatewayCa = value },
                "--scan-gateway-contact" => parsed with { ScanGatewayContact = value },
                "--scan-gateway-link" => parsed with { ScanGatewayLink = ParseAddress(option, value) },
                "--clair-release" => parsed with { ClairRelease = value },
                "--max-connections" => parsed with { MaxConnections = ParseCount(value) },
                _ => parsed with { Urls = Several(value) },
            };
        }

        if (parsed.Site is not null && parsed.Folder is not null)
        {
            throw Invalid("--site and --folder exclude each other.", "--folder", "Serve a site to Clair, or a folder to a lab.");
        }

        if (parsed.LastModified is not null && parsed.Folder is null)
        {
            throw Invalid("--last-modified needs --folder.", "--last-modified", "A site's files have the times that their upstreams gave them.");
        }

        if (parsed.Urls.Count == 0)
        {
            throw Invalid("--urls names no address.", "--urls", "Write it as http://127.0.0.1:8080.");
        }

        parsed.CheckUpstream();
        parsed.CheckGateway();
        parsed.CheckTls();
        return parsed with
        {
            Proxy = parsed is { AsUpstream: true, Proxy.Count: 0, ByName.Count: 0 } ? ["http://127.0.0.1:3128"] : parsed.Proxy,
            ScanGatewayUrls = parsed is { ScanGateway: not null, ScanGatewayUrls.Count: 0 } ? ["http://127.0.0.1:6061"] : parsed.ScanGatewayUrls,
        };
    }

    private void CheckUpstream()
    {
        if (!AsUpstream && Proxy.Count + ByName.Count > 0)
        {
            string option = Proxy.Count > 0 ? "--proxy" : "--by-name";
            throw Invalid($"{option} needs --as-upstream.", option, "Add it, or serve by path with --urls alone.");
        }

        if (AsUpstream && Folder is not null)
        {
            throw Invalid("--as-upstream needs a site.", "--as-upstream", "A folder has neither what Clair can safely read nor certificates.");
        }
    }

    private void CheckGateway()
    {
        (string Option, bool Given)[] belonging =
        [
            ("--scan-gateway-urls", ScanGatewayUrls.Count > 0), ("--scan-gateway-ca", ScanGatewayCa is not null), ("--scan-gateway-contact", ScanGatewayContact is not null),
            ("--scan-gateway-link", ScanGatewayLink is not null), ("--clair-release", ClairRelease is not null),
        ];
        if (ScanGateway is null && belonging.FirstOrDefault(o => o.Given) is { Given: true } alone)
        {
            throw Invalid($"{alone.Option} needs --scan-gateway.", alone.Option, "Name the Clair that it stands in front of.");
        }

        if (ScanGateway is not null && Folder is not null)
        {
            throw Invalid("--scan-gateway needs a site.", "--scan-gateway", "A folder says nothing of how old its feeds are, or which are missing.");
        }
    }

    private void CheckTls()
    {
        bool secure = Urls.Concat(ScanGatewayUrls).Any(u => u.StartsWith("https:", StringComparison.OrdinalIgnoreCase));
        (string Option, bool Given)[] needing = [("--tls-certificate", TlsCertificate is not null), ("--http2", Http2)];
        if (!secure && needing.FirstOrDefault(o => o.Given) is { Given: true } useless)
        {
            throw Invalid($"{useless.Option} needs an address with https in --urls.", useless.Option, "Write it like --urls https://*:8443.");
        }

        (string Option, bool Given)[] belonging = [("--tls-key", TlsKey is not null), ("--tls-password-file", TlsPasswordFile is not null)];
        if (TlsCertificate is null && belonging.FirstOrDefault(o => o.Given) is { Given: true } alone)
        {
            throw Invalid($"{alone.Option} needs --tls-certificate.", alone.Option, "Name the certificate that it belongs to.");
        }
    }

    private static string[] Several(string value) => value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static long ParseCount(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count > 0
            ? count
            : throw Invalid($"'{text}' is not a number of connections.", text, "Write a whole number above 0.");

    private static Uri ParseAddress(string option, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" && address is { UserInfo: "", Query: "", Fragment: "" }
            ? address
            : throw Invalid($"'{text}' is not an address.", option, $"Write it like {option} http://clair.example:6060.");

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time
            : throw Invalid($"'{text}' is not a time.", text, "Write it like 2026-11-01T00:00:00Z.");

    private static FeedException Invalid(string message, string target, string remedy) => new(ErrorIds.ServeOptionInvalid, message, target, remedy);
}

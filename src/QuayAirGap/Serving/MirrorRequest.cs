namespace QuayAirGap.Serving;

/// <summary>What a mirror is started with. Exactly one of <see cref="SitePath"/> and <see cref="Folder"/> is given; paths are absolute.</summary>
internal sealed record MirrorRequest
{
    public string? SitePath { get; init; }

    public string? Folder { get; init; }

    /// <summary>Where to serve by path.</summary>
    public required IReadOnlyList<string> Urls { get; init; }

    public bool AsUpstream { get; init; }

    /// <summary>Where to be a proxy for the feeds' own hosts; the server's default where this and <see cref="ByName"/> are empty.</summary>
    public IReadOnlyList<string> Proxy { get; init; } = [];

    public IReadOnlyList<string> ByName { get; init; } = [];

    public string? TlsCertificate { get; init; }

    public string? TlsKey { get; init; }

    /// <summary>The Clair before which it stands as scan gateway; null for none.</summary>
    public Uri? ScanGateway { get; init; }

    /// <summary>Where the gateway listens; the server's default where it is empty.</summary>
    public IReadOnlyList<string> ScanGatewayUrls { get; init; } = [];

    public string? ScanGatewayCa { get; init; }

    public string? ScanGatewayContact { get; init; }

    public Uri? ScanGatewayLink { get; init; }

    public string? ClairRelease { get; init; }

    /// <summary>How many addresses it announces once it listens.</summary>
    public int Addresses =>
        Urls.Count + (AsUpstream ? Math.Max(1, Proxy.Count + ByName.Count) : 0) + (ScanGateway is null ? 0 : Math.Max(1, ScanGatewayUrls.Count));

    /// <summary>The command line of "quayairgap".</summary>
    public IEnumerable<string> Arguments()
    {
        List<string> arguments = ["serve", SitePath is null ? "--folder" : "--site", SitePath ?? Folder!, "--urls", string.Join(';', Urls), "--quiet"];
        if (AsUpstream)
        {
            arguments.Add("--as-upstream");
        }

        foreach ((string option, string? value) in new[]
        {
            ("--proxy", Joined(Proxy)), ("--by-name", Joined(ByName)), ("--tls-certificate", TlsCertificate), ("--tls-key", TlsKey),
            ("--scan-gateway", ScanGateway?.OriginalString), ("--scan-gateway-urls", Joined(ScanGatewayUrls)), ("--scan-gateway-ca", ScanGatewayCa),
            ("--scan-gateway-contact", ScanGatewayContact), ("--scan-gateway-link", ScanGatewayLink?.OriginalString), ("--clair-release", ClairRelease),
        })
        {
            if (value is not null)
            {
                arguments.AddRange([option, value]);
            }
        }

        return arguments;
    }

    private static string? Joined(IReadOnlyList<string> urls) => urls.Count == 0 ? null : string.Join(';', urls);
}

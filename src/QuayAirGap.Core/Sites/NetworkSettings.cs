namespace QuayAirGap.Core.Sites;

/// <summary>How this site reaches upstreams. Paths may be relative to the site's folder. No secret stands in the settings themselves.</summary>
public sealed record NetworkSettings
{
    /// <summary>PEM file with certificates of authorities that are trusted besides the system's; null for none.</summary>
    public string? CaFile { get; init; }

    /// <summary>PFX or PEM file with the certificate and key that this collector shows; null for none.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>A file whose first line is the password of <see cref="ClientCertificate"/>; null where it has none.</summary>
    public string? ClientPasswordFile { get; init; }

    /// <summary>The forward proxy for every request; null for what the system says (HTTPS_PROXY, NO_PROXY and their kin).</summary>
    public Uri? Proxy { get; init; }

    /// <summary>Requests under way at one host at once; null for the default.</summary>
    public int? RequestsPerHost { get; init; }
}

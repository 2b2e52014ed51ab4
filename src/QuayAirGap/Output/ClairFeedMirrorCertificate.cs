namespace QuayAirGap;

/// <summary>The certificates of a site's mirror. Times are UTC.</summary>
public sealed class ClairFeedMirrorCertificate
{
    /// <summary>The PEM file with the authorities that Clair has to trust; no private key in it.</summary>
    public required string AuthorityPath { get; init; }

    /// <summary>SHA-256 of the authority that vouches for the certificates in use, 64 lower-case hexadecimal digits.</summary>
    public required string Thumbprint { get; init; }

    public required DateTimeOffset AuthorityNotAfter { get; init; }

    /// <summary>SHA-256 of the authority that waits to take over, or null.</summary>
    public string? NextThumbprint { get; init; }

    /// <summary>The feeds' hosts that the certificate for --as-upstream is for.</summary>
    public required string[] UpstreamHosts { get; init; }

    /// <summary>The PEM file with that certificate and its private key.</summary>
    public required string UpstreamPath { get; init; }

    public required DateTimeOffset UpstreamNotAfter { get; init; }

    /// <summary>The mirror's own names; empty where it has none.</summary>
    public required string[] DnsNames { get; init; }

    /// <summary>The PEM file with the certificate for the mirror's own names and its private key, or null.</summary>
    public string? MirrorPath { get; init; }

    public DateTimeOffset? MirrorNotAfter { get; init; }

    /// <inheritdoc/>
    public override string ToString() => AuthorityPath;
}

using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Tls;

/// <summary>An authority of a mirror. Times are UTC.</summary>
public sealed record MirrorAuthority
{
    /// <summary>SHA-256 of the DER certificate, 64 lower-case hexadecimal digits.</summary>
    public required string Thumbprint { get; init; }

    public required string Subject { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>The DNS names that it may vouch for, and what is beneath them.</summary>
    public required IReadOnlyList<string> PermittedNames { get; init; }

    internal static MirrorAuthority Of(X509Certificate2 certificate) => new()
    {
        Thumbprint = Sha256Digest.Of(certificate.RawDataMemory.Span),
        Subject = certificate.Subject,
        NotBefore = certificate.NotBefore.ToUniversalTime(),
        NotAfter = certificate.NotAfter.ToUniversalTime(),
        PermittedNames = NameConstraints.PermittedBy(certificate),
    };
}

/// <summary>A server certificate of a mirror. Times are UTC.</summary>
/// <param name="Path">The PEM file with the certificate and its key.</param>
/// <param name="Names">The DNS names that it is for.</param>
/// <param name="Issuer">The subject of the authority that vouches for it.</param>
public sealed record MirrorLeaf(string Path, IReadOnlyList<string> Names, string Issuer, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>When a third of its life is left. Until it ends there are months to notice that it was not renewed.</summary>
    public DateTimeOffset RenewAfter => NotAfter - ((NotAfter - NotBefore) / 3);
}

/// <summary>What a site has of certificates for its mirror.</summary>
public sealed record MirrorCertificateState
{
    /// <summary>The PEM file with every authority that Clair has to trust: one, or two while they are being exchanged.</summary>
    public required string TrustFile { get; init; }

    /// <summary>The one that vouches for the certificates in use.</summary>
    public required MirrorAuthority Authority { get; init; }

    /// <summary>Made to replace <see cref="Authority"/>, and already in <see cref="TrustFile"/>; null where no exchange is under way.</summary>
    public MirrorAuthority? NextAuthority { get; init; }

    /// <summary>For the feeds' own hosts.</summary>
    public required MirrorLeaf Upstream { get; init; }

    /// <summary>For the mirror by path; null where it has no names of its own.</summary>
    public MirrorLeaf? Mirror { get; init; }

    /// <summary>
    /// Hosts of feeds that the authority may not vouch for, because this version of the program knows more than the one that made it.
    /// Exchanging the authority mends it.
    /// </summary>
    public IReadOnlyList<string> HostsNotPermitted => [.. UpstreamHosts.All.Where(h => !NameConstraints.Permits(Authority.PermittedNames, h))];
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Tls;

/// <summary>Makes the authority of a mirror, and the certificates that it vouches for. ECDSA on P-256 with SHA-256 throughout.</summary>
internal static class CertificateIssuer
{
    /// <summary>Clair reads its roots once per process, and exchanging them takes a restart: an authority lives long.</summary>
    public static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3653);

    /// <summary>The most that certificates' readers commonly take.</summary>
    public static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(397);

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>How far Clair's clock may be behind this one: there is no time server to rely on.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromDays(1);

    /// <param name="names">The DNS names that it may vouch for.</param>
    public static X509Certificate2 CreateAuthority(IEnumerable<string> names, DateTimeOffset now)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // A name of its own: where two authorities are trusted side by side, a reader finds the right one by it.
        string id = Sha256Digest.Of(key.ExportSubjectPublicKeyInfo())[..8];
        var request = new CertificateRequest(NameOf($"QuayAirGap feed mirror authority {id}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(NameConstraints.Permit(names));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using X509Certificate2 certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), WholeSeconds(now) - s_skew, WholeSeconds(now) + AuthorityLifetime, Serial());
        return certificate.CopyWithPrivateKey(key);
    }

    /// <param name="authority">With its private key.</param>
    /// <param name="names">The DNS names of the server; at least one.</param>
    public static X509Certificate2 CreateLeaf(X509Certificate2 authority, string commonName, IReadOnlyList<string> names, DateTimeOffset now)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NameOf(commonName), key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        DateTimeOffset notAfter = WholeSeconds(now) + LeafLifetime;
        DateTimeOffset notBefore = WholeSeconds(now) - s_skew;
        using ECDsa issuer = authority.GetECDsaPrivateKey()!;
        using X509Certificate2 certificate = request.Create(
            authority.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer),
            notBefore < authority.NotBefore ? authority.NotBefore : notBefore,
            notAfter > authority.NotAfter ? authority.NotAfter : notAfter,
            Serial());
        return certificate.CopyWithPrivateKey(key);
    }

    private static X500DistinguishedName NameOf(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    /// <summary>RFC 5280, 4.1.2.2: positive, at most 20 octets.</summary>
    private static byte[] Serial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}

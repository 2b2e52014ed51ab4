using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Trust;

/// <summary>Which certificates may sign bundles, or vouch for those that do.</summary>
internal static class CertificateRules
{
    internal const string CodeSigning = "1.3.6.1.5.5.7.3.3";
    internal const string Sha256 = "2.16.840.1.101.3.4.2.1";
    internal const string Sha384 = "2.16.840.1.101.3.4.2.2";
    internal const string Sha512 = "2.16.840.1.101.3.4.2.3";
    internal const string RsaKey = "1.2.840.113549.1.1.1";
    internal const string EcKey = "1.2.840.10045.2.1";

    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";

    /// <summary>sha256/384/512WithRSAEncryption and ecdsa-with-SHA256/384/512 (RFC 8017 A.2.4, RFC 5758 3.2).</summary>
    private static readonly string[] s_signatureAlgorithms =
    [
        "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13",
        "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
    ];

    /// <summary>SHA-256 of the DER certificate.</summary>
    public static string ThumbprintOf(X509Certificate2 certificate) => Sha256Digest.Of(certificate.RawDataMemory.Span);

    /// <summary>SHA-256 of the public key with its algorithm: a key that was revoked stays so in any other certificate.</summary>
    public static string KeyOf(X509Certificate2 certificate) => Sha256Digest.Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    public static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is { CertificateAuthority: true };

    public static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    /// <summary>Why the key is too weak (or of a kind nobody checked here), or null.</summary>
    public static string? WeaknessOfKey(X509Certificate2 certificate)
    {
        switch (certificate.PublicKey.Oid.Value)
        {
            case RsaKey:
                using (RSA? rsa = certificate.GetRSAPublicKey())
                {
                    return rsa?.KeySize is >= 3072 and <= 16384 ? null : $"its RSA key has {rsa?.KeySize} bits; 3072 or more are needed";
                }

            case EcKey:
                return CurveOf(certificate) is P256 or P384 ? null : "its elliptic curve is neither P-256 nor P-384";
            default:
                return $"its key is neither RSA nor ECDSA ({certificate.PublicKey.Oid.Value})";
        }
    }

    /// <summary>Why the issuer's signature on it counts for nothing, or null.</summary>
    public static string? WeaknessOfSignature(X509Certificate2 certificate) =>
        s_signatureAlgorithms.Contains(certificate.SignatureAlgorithm.Value, StringComparer.Ordinal)
            ? null
            : $"it was signed with {certificate.SignatureAlgorithm.FriendlyName ?? certificate.SignatureAlgorithm.Value}; SHA-256 or better with RSA or ECDSA is needed";

    /// <summary>Why it is no certificate for signing bundles, or null. Does not look at keys and times.</summary>
    public static string? UnfitAsSigner(X509Certificate2 certificate)
    {
        if (IsAuthority(certificate))
        {
            return "it is a certificate authority's, and those do not sign bundles themselves";
        }

        if (certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is not { } usage
            || !usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature))
        {
            return "its key usage does not say 'digital signature'";
        }

        return certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault() is { } purposes
            && purposes.EnhancedKeyUsages.Cast<Oid>().Any(o => o.Value == CodeSigning)
            ? null
            : $"its extended key usage does not say 'code signing' ({CodeSigning})";
    }

    /// <summary>Why it cannot vouch for signers, or null.</summary>
    public static string? UnfitAsAuthority(X509Certificate2 certificate)
    {
        if (!IsSelfIssued(certificate))
        {
            return "it is an intermediate authority's: add the root authority's certificate instead, the signature brings the intermediate one along";
        }

        return certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage
            && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign)
            ? "its key usage does not say 'certificate signing'"
            : null;
    }

    /// <summary>
    /// The named curve's identifier. Read from the certificate itself: parameters spelled out instead of named are refused, because
    /// they can imitate another curve (CVE-2020-0601).
    /// </summary>
    private static string? CurveOf(X509Certificate2 certificate)
    {
        try
        {
            byte[]? parameters = certificate.PublicKey.EncodedParameters?.RawData;
            return parameters is null ? null : AsnDecoder.ReadObjectIdentifier(parameters, AsnEncodingRules.DER, out _);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}

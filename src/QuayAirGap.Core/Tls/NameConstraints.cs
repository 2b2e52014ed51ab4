using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.Core.Tls;

/// <summary>
/// The name constraints of an authority (RFC 5280, 4.2.1.10): DNS names that it may vouch for, and no IP address whatever. The platform
/// has no class for them. Go enforces them on a trust anchor too (crypto/x509 verify.go), so Clair refuses every other name.
/// </summary>
internal static class NameConstraints
{
    public const string ObjectIdentifier = "2.5.29.30";

    private static readonly Asn1Tag s_permitted = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag s_excluded = new(TagClass.ContextSpecific, 1, isConstructed: true);
    private static readonly Asn1Tag s_dnsName = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag s_ipAddress = new(TagClass.ContextSpecific, 7);

    /// <param name="names">DNS names; each permits itself and what is beneath it.</param>
    public static X509Extension Permit(IEnumerable<string> names)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(s_permitted))
            {
                foreach (string name in names)
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteCharacterString(UniversalTagNumber.IA5String, name, s_dnsName);
                    }
                }
            }

            using (writer.PushSequence(s_excluded))
            {
                // An address and a mask, all zero: every address there is, of IPv4 and of IPv6.
                foreach (int length in new[] { 8, 32 })
                {
                    using (writer.PushSequence())
                    {
                        writer.WriteOctetString(new byte[length], s_ipAddress);
                    }
                }
            }
        }

        return new X509Extension(ObjectIdentifier, writer.Encode(), critical: true);
    }

    /// <summary>The DNS names that a certificate permits; empty where it has no constraints.</summary>
    /// <exception cref="CryptographicException">The extension cannot be read.</exception>
    public static IReadOnlyList<string> PermittedBy(X509Certificate2 authority)
    {
        X509Extension? extension = authority.Extensions.FirstOrDefault(e => e.Oid?.Value == ObjectIdentifier);
        if (extension is null)
        {
            return [];
        }

        try
        {
            var names = new List<string>();
            AsnReader constraints = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            if (constraints.HasData && constraints.PeekTag().HasSameClassAndValue(s_permitted))
            {
                AsnReader permitted = constraints.ReadSequence(s_permitted);
                while (permitted.HasData)
                {
                    AsnReader subtree = permitted.ReadSequence();
                    if (subtree.PeekTag().HasSameClassAndValue(s_dnsName))
                    {
                        names.Add(subtree.ReadCharacterString(UniversalTagNumber.IA5String, s_dnsName));
                    }
                }
            }

            return names;
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException("The name constraints cannot be read.", e);
        }
    }

    /// <summary>Whether one of the names permits it: the same, or above it.</summary>
    public static bool Permits(IEnumerable<string> names, string host) =>
        names.Any(n => host.Equals(n, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + n, StringComparison.OrdinalIgnoreCase));
}

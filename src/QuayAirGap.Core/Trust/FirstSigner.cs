using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Trust;

/// <summary>
/// Who signed a new site's first bundle, where the site's owner knows the signer's thumbprint by another way. The bundle brings the
/// certificate, and the SHA-256 says that it is the right one: what is known is all of it, and nothing of the bundle decides whom to trust.
/// </summary>
public sealed class FirstSigner
{
    private const int Digits = 64;

    private readonly byte[] _certificate;

    private FirstSigner(X509Certificate2 certificate, string thumbprint)
    {
        _certificate = certificate.RawData;
        Subject = SnapshotRules.Printable(certificate.Subject);
        Thumbprint = thumbprint;
    }

    /// <summary>The certificate's distinguished name.</summary>
    public string Subject { get; }

    /// <summary>SHA-256 of the certificate, 64 lower-case hexadecimal digits.</summary>
    public string Thumbprint { get; }

    /// <summary>Finds the signer whose signature of the content holds and whose certificate has the thumbprint. Authorities that a signature brings are not looked at.</summary>
    /// <param name="content">What was signed.</param>
    /// <param name="signatures">Each a detached CMS signature in DER.</param>
    /// <param name="thumbprint">All 64 hexadecimal digits, with colons or without: a shorter one could be met by a certificate made for it.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustThumbprintInvalid"/>, <see cref="ErrorIds.TrustThumbprintDiffers"/>,
    /// <see cref="ErrorIds.BundleUnsigned"/>, <see cref="ErrorIds.BundleLimit"/>, <see cref="ErrorIds.BundleSignatureInvalid"/> or
    /// <see cref="ErrorIds.BundleSignatureWeak"/></exception>
    public static FirstSigner Find(ReadOnlyMemory<byte> content, IReadOnlyList<byte[]> signatures, string thumbprint)
    {
        string wanted = thumbprint.Trim().Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
        if (wanted.Length != Digits || !wanted.All(char.IsAsciiHexDigit))
        {
            throw new FeedException(
                ErrorIds.TrustThumbprintInvalid, $"'{thumbprint}' is not a whole thumbprint; the {Digits} hexadecimal digits of a SHA-256 are needed.", thumbprint,
                "Have the whole thumbprint read out where the signer was made: New-ClairFeedSigner shows it.");
        }

        X509Certificate2[] signers = [.. SignatureVerifier.CheckSignatures(content, signatures).Select(m => m.SignerInfos[0].Certificate!)];
        return Array.Find(signers, s => CertificateRules.ThumbprintOf(s) == wanted) is { } found
            ? new FirstSigner(found, wanted)
            : throw new FeedException(
                ErrorIds.TrustThumbprintDiffers,
                SnapshotRules.Printable(
                    $"The bundle was not signed by {wanted[..16]}… but by {string.Join(" and ", signers.Select(s => $"'{s.Subject}' ({CertificateRules.ThumbprintOf(s)[..16]}…)"))}."),
                "signature", "Ask the signer's owner: either the thumbprint was copied wrongly, or it is an authority's and not the signer's, or somebody else made the bundle.");
    }

    /// <summary>Whether the site trusts it already, so that nothing is left to do; false for a site that has never trusted anybody.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustEstablished"/> for any other site, or <see cref="ErrorIds.SiteDamaged"/></exception>
    public bool IsTrusted(TrustStore store)
    {
        IReadOnlyList<TrustedSigner> known = store.List();
        if (known.Any(t => t.Thumbprint == Thumbprint && !t.IsRevoked))
        {
            return true;
        }

        if (known.Count > 0 || store.Stream is not null)
        {
            throw new FeedException(
                ErrorIds.TrustEstablished, $"This site has decided already whom it trusts, and '{Subject}' is not among them.", Thumbprint,
                "A thumbprint alone is enough for a site's first signer only. Add-ClairFeedTrust takes a further one; a root's signers need nothing.");
        }

        return false;
    }

    /// <summary>Trusts it, where the site has never trusted anybody. The caller holds the site's lock.</summary>
    /// <returns>False where the site trusts it already.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustEstablished"/>, <see cref="ErrorIds.SiteDamaged"/>, or <see cref="ErrorIds.TrustInvalid"/> for a
    /// certificate that is not fit to sign bundles</exception>
    public bool Trust(TrustStore store)
    {
        if (IsTrusted(store))
        {
            return false;
        }

        using var certificate = new X509Certificate2(_certificate);
        if (CertificateRules.UnfitAsSigner(certificate) is { } unfit)
        {
            throw new FeedException(
                ErrorIds.TrustInvalid, $"'{Subject}' cannot be trusted as a signer: {unfit}.", Thumbprint, "Have the bundle signed by a signer; New-ClairFeedSigner makes one.");
        }

        store.Add(certificate, Subject);
        return true;
    }
}

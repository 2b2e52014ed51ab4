using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Trust;

/// <summary>A trusted signer of a bundle.</summary>
/// <param name="Thumbprint">SHA-256 of the signing certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="Subject">The signing certificate's distinguished name.</param>
/// <param name="Anchor">Thumbprint of the certificate in the site's trust that it rests on: itself, or its root authority.</param>
/// <param name="NotAfter">Until when the signing certificate is valid, UTC.</param>
public sealed record VerifiedSigner(string Thumbprint, string Subject, string Anchor, DateTimeOffset NotAfter);

/// <summary>
/// Detached CMS signatures (RFC 5652) against the site's own trust. Nothing outside the site is asked: no machine roots, no network, no
/// clock but the one given.
/// </summary>
public static class SignatureVerifier
{
    /// <summary>The most signatures of one bundle.</summary>
    public const int MaxSignatures = TrustPolicy.MostSigners;

    /// <summary>The most bytes of one signature: a dozen certificates.</summary>
    public const int MaxSignatureBytes = 64 * 1024;

    private const int MostCertificates = 10;
    private const string Data = "1.2.840.113549.1.7.1";

    private static readonly string[] s_digests = [CertificateRules.Sha256, CertificateRules.Sha384, CertificateRules.Sha512];

    /// <summary>rsaEncryption, sha256/384/512WithRSAEncryption, RSASSA-PSS, ecdsa-with-SHA256/384/512.</summary>
    private static readonly string[] s_signatures =
    [
        CertificateRules.RsaKey, "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13", "1.2.840.113549.1.1.10",
        "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
    ];

    /// <summary>The trusted signers of the content, each once however often it signed; never fewer than the site's policy asks for.</summary>
    /// <param name="content">What was signed.</param>
    /// <param name="signatures">Each a detached CMS signature in DER.</param>
    /// <param name="trust">The site's trust.</param>
    /// <param name="at">The time at which the certificates must have been valid.</param>
    /// <param name="carried">What the site's roots say that it does not know yet; see <see cref="TrustDocuments.Newer"/>.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleUnsigned"/>, <see cref="ErrorIds.BundleSignatureInvalid"/>,
    /// <see cref="ErrorIds.BundleSignerUnknown"/>, <see cref="ErrorIds.BundleSignerRevoked"/>, <see cref="ErrorIds.BundleSignerExpired"/>,
    /// <see cref="ErrorIds.BundleSignatureWeak"/>, <see cref="ErrorIds.BundleTooFewSigners"/>, <see cref="ErrorIds.BundleSignerRepeated"/>,
    /// <see cref="ErrorIds.BundleLimit"/> or <see cref="ErrorIds.TrustEmpty"/></exception>
    public static IReadOnlyList<VerifiedSigner> Verify(
        ReadOnlyMemory<byte> content, IReadOnlyList<byte[]> signatures, TrustStore trust, DateTimeOffset at, IReadOnlyList<TrustDocument>? carried = null)
    {
        int required = trust.RequiredSigners;
        var signers = new List<(VerifiedSigner Signer, string Key, string Name)>();
        int repeated = 0;
        var objections = new List<(string ErrorId, string Text)>();
        SignedCms[] messages = CheckSignatures(content, signatures);
        using TrustedCertificates certificates = trust.LoadCertificates(carried);
        if (certificates.All.Count == 0)
        {
            throw new FeedException(
                ErrorIds.TrustEmpty, $"This site trusts no signer yet; the bundle was signed by {Subjects(messages)}.", "trust",
                "Get the signer's .cer file by a way you trust, and run Add-ClairFeedTrust with it.");
        }

        foreach (SignedCms message in messages)
        {
            X509Certificate2 certificate = message.SignerInfos[0].Certificate!;
            (VerifiedSigner? signer, string? errorId, string? text) = Judge(certificate, message.Certificates, certificates, at);
            if (signer is null)
            {
                objections.Add((errorId!, SnapshotRules.Printable($"'{certificate.Subject}' ({CertificateRules.ThumbprintOf(certificate)[..16]}…) {text}")));
                continue;
            }

            // One signer is one: the same key under two certificates, and, where an authority vouches, the same name with two keys.
            string key = CertificateRules.KeyOf(certificate);
            string name = signer.Anchor == signer.Thumbprint ? signer.Thumbprint : signer.Anchor + " " + certificate.Issuer + " " + signer.Subject;
            if (signers.Exists(s => s.Key == key || s.Name == name))
            {
                repeated++;
            }
            else
            {
                signers.Add((signer, key, name));
            }
        }

        return signers.Count >= required ? [.. signers.Select(s => s.Signer)] : throw Refusal(signers.Count, repeated, required, objections);
    }

    /// <summary>Whom a signature names, unverified: for showing a bundle to people.</summary>
    internal static string ClaimedSubject(byte[] signature)
    {
        try
        {
            var message = new SignedCms();
            message.Decode(signature);
            return message.SignerInfos is [{ Certificate: { } certificate }, ..] ? SnapshotRules.Printable(certificate.Subject) : "(without certificate)";
        }
        catch (CryptographicException)
        {
            return "(unreadable)";
        }
    }

    /// <summary>Holds that there are signatures and that each is one of the content. Says nothing of whose.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleUnsigned"/>, <see cref="ErrorIds.BundleLimit"/>,
    /// <see cref="ErrorIds.BundleSignatureInvalid"/> or <see cref="ErrorIds.BundleSignatureWeak"/></exception>
    internal static SignedCms[] CheckSignatures(ReadOnlyMemory<byte> content, IReadOnlyList<byte[]> signatures)
    {
        if (signatures.Count == 0)
        {
            throw new FeedException(
                ErrorIds.BundleUnsigned, "The bundle is not signed.", "signature", "Make it with Save-ClairFeed -Signer. Unsigned bundles are never imported.");
        }

        if (signatures.Count > MaxSignatures || signatures.Any(s => s.Length > MaxSignatureBytes))
        {
            throw new FeedException(
                ErrorIds.BundleLimit, $"The bundle has too many or too large signatures; {MaxSignatures} of {MaxSignatureBytes} bytes are allowed.", "signature",
                "Have the bundle made again.");
        }

        byte[] bytes = content.ToArray();
        return [.. signatures.Select(s => CheckSignature(bytes, s))];
    }

    /// <summary>Holds that a message is a signature of the content, in the one form that is allowed. Says nothing of whose.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleSignatureInvalid"/> or <see cref="ErrorIds.BundleSignatureWeak"/></exception>
    internal static SignedCms CheckSignature(byte[] content, byte[] signature)
    {
        try
        {
            // Detached means that nothing else could have been signed: a message that brings content of its own is refused, and so is
            // one with anything behind it.
            AsnDecoder.ReadEncodedValue(signature, AsnEncodingRules.BER, out _, out _, out int consumed);
            Demand(consumed == signature.Length, "it has something behind its end");
            var bare = new SignedCms();
            bare.Decode(signature);
            Demand(bare.ContentInfo.Content.Length == 0, "it brings content of its own");
            Demand(bare.ContentInfo.ContentType.Value == Data, "it signs another type of content");

            var message = new SignedCms(new ContentInfo(content), detached: true);
            message.Decode(signature);
            Demand(message.SignerInfos.Count == 1, $"it has {message.SignerInfos.Count} signers where one is expected");
            Demand(message.Certificates.Count <= MostCertificates, "it has too many certificates");
            SignerInfo signer = message.SignerInfos[0];
            Demand(
                message.Version == 1 && signer.Version == 1 && signer.SignerIdentifier.Type == SubjectIdentifierType.IssuerAndSerialNumber,
                "it is of another version, or names its signer in another way");
            Demand(AnnouncedDigest(signature) == signer.DigestAlgorithm.Value, "it announces another digest than it uses");
            Demand(signer.CounterSignerInfos.Count == 0 && signer.UnsignedAttributes.Count == 0, "it has attributes that nobody signed");
            if (!s_digests.Contains(signer.DigestAlgorithm.Value))
            {
                throw new FeedException(
                    ErrorIds.BundleSignatureWeak,
                    SnapshotRules.Printable($"A signature of the bundle rests on {signer.DigestAlgorithm.FriendlyName ?? signer.DigestAlgorithm.Value}; SHA-256 or better is needed."),
                    "signature", "Have the bundle signed again by this version of QuayAirGap.");
            }

            Demand(s_signatures.Contains(signer.SignatureAlgorithm.Value), $"its algorithm is {signer.SignatureAlgorithm.FriendlyName}");

            // Without signed attributes the content itself is signed, and then the attributes of one message pass as the content of another.
            Demand(
                Attribute<Pkcs9ContentType>(signer) is { ContentType.Value: Data } && Attribute<Pkcs9MessageDigest>(signer) is not null,
                "it lacks the signed attributes");
            Demand(signer.Certificate is not null, "it does not bring its signer's certificate");
            message.CheckSignature(verifySignatureOnly: true);
            return message;
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new FeedException(
                ErrorIds.BundleSignatureInvalid, SnapshotRules.Printable($"A signature of the bundle does not hold: {e.Message}"), "signature",
                "The bundle was altered or damaged after it was signed, or its signature belongs to another. Carry it over again; do not import it.", e);
        }
    }

    /// <summary>The one entry of SignedData.digestAlgorithms, which <see cref="SignedCms"/> does not show.</summary>
    private static string AnnouncedDigest(byte[] signature)
    {
        AsnReader contentInfo = new AsnReader(signature, AsnEncodingRules.BER).ReadSequence();
        contentInfo.ReadObjectIdentifier();
        AsnReader signedData = contentInfo.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
        signedData.ReadInteger();
        AsnReader digests = signedData.ReadSetOf();
        string digest = digests.ReadSequence().ReadObjectIdentifier();
        digests.ThrowIfNotEmpty();
        return digest;
    }

    private static (VerifiedSigner? Signer, string? ErrorId, string? Text) Judge(
        X509Certificate2 certificate, X509Certificate2Collection brought, TrustedCertificates trust, DateTimeOffset at)
    {
        try
        {
            return JudgeCertificate(certificate, brought, trust, at);
        }
        catch (CryptographicException e)
        {
            return (null, ErrorIds.BundleSignerUnknown, $"has a certificate that cannot be read: {e.Message}");
        }
    }

    private static (VerifiedSigner? Signer, string? ErrorId, string? Text) JudgeCertificate(
        X509Certificate2 certificate, X509Certificate2Collection brought, TrustedCertificates trust, DateTimeOffset at)
    {
        string thumbprint = CertificateRules.ThumbprintOf(certificate);
        string key = CertificateRules.KeyOf(certificate);
        if (IsRevoked(thumbprint, key, trust))
        {
            return (null, ErrorIds.BundleSignerRevoked, "was revoked on this site");
        }

        if (CertificateRules.UnfitAsSigner(certificate) is { } unfit)
        {
            return (null, ErrorIds.BundleSignerUnknown, $"is not accepted: {unfit}");
        }

        if (CertificateRules.WeaknessOfKey(certificate) is { } weak)
        {
            return (null, ErrorIds.BundleSignatureWeak, $"is not accepted: {weak}");
        }

        bool pinned = trust.All.Any(t => t.Info.Thumbprint == thumbprint);
        X509Certificate2[] roots = [.. trust.All.Where(t => t.Info.IsAuthority && !t.Info.IsRevoked).Select(t => t.Certificate)];
        (string? errorId, string? text, string? anchor) = pinned
            ? BuildPinned(certificate, at)
            : BuildIssued(certificate, brought, roots, trust, at);
        if (errorId == ErrorIds.BundleSignerUnknown && !pinned)
        {
            // Say "revoked" where it would have been trusted before.
            X509Certificate2[] before = [.. trust.All.Where(t => t.Info.IsAuthority).Select(t => t.Certificate)];
            if (before.Length > roots.Length && BuildIssued(certificate, brought, before, trust, at).ErrorId is ErrorIds.BundleSignerRevoked)
            {
                return (null, ErrorIds.BundleSignerRevoked, "was issued by an authority that was revoked on this site");
            }
        }

        return errorId is null
            ? (new VerifiedSigner(thumbprint, certificate.Subject, anchor!, certificate.NotAfter.ToUniversalTime()), null, null)
            : (null, errorId, text);
    }

    /// <summary>A signer that the site holds itself: nobody needs to vouch for it, but its times and purposes count.</summary>
    private static (string? ErrorId, string? Text, string? Anchor) BuildPinned(X509Certificate2 certificate, DateTimeOffset at)
    {
        using X509Chain chain = NewChain(at);
        if (CertificateRules.IsSelfIssued(certificate))
        {
            chain.ChainPolicy.CustomTrustStore.Add(certificate);
        }

        chain.Build(certificate);
        X509ChainStatusFlags problems = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain.ChainStatus)
        {
            problems |= status.Status;
        }

        if (!CertificateRules.IsSelfIssued(certificate))
        {
            problems &= ~(X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot);
        }

        (string? errorId, string? text) = Explain(problems, certificate, at);
        Release(chain);
        return (errorId, text, CertificateRules.ThumbprintOf(certificate));
    }

    private static (string? ErrorId, string? Text, string? Anchor) BuildIssued(
        X509Certificate2 certificate, X509Certificate2Collection brought, X509Certificate2[] roots, TrustedCertificates trust, DateTimeOffset at)
    {
        if (roots.Length == 0)
        {
            return (ErrorIds.BundleSignerUnknown, "is not among those that this site trusts", null);
        }

        using X509Chain chain = NewChain(at);
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        foreach (X509Certificate2 other in brought)
        {
            if (!CertificateRules.IsSelfIssued(other))
            {
                chain.ChainPolicy.ExtraStore.Add(other);
            }
        }

        try
        {
            chain.Build(certificate);
            X509ChainStatusFlags problems = X509ChainStatusFlags.NoError;
            foreach (X509ChainStatus status in chain.ChainStatus)
            {
                problems |= status.Status;
            }

            (string? errorId, string? text) = Explain(problems, certificate, at);
            if (errorId is not null)
            {
                return (errorId, text, null);
            }

            X509Certificate2[] links = [.. chain.ChainElements.Select(e => e.Certificate)];
            string anchor = CertificateRules.ThumbprintOf(links[^1]);
            if (!roots.Any(r => CertificateRules.ThumbprintOf(r) == anchor))
            {
                return (ErrorIds.BundleSignerUnknown, "does not rest on an authority that this site trusts", null);
            }

            foreach (X509Certificate2 link in links)
            {
                if (IsRevoked(CertificateRules.ThumbprintOf(link), CertificateRules.KeyOf(link), trust))
                {
                    return (ErrorIds.BundleSignerRevoked, $"rests on '{link.Subject}', which was revoked on this site", null);
                }

                // Nothing hangs on the signature that a root bears of itself.
                string? weakness = CertificateRules.WeaknessOfKey(link)
                    ?? (ReferenceEquals(link, links[^1]) ? null : CertificateRules.WeaknessOfSignature(link));
                if (weakness is not null)
                {
                    return (ErrorIds.BundleSignatureWeak, $"is not accepted, because of '{link.Subject}': {weakness}", null);
                }
            }

            return (null, null, anchor);
        }
        finally
        {
            Release(chain);
        }
    }

    private static X509Chain NewChain(DateTimeOffset at)
    {
        var chain = new X509Chain();
        X509ChainPolicy policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationFlags = X509VerificationFlags.NoFlag;
        policy.VerificationTime = at.UtcDateTime;
        policy.ApplicationPolicy.Add(new Oid(CertificateRules.CodeSigning));
        return chain;
    }

    private static (string? ErrorId, string? Text) Explain(X509ChainStatusFlags problems, X509Certificate2 certificate, DateTimeOffset at)
    {
        const X509ChainStatusFlags Untrusted = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;
        const X509ChainStatusFlags Time = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotTimeNested;
        return problems switch
        {
            X509ChainStatusFlags.NoError => (null, null),
            _ when (problems & Untrusted) != 0 => (ErrorIds.BundleSignerUnknown, "is not among those that this site trusts"),
            _ when (problems & ~Time) == 0 => (
                ErrorIds.BundleSignerExpired,
                $"or its authority was not valid on {at.UtcDateTime:yyyy-MM-dd HH:mm}Z, when the bundle was made (it is valid from "
                + $"{certificate.NotBefore.ToUniversalTime():yyyy-MM-dd}Z to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}Z)"),
            _ => (ErrorIds.BundleSignerUnknown, $"is not accepted: {problems}"),
        };
    }

    private static bool IsRevoked(string thumbprint, string key, TrustedCertificates trust) =>
        trust.All.Any(t => t.Info.IsRevoked && (t.Info.Thumbprint == thumbprint || CertificateRules.KeyOf(t.Certificate) == key));

    private static FeedException Refusal(int signers, int repeated, int required, List<(string ErrorId, string Text)> objections)
    {
        string reasons = string.Join("; ", objections.Select(o => o.Text));
        if (signers + repeated >= required && signers > 0)
        {
            return new FeedException(
                ErrorIds.BundleSignerRepeated,
                $"The bundle has {signers + repeated} trusted signatures, but of {signers} signer(s) only; this site needs {required} different ones.",
                "signature", "Have it signed by another of the trusted signers. The same key, or the same name, counts once however often it signs.");
        }

        if (signers > 0)
        {
            return new FeedException(
                ErrorIds.BundleTooFewSigners,
                $"The bundle has {signers} trusted signer(s); this site needs {required}." + (reasons.Length > 0 ? $" Not counted: {reasons}." : ""),
                "signature", "Have it signed by one more of the trusted signers. One signer counts once, however often it signs.");
        }

        (string errorId, string remedy) =
            objections.Exists(o => o.ErrorId == ErrorIds.BundleSignerRevoked)
                ? (ErrorIds.BundleSignerRevoked, "Do not import it. Find out who made it; new bundles need a signer that was not revoked.")
            : objections.Exists(o => o.ErrorId == ErrorIds.BundleSignerExpired)
                ? (ErrorIds.BundleSignerExpired, "Have the bundle made again with a valid signer, and correct the clock of the collecting machine if it is wrong.")
            : objections.Exists(o => o.ErrorId == ErrorIds.BundleSignatureWeak)
                ? (ErrorIds.BundleSignatureWeak,
                    "Have it signed with ECDSA P-256 or P-384, or RSA of 3072 bits or more, under certificates signed with SHA-256 or better; New-ClairFeedSigner makes such a signer.")
            : (ErrorIds.BundleSignerUnknown,
                "If this signer is to be trusted, get its .cer file by a way you trust and run Add-ClairFeedTrust; otherwise do not import the bundle.");
        return new FeedException(errorId, $"The bundle's signer is refused: {reasons}.", "signature", remedy);
    }

    private static string Subjects(SignedCms[] messages) =>
        SnapshotRules.Printable(string.Join(", ", messages.Select(m => $"'{m.SignerInfos[0].Certificate!.Subject}'")));

    private static T? Attribute<T>(SignerInfo signer)
        where T : AsnEncodedData =>
        signer.SignedAttributes.Cast<CryptographicAttributeObject>().SelectMany(a => a.Values.Cast<AsnEncodedData>()).OfType<T>().FirstOrDefault();

    private static void Release(X509Chain chain)
    {
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }
    }

    private static void Demand(bool holds, string what)
    {
        if (!holds)
        {
            throw new CryptographicException(what);
        }
    }
}

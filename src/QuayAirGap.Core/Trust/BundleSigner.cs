using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.Core.Trust;

/// <summary>
/// A certificate with its private key that signs bundles: detached CMS (RFC 5652) with SHA-256 or SHA-384, the signing certificate and
/// its intermediate authorities inside, so that the other side needs nothing but its own roots.
/// </summary>
public sealed class BundleSigner : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _intermediates;
    private readonly TimeProvider _clock;
    private readonly bool _owned;

    private BundleSigner(X509Certificate2 certificate, X509Certificate2Collection intermediates, TimeProvider clock, bool owned = true)
    {
        _certificate = certificate;
        _owned = owned;
        _intermediates = intermediates;
        _clock = clock;
        Subject = certificate.Subject;
        Thumbprint = CertificateRules.ThumbprintOf(certificate);
        NotBefore = certificate.NotBefore.ToUniversalTime();
        NotAfter = certificate.NotAfter.ToUniversalTime();
    }

    public string Subject { get; }

    /// <summary>SHA-256 of the DER certificate, 64 lower-case hexadecimal digits.</summary>
    public string Thumbprint { get; }

    /// <summary>UTC.</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>UTC.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <param name="path">A PFX (PKCS #12), or a PEM file with certificate and private key.</param>
    /// <param name="password">Null or empty where the file has none.</param>
    /// <param name="clock">For the certificate's validity and the time of signing; null for the machine's.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.SignerNotFound"/>, <see cref="ErrorIds.SignerPassword"/>,
    /// <see cref="ErrorIds.SignerNoPrivateKey"/>, <see cref="ErrorIds.SignerWeak"/> or <see cref="ErrorIds.SignerInvalid"/></exception>
    public static BundleSigner Load(string path, string? password, TimeProvider? clock = null) => Load(path, password, clock, root: false);

    /// <summary>As <see cref="Load(string, string?, TimeProvider?)"/>, of a root: it signs no bundles, but issues signers and signs trust documents.</summary>
    public static BundleSigner LoadRoot(string path, string? password, TimeProvider? clock = null) => Load(path, password, clock, root: true);

    /// <summary>A certificate of the platform's store, a smart card or an HSM; it stays the caller's. Its authorities are looked up on this machine only.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SignerNoPrivateKey"/>, <see cref="ErrorIds.SignerWeak"/> or <see cref="ErrorIds.SignerInvalid"/></exception>
    public static BundleSigner FromCertificate(X509Certificate2 certificate, TimeProvider? clock = null)
    {
        clock ??= TimeProvider.System;
        if (!certificate.HasPrivateKey)
        {
            throw NoKey(certificate.Subject);
        }

        Check(certificate.Subject, certificate, clock.GetUtcNow(), root: false);
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllFlags;
        chain.Build(certificate);
        var intermediates = new X509Certificate2Collection();
        foreach (X509ChainElement element in chain.ChainElements)
        {
            using X509Certificate2 link = element.Certificate;
            if (!link.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span) && !CertificateRules.IsSelfIssued(link))
            {
                intermediates.Add(new X509Certificate2(link.RawData));
            }
        }

        return new BundleSigner(certificate, intermediates, clock, owned: false);
    }

    /// <summary>The certificate with its key, for issuing others; this object's own.</summary>
    internal X509Certificate2 Certificate => _certificate;

    private static BundleSigner Load(string path, string? password, TimeProvider? clock, bool root)
    {
        clock ??= TimeProvider.System;
        byte[] content = Read(path);
        var certificates = new X509Certificate2Collection();
        X509Certificate2? signer = null;
        try
        {
            signer = CertificateFile.KindOf(content) switch
            {
                CertificateFileKind.Pfx => FromPfx(path, content, password, certificates),
                CertificateFileKind.Pem => FromPem(path, content, password, certificates),
                CertificateFileKind.Der => throw NoKey(path),
                _ => throw new FeedException(
                    ErrorIds.SignerInvalid, $"'{path}' is neither a PFX nor a PEM file with a certificate and a private key.", path,
                    "New-ClairFeedSigner makes a signer; a damaged file must be restored from a copy."),
            };
            Check(path, signer, clock.GetUtcNow(), root);

            // A self-issued certificate proves nothing to a site that does not hold it already, so roots stay at home.
            var intermediates = new X509Certificate2Collection();
            foreach (X509Certificate2 other in certificates)
            {
                if (!ReferenceEquals(other, signer) && !CertificateRules.IsSelfIssued(other))
                {
                    intermediates.Add(new X509Certificate2(other.RawData));
                }
            }

            return new BundleSigner(signer, intermediates, clock);
        }
        catch
        {
            signer?.Dispose();
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            foreach (X509Certificate2 certificate in certificates)
            {
                if (!ReferenceEquals(certificate, signer))
                {
                    certificate.Dispose();
                }
            }
        }
    }

    /// <summary>Signs content; returns the detached signature as DER.</summary>
    public byte[] Sign(ReadOnlyMemory<byte> content)
    {
        var signer = new CmsSigner(SubjectIdentifierType.IssuerAndSerialNumber, _certificate)
        {
            // Anything wider builds a chain with the machine's defaults, which look for issuers on the network.
            IncludeOption = X509IncludeOption.EndCertOnly,
            DigestAlgorithm = new Oid(DigestFor(_certificate)),
        };
        signer.Certificates.AddRange(_intermediates);
        signer.SignedAttributes.Add(new Pkcs9SigningTime(_clock.GetUtcNow().UtcDateTime));
        var cms = new SignedCms(new ContentInfo(content.ToArray()), detached: true);
        cms.ComputeSignature(signer, silent: true);
        return cms.Encode();
    }

    public void Dispose()
    {
        if (_owned)
        {
            _certificate.Dispose();
        }

        foreach (X509Certificate2 intermediate in _intermediates)
        {
            intermediate.Dispose();
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > CertificateFile.MaxBytes)
            {
                throw new FeedException(
                    ErrorIds.SignerInvalid, $"'{path}' is far too large for a signer.", path, "Name the PFX or PEM file with the signing certificate and its key.");
            }

            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FeedException(
                ErrorIds.SignerNotFound, $"There is no signer at '{path}'.", path, "New-ClairFeedSigner makes one; otherwise correct the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SignerNotFound, $"The signer '{path}' cannot be read: {e.Message}", path, "Give this account read access to the file.", e);
        }
    }

    private static X509Certificate2 FromPfx(string path, byte[] content, string? password, X509Certificate2Collection certificates)
    {
        const int WrongPassword = unchecked((int)0x80070056);
        try
        {
            // Ephemeral: the key never reaches a key store of the machine.
            certificates.Import(content, password, OperatingSystem.IsMacOS() ? X509KeyStorageFlags.DefaultKeySet : X509KeyStorageFlags.EphemeralKeySet);
        }
        catch (CryptographicException e) when (e.HResult == WrongPassword)
        {
            throw Password(path, password, e);
        }
        catch (CryptographicException e)
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"The PFX '{path}' cannot be read: {e.Message}", path, "Restore it from a copy, or make a new one with New-ClairFeedSigner.", e);
        }

        X509Certificate2[] withKey = [.. certificates.Where(c => c.HasPrivateKey)];
        return withKey.Length switch
        {
            0 => throw NoKey(path),
            1 => withKey[0],
            _ => throw new FeedException(
                ErrorIds.SignerInvalid, $"'{path}' holds {withKey.Length} private keys; it must be clear which one signs.", path,
                "Export the signing certificate alone, with its key and its authorities."),
        };
    }

    private static X509Certificate2 FromPem(string path, byte[] content, string? password, X509Certificate2Collection certificates)
    {
        IReadOnlyList<(string Label, string Text)> blocks = CertificateFile.Blocks(content);
        (string Label, string Text)[] keys = [.. blocks.Where(b => b.Label.EndsWith("PRIVATE KEY", StringComparison.Ordinal))];
        try
        {
            foreach ((_, string text) in blocks.Where(b => b.Label is "CERTIFICATE" or "X509 CERTIFICATE"))
            {
                certificates.ImportFromPem(text);
            }
        }
        catch (CryptographicException e)
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"A certificate in '{path}' cannot be read: {e.Message}", path, "Restore the file from a copy.", e);
        }

        if (keys.Length == 0)
        {
            throw NoKey(path);
        }

        if (keys.Length > 1 || certificates.Count == 0)
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"'{path}' must hold the signing certificate and one private key; it has {certificates.Count} certificates and {keys.Length} keys.",
                path, "Put the certificate, its intermediate authorities and the one key into one PEM file.");
        }

        foreach (X509Certificate2 certificate in certificates)
        {
            if (Combine(path, certificate, keys[0], password) is { } combined)
            {
                return combined;
            }
        }

        throw new FeedException(
            ErrorIds.SignerNoPrivateKey, $"The private key in '{path}' belongs to none of its certificates.", path,
            "Put the certificate that was issued for this key into the file.");
    }

    private static X509Certificate2? Combine(string path, X509Certificate2 certificate, (string Label, string Text) key, string? password)
    {
        bool encrypted = key.Label == "ENCRYPTED PRIVATE KEY";
        if (encrypted && string.IsNullOrEmpty(password))
        {
            throw Password(path, password, null);
        }

        using AsymmetricAlgorithm? algorithm = certificate.PublicKey.Oid.Value switch
        {
            CertificateRules.RsaKey => RSA.Create(),
            CertificateRules.EcKey => ECDsa.Create(),
            _ => null,
        };
        if (algorithm is null)
        {
            return null;
        }

        try
        {
            if (encrypted)
            {
                algorithm.ImportFromEncryptedPem(key.Text, password);
            }
            else
            {
                algorithm.ImportFromPem(key.Text);
            }

            return algorithm is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)algorithm);
        }
        catch (CryptographicException e) when (encrypted)
        {
            throw Password(path, password, e);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null; // another certificate's key: RSA against ECDSA, or simply not its pair
        }
    }

    private static void Check(string path, X509Certificate2 certificate, DateTimeOffset now, bool root)
    {
        if ((CertificateRules.WeaknessOfKey(certificate) ?? CertificateRules.WeaknessOfSignature(certificate)) is { } weakness)
        {
            throw new FeedException(
                ErrorIds.SignerWeak, $"The signer '{certificate.Subject}' is too weak: {weakness}.", path,
                "Use a certificate with ECDSA P-256 or P-384 or RSA of 3072 bits or more, signed with SHA-256 or better; New-ClairFeedSigner makes one.");
        }

        if (root)
        {
            if ((CertificateRules.IsAuthority(certificate) ? CertificateRules.UnfitAsAuthority(certificate) : "it is no certificate authority's") is { } unfitRoot)
            {
                throw new FeedException(
                    ErrorIds.SignerInvalid, $"'{certificate.Subject}' is no root: {unfitRoot}.", path, "Name the PFX that New-ClairFeedSigner -Root made.");
            }
        }
        else if (CertificateRules.UnfitAsSigner(certificate) is { } unfit)
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"'{certificate.Subject}' cannot sign bundles: {unfit}.", path,
                "Use a certificate for code signing with the key usage 'digital signature'; New-ClairFeedSigner makes one.");
        }

        if (now > certificate.NotAfter.ToUniversalTime() || now < certificate.NotBefore.ToUniversalTime())
        {
            throw new FeedException(
                ErrorIds.SignerInvalid,
                $"The signer '{certificate.Subject}' is valid from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm}Z to "
                + $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm}Z; now it is {now:yyyy-MM-dd HH:mm}Z.",
                path, "Renew the certificate and trust the new one on the other side before its first bundle arrives; or correct this machine's clock.");
        }
    }

    private static string DigestFor(X509Certificate2 certificate)
    {
        using ECDsa? key = certificate.GetECDsaPublicKey();
        return key?.KeySize > 256 ? CertificateRules.Sha384 : CertificateRules.Sha256;
    }

    private static FeedException NoKey(string path) => new(
        ErrorIds.SignerNoPrivateKey, $"'{path}' holds a certificate, but no private key to sign with.", path,
        "Name the PFX or PEM file that has the key; the .cer file is for Add-ClairFeedTrust on the other side.");

    private static FeedException Password(string path, string? password, Exception? cause) => new(
        ErrorIds.SignerPassword,
        string.IsNullOrEmpty(password) ? $"The signer '{path}' needs a password." : $"The password does not open the signer '{path}'.", path,
        "Give the password with -SignerPassword.", cause);
}

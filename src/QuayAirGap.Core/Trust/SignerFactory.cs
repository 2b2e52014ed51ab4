using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Trust;

/// <summary>A signer that was made.</summary>
/// <param name="PfxPath">The private half: stays on the collecting side.</param>
/// <param name="CertificatePath">The public half (PEM): goes to every site that imports.</param>
/// <param name="Thumbprint">SHA-256 of the DER certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="NotBefore">UTC.</param>
/// <param name="NotAfter">UTC.</param>
public sealed record CreatedSigner(
    string PfxPath, string CertificatePath, string Subject, string Thumbprint, DateTimeOffset NotBefore, DateTimeOffset NotAfter);

/// <summary>Makes signers for people without a certificate authority, and the root that vouches for them: a certificate and its key.</summary>
public static class SignerFactory
{
    /// <summary>How far the machine that signs may be behind the one that made the signer.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan s_signerValidity = TimeSpan.FromDays(3 * 365);
    private static readonly TimeSpan s_rootValidity = TimeSpan.FromDays(20 * 365);

    /// <param name="pfxPath">An absolute path: where the PFX goes; the certificate goes beside it as .cer. Neither may be there.</param>
    /// <param name="subject">A distinguished name ("CN=Feeds, O=Example"), or plain text for the common name.</param>
    /// <param name="password">Null or empty: the key is protected by the file's access rights alone.</param>
    /// <param name="validFor">Null for what is usual: twenty years for a root, three for a signer, and never longer than its root.</param>
    /// <param name="root">A root: it signs no bundles, but vouches for those who do. Its key is kept offline.</param>
    /// <param name="issuer">The root that vouches for the new signer; null for one that vouches for itself.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.SignerExists"/>, <see cref="ErrorIds.SignerInvalid"/>,
    /// <see cref="ErrorIds.DestinationInvalid"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public static CreatedSigner Create(
        string pfxPath, string subject, string? password, TimeSpan? validFor, TimeProvider clock, bool root = false, BundleSigner? issuer = null)
    {
        if (root && issuer is not null)
        {
            throw new ArgumentException("A root vouches for itself.", nameof(issuer));
        }

        DateTimeOffset now = clock.GetUtcNow();
        TimeSpan usual = root ? s_rootValidity : issuer is not null && issuer.NotAfter - now < s_signerValidity ? issuer.NotAfter - now : s_signerValidity;
        TimeSpan valid = validFor ?? usual;
        if (valid < TimeSpan.FromDays(1) || valid > TimeSpan.FromDays(36525))
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"A signer cannot be valid for {valid.TotalDays:0.##} days.", pfxPath, "Choose between one day and 100 years.");
        }

        if (issuer is not null && now + valid > issuer.NotAfter)
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"The root '{issuer.Subject}' is valid until {issuer.NotAfter:yyyy-MM-dd}Z; a signer cannot outlive it.", pfxPath,
                "Choose a shorter time, or make a new root.");
        }

        string certificatePath = Path.ChangeExtension(pfxPath, ".cer");
        foreach (string path in new[] { pfxPath, certificatePath })
        {
            if (Path.Exists(path))
            {
                throw Exists(path, null);
            }
        }

        X500DistinguishedName name = NameOf(subject, pfxPath);
        DateTimeOffset notBefore = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond)) - s_skew;
        DateTimeOffset notAfter = notBefore + s_skew + valid;
        if (issuer is not null && issuer.NotBefore > notBefore)
        {
            notBefore = issuer.NotBefore;
        }

        using ECDsa key = ECDsa.Create(root ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Issue(name, key, notBefore, notAfter, root, issuer);
        byte[] pfx = Pack(certificate, key, password ?? "");
        try
        {
            Write(pfxPath, pfx, ownerOnly: true);
            try
            {
                Write(certificatePath, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"), ownerOnly: false);
            }
            catch
            {
                File.Delete(pfxPath);
                throw;
            }
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(pfxPath, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.DestinationInvalid, $"The signer cannot be written to '{pfxPath}': {e.Message}", pfxPath,
                "Name a file in an existing folder that this account may write to.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pfx);
        }

        return new CreatedSigner(
            pfxPath, certificatePath, certificate.Subject, CertificateRules.ThumbprintOf(certificate), notBefore, notAfter);
    }

    private static X500DistinguishedName NameOf(string subject, string pfxPath)
    {
        try
        {
            if (subject.Contains('=', StringComparison.Ordinal))
            {
                var name = new X500DistinguishedName(subject);
                _ = name.EnumerateRelativeDistinguishedNames(reversed: false).Count();
                return name;
            }

            var builder = new X500DistinguishedNameBuilder();
            builder.AddCommonName(subject.Trim());
            return builder.Build();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FeedException(
                ErrorIds.SignerInvalid, $"'{subject}' is not a name for a certificate: {e.Message}", pfxPath,
                "Give plain text, or a distinguished name like \"CN=Clair feeds, O=Example\".", e);
        }
    }

    private static X509Certificate2 Issue(
        X500DistinguishedName name, ECDsa key, DateTimeOffset notBefore, DateTimeOffset notAfter, bool root, BundleSigner? issuer)
    {
        var request = new CertificateRequest(name, key, root ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);

        // A root issues signers and nothing between: no signer can make others.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: root, hasPathLengthConstraint: root, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            root ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature : X509KeyUsageFlags.DigitalSignature, critical: true));
        if (!root)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(CertificateRules.CodeSigning)], critical: true));
        }

        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));

        // RFC 5280, 4.1.2.2: positive, at most 20 octets.
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        if (issuer is null)
        {
            return request.Create(name, X509SignatureGenerator.CreateForECDsa(key), notBefore, notAfter, serial);
        }

        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer.Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using ECDsa? ecdsa = issuer.Certificate.GetECDsaPrivateKey();
        using RSA? rsa = issuer.Certificate.GetRSAPrivateKey();
        X509SignatureGenerator generator =
            ecdsa is not null ? X509SignatureGenerator.CreateForECDsa(ecdsa) : X509SignatureGenerator.CreateForRSA(rsa!, RSASignaturePadding.Pkcs1);
        return request.Create(issuer.Certificate.SubjectName, generator, notBefore, notAfter, serial);
    }

    private static byte[] Pack(X509Certificate2 certificate, ECDsa key, string password)
    {
        // Rounds cost the owner a moment at each use and a guesser as much for each guess; without a password there is nothing to guess,
        // and .NET refuses to open password-less files with more than 600,000 rounds in all.
        int rounds = password.Length == 0 ? 2_000 : 100_000;
        var protection = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, rounds);
        var keyId = new Pkcs9LocalKeyId([1]);
        var keys = new Pkcs12SafeContents();
        keys.AddShroudedKey(key, password, protection).Attributes.Add(keyId);
        var certificates = new Pkcs12SafeContents();
        certificates.AddCertificate(certificate).Attributes.Add(keyId);
        var builder = new Pkcs12Builder();
        builder.AddSafeContentsEncrypted(certificates, password, protection);
        builder.AddSafeContentsUnencrypted(keys); // each key in it is encrypted by itself
        builder.SealWithMac(password, HashAlgorithmName.SHA256, rounds);
        return builder.Encode();
    }

    private static void Write(string path, byte[] content, bool ownerOnly)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (ownerOnly && !OperatingSystem.IsWindows())
        {
            // From its first moment: changing it later would leave a window.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        FileStream file;
        try
        {
            file = new FileStream(path, options);
        }
        catch (IOException e) when (Path.Exists(path))
        {
            throw Exists(path, e);
        }

        try
        {
            using (file)
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
        }
        catch
        {
            File.Delete(path);
            throw;
        }

        Durable.FlushFolder(Path.GetDirectoryName(path)!);
    }

    private static FeedException Exists(string path, Exception? cause) => new(
        ErrorIds.SignerExists, $"'{path}' is there already; a signer is never overwritten.", path,
        "Choose another name. A signer that is still needed must not be lost: sites trust it by its certificate.", cause);
}

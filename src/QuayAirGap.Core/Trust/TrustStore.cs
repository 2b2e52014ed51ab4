using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Trust;

/// <summary>
/// Whom the site believes: trust/THUMBPRINT.cer, trust/revoked/THUMBPRINT.cer, trust/policy.yaml and trust/stream. Callers that change
/// it hold the site's lock.
/// </summary>
public sealed class TrustStore(Site site)
{
    private const int ShortestPrefix = 8;

    /// <summary>How many different trusted signers must have signed a bundle (trust/policy.yaml; 1 where nothing is said).</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public int RequiredSigners => TrustPolicy.ReadRequiredSigners(site);

    /// <summary>The one stream that this site takes bundles of, or null before the first import.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public Guid? Stream
    {
        get
        {
            try
            {
                return Guid.TryParseExact(File.ReadAllText(StreamFile).Trim(), "D", out Guid stream)
                    ? stream
                    : throw new FeedException(
                        ErrorIds.SiteDamaged, $"'{StreamFile}' does not hold a stream id.", StreamFile,
                        "Delete the file if the next bundle surely comes from the right collector: its stream is then pinned anew.");
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }
    }

    private string StreamFile => Path.Combine(site.TrustFolder, "stream");

    private string RevokedFolder => Path.Combine(site.TrustFolder, "revoked");

    /// <summary>Sets how many different trusted signers must have signed a bundle.</summary>
    /// <returns>How many it was before.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public int SetRequiredSigners(int required) => TrustPolicy.WriteRequiredSigners(site, required);

    /// <summary>Pins the stream: from now on bundles of any other are refused.</summary>
    public void SetStream(Guid stream)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(stream, Guid.Empty);
        Directory.CreateDirectory(site.TrustFolder);
        Durable.ReplaceFile(StreamFile, System.Text.Encoding.ASCII.GetBytes(stream.ToString("D") + "\n"));
    }

    /// <summary>Every certificate, trusted ones first, by subject.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public IReadOnlyList<TrustedSigner> List()
    {
        using TrustedCertificates certificates = LoadCertificates();
        return [.. certificates.All.Select(c => c.Info)
            .OrderBy(t => t.IsRevoked).ThenBy(t => t.Subject, StringComparer.Ordinal).ThenBy(t => t.Thumbprint, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Trusts a signer's or an authority's certificate. Only the certificate itself is kept, whatever else the file holds. Adding one
    /// that is trusted already changes nothing.
    /// </summary>
    /// <param name="path">A certificate (.cer, .crt; PEM or DER), or a PFX without a password.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustNotFound"/> or <see cref="ErrorIds.TrustInvalid"/></exception>
    public TrustedSigner Add(string path)
    {
        using X509Certificate2 certificate = ReadCertificate(path);
        return Add(certificate, path);
    }

    /// <summary>As <see cref="Add(string)"/>, of a certificate that was read already.</summary>
    /// <param name="certificate">It stays the caller's.</param>
    /// <param name="path">Where it is from, for errors.</param>
    internal TrustedSigner Add(X509Certificate2 certificate, string path)
    {
        string? objection = CertificateRules.WeaknessOfKey(certificate) ?? CertificateRules.WeaknessOfSignature(certificate)
            ?? (CertificateRules.IsAuthority(certificate) ? CertificateRules.UnfitAsAuthority(certificate) : CertificateRules.UnfitAsSigner(certificate));
        if (objection is not null)
        {
            throw Invalid(path, $"'{certificate.Subject}' cannot be trusted: {objection}.", "Have a certificate made that fulfils this; New-ClairFeedSigner makes signers that do.");
        }

        string thumbprint = CertificateRules.ThumbprintOf(certificate);
        if (File.Exists(Path.Combine(RevokedFolder, thumbprint + ".cer")))
        {
            throw Invalid(
                path, $"'{certificate.Subject}' was revoked on this site.",
                $"If that was a mistake, run Remove-ClairFeedTrust {thumbprint[..ShortestPrefix]} without -Revoke first, then add it again.");
        }

        string target = Path.Combine(site.TrustFolder, thumbprint + ".cer");
        Directory.CreateDirectory(site.TrustFolder);
        TrustPolicy.WriteDefault(site);
        if (!File.Exists(target))
        {
            Durable.ReplaceFile(target, certificate.RawDataMemory.Span);
        }

        return Describe(certificate, target, revoked: false);
    }

    /// <summary>Stops trusting a certificate.</summary>
    /// <param name="thumbprint">The thumbprint, or its first 8 digits or more.</param>
    /// <param name="revoke">True: keep it listed as revoked, so that what it signed is refused by that name, also under another
    /// certificate for the same key. False: forget it, revoked or not.</param>
    /// <returns>The certificate as it was, or as it is now where it was revoked.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustNotFound"/></exception>
    public TrustedSigner Remove(string thumbprint, bool revoke)
    {
        string prefix = thumbprint.Trim().Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
        TrustedSigner[] found = prefix.Length >= ShortestPrefix
            ? [.. List().Where(t => t.Thumbprint.StartsWith(prefix, StringComparison.Ordinal))]
            : [];
        if (found.Length != 1)
        {
            throw new FeedException(
                ErrorIds.TrustNotFound,
                prefix.Length < ShortestPrefix
                    ? $"'{thumbprint}' is too short to name a certificate; {ShortestPrefix} digits or more are needed."
                    : $"The site has {(found.Length == 0 ? "no" : "more than one")} certificate with the thumbprint '{thumbprint}'.",
                thumbprint, "Get-ClairFeedTrust lists them.");
        }

        TrustedSigner signer = found[0];
        if (!revoke)
        {
            File.Delete(signer.Path);
            Durable.FlushFolder(Path.GetDirectoryName(signer.Path)!);
            return signer;
        }

        string target = Path.Combine(RevokedFolder, signer.Thumbprint + ".cer");
        if (!signer.IsRevoked)
        {
            Directory.CreateDirectory(RevokedFolder);
            File.Move(signer.Path, target, overwrite: true);
            Durable.FlushFolder(RevokedFolder);
            Durable.FlushFolder(site.TrustFolder);
        }

        return signer with { IsRevoked = true, Path = target };
    }

    /// <summary>Takes a certificate as it is; nothing where it is trusted or revoked already.</summary>
    internal bool Keep(X509Certificate2 certificate)
    {
        string thumbprint = CertificateRules.ThumbprintOf(certificate);
        string target = Path.Combine(site.TrustFolder, thumbprint + ".cer");
        if (File.Exists(target) || File.Exists(Path.Combine(RevokedFolder, thumbprint + ".cer")))
        {
            return false;
        }

        Durable.ReplaceFile(target, certificate.RawDataMemory.Span);
        return true;
    }

    /// <summary>Lists a certificate as revoked, whether or not the site ever trusted it; nothing where it is already.</summary>
    internal bool Revoke(X509Certificate2 certificate)
    {
        string name = CertificateRules.ThumbprintOf(certificate) + ".cer";
        string target = Path.Combine(RevokedFolder, name);
        bool isNew = !File.Exists(target);
        if (isNew)
        {
            Directory.CreateDirectory(RevokedFolder);
            Durable.ReplaceFile(target, certificate.RawDataMemory.Span);
        }

        // Revoked first, so that a kill in between leaves it in both places, and then the revocation counts.
        File.Delete(Path.Combine(site.TrustFolder, name));
        Durable.FlushFolder(site.TrustFolder);
        return isNew;
    }

    internal TrustedCertificates LoadCertificates(IReadOnlyList<TrustDocument>? carried = null)
    {
        var all = new List<(X509Certificate2, TrustedSigner)>();
        try
        {
            foreach ((string folder, bool revoked) in new[] { (site.TrustFolder, false), (RevokedFolder, true) })
            {
                if (Directory.Exists(folder))
                {
                    foreach (string path in Directory.EnumerateFiles(folder, "*.cer"))
                    {
                        all.Add(ReadStored(path, revoked));
                    }
                }
            }
        }
        catch
        {
            all.ForEach(c => c.Item1.Dispose());
            throw;
        }

        foreach (TrustDocument document in carried ?? [])
        {
            // As if it were applied already. A certificate that is in both places counts as revoked, whichever said so.
            all.AddRange(document.Signers.Select(s => Carried(s, revoked: false)));
            all.AddRange(document.Revoked.Select(r => Carried(r, revoked: true)));
        }

        return new TrustedCertificates(all);
    }

    private static (X509Certificate2 Certificate, TrustedSigner Info) Carried(byte[] der, bool revoked)
    {
        var certificate = new X509Certificate2(der);
        return (certificate, Describe(certificate, "", revoked));
    }

    private static (X509Certificate2 Certificate, TrustedSigner Info) ReadStored(string path, bool revoked)
    {
        try
        {
            var certificate = new X509Certificate2(File.ReadAllBytes(path));
            TrustedSigner info = Describe(certificate, path, revoked);
            if (info.Thumbprint != Path.GetFileNameWithoutExtension(path))
            {
                certificate.Dispose();
                throw new CryptographicException("its name is not the SHA-256 of its content");
            }

            return (certificate, info);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            // Passing over it could forget a revocation.
            throw new FeedException(
                ErrorIds.SiteDamaged, $"The certificate '{path}' cannot be used: {e.Message}", path,
                "Add certificates with Add-ClairFeedTrust, not by copying. Delete this file, then add or revoke the certificate again.", e);
        }
    }

    private static TrustedSigner Describe(X509Certificate2 certificate, string path, bool revoked) => new(
        CertificateRules.ThumbprintOf(certificate), certificate.Subject, certificate.NotBefore.ToUniversalTime(),
        certificate.NotAfter.ToUniversalTime(), CertificateRules.IsAuthority(certificate), revoked, path);

    internal static X509Certificate2 ReadCertificate(string path)
    {
        byte[] content;
        try
        {
            if (new FileInfo(path).Length > CertificateFile.MaxBytes)
            {
                throw Invalid(path, $"'{path}' is far too large for a certificate.", "Name the signer's .cer file.");
            }

            content = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(ErrorIds.TrustNotFound, $"'{path}' cannot be read: {e.Message}", path, "Name the signer's .cer file.", e);
        }

        try
        {
            switch (CertificateFile.KindOf(content))
            {
                case CertificateFileKind.Der:
                    return new X509Certificate2(content);
                case CertificateFileKind.Pem:
                    (string Label, string Text)[] blocks =
                        [.. CertificateFile.Blocks(content).Where(b => b.Label is "CERTIFICATE" or "X509 CERTIFICATE")];
                    return blocks.Length == 1
                        ? X509Certificate2.CreateFromPem(blocks[0].Text)
                        : throw Invalid(path, $"'{path}' holds {blocks.Length} certificates; one is needed.", "Split the file and add each certificate that is to be trusted.");
                case CertificateFileKind.Pfx:
                    return FromPfx(path, content);
                default:
                    throw Invalid(path, $"'{path}' is not a certificate.", "Name the signer's .cer file, PEM or DER. A trust document is taken with Import-ClairFeedTrust.");
            }
        }
        catch (CryptographicException e)
        {
            throw Invalid(path, $"The certificate '{path}' cannot be read: {e.Message}", "Copy it again from where it was made.", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private static X509Certificate2 FromPfx(string path, byte[] content)
    {
        const string Remedy = "Use the .cer file that was made with it. The PFX has the private key and stays on the collecting side.";
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.Import(content, null, OperatingSystem.IsMacOS() ? X509KeyStorageFlags.DefaultKeySet : X509KeyStorageFlags.EphemeralKeySet);
            X509Certificate2[] signers = certificates.Count == 1 ? [.. certificates] : [.. certificates.Where(c => c.HasPrivateKey)];
            return signers.Length == 1
                ? new X509Certificate2(signers[0].RawData)
                : throw Invalid(path, $"'{path}' is a PFX with {certificates.Count} certificates; it is not clear which one is meant.", Remedy);
        }
        catch (CryptographicException e)
        {
            throw Invalid(path, $"'{path}' is a PFX that asks for a password, or is damaged.", Remedy, e);
        }
        finally
        {
            foreach (X509Certificate2 certificate in certificates)
            {
                certificate.Dispose();
            }
        }
    }

    private static FeedException Invalid(string path, string message, string remedy, Exception? cause = null) =>
        new(ErrorIds.TrustInvalid, message, path, remedy, cause);
}

/// <summary>The certificates of a trust store, for as long as something is verified.</summary>
internal sealed class TrustedCertificates(IReadOnlyList<(X509Certificate2 Certificate, TrustedSigner Info)> all) : IDisposable
{
    public IReadOnlyList<(X509Certificate2 Certificate, TrustedSigner Info)> All => all;

    public void Dispose()
    {
        foreach ((X509Certificate2 certificate, _) in all)
        {
            certificate.Dispose();
        }
    }
}

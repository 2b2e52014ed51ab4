using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Trust;

/// <summary>What a trust document changed, or would change, on a site.</summary>
/// <param name="Document">The document.</param>
/// <param name="RootSubject">Its root's distinguished name.</param>
/// <param name="Added">Certificates that are trusted now and were not: subject and SHA-256.</param>
/// <param name="Revoked">Certificates that are revoked now and were not: subject and SHA-256.</param>
public sealed record TrustChange(
    TrustDocument Document, string RootSubject, IReadOnlyList<(string Subject, string Thumbprint)> Added, IReadOnlyList<(string Subject, string Thumbprint)> Revoked)
{
    /// <summary>Holds that it is of the root that somebody names.</summary>
    /// <param name="root">Its SHA-256, or the first 8 digits of it or more.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustRootUnknown"/></exception>
    public void ThrowUnlessOf(string root)
    {
        string prefix = root.Trim().Replace(":", "", StringComparison.Ordinal).ToLowerInvariant();
        if (prefix.Length < 8 || !Document.Root.StartsWith(prefix, StringComparison.Ordinal))
        {
            throw new FeedException(
                ErrorIds.TrustRootUnknown, $"The trust document is of '{RootSubject}', SHA-256 {Document.Root}, and not of '{root}'.", root,
                "Nothing was changed. Give the first 8 digits or more of the root's SHA-256, as its holder keeps them, not as the file says.");
        }
    }

    /// <summary>For the ledger.</summary>
    public JsonObject Details() => new()
    {
        ["root"] = Document.Root,
        ["number"] = Document.Number,
        ["added"] = string.Join(", ", Added.Select(a => a.Thumbprint)),
        ["revoked"] = string.Join(", ", Revoked.Select(r => r.Thumbprint)),
    };
}

/// <summary>
/// The newest trust document of each root of the site: trust/documents/ROOT.json. What they say is kept as certificates beside those that people
/// added by hand: an owner sees all of it in one place, and what a root revoked stays revoked whatever becomes of the root. Callers that change
/// anything hold the site's lock.
/// </summary>
public sealed class TrustDocuments(Site site)
{
    /// <summary>How far the root's clock may be ahead of this one.</summary>
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(10);

    private string Folder => Path.Combine(site.TrustFolder, "documents");

    /// <summary>Signs what a root says.</summary>
    /// <param name="root">From <see cref="BundleSigner.LoadRoot"/>.</param>
    /// <param name="previous">The root's last document, whose signers and revocations go on; null for its first.</param>
    /// <param name="signers">Paths of certificates to vouch for besides.</param>
    /// <param name="revoke">Paths of certificates to revoke.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustDocumentInvalid"/>, <see cref="ErrorIds.TrustInvalid"/> or <see cref="ErrorIds.TrustNotFound"/></exception>
    public static SignedTrustDocument Create(
        BundleSigner root, SignedTrustDocument? previous, IEnumerable<string> signers, IEnumerable<string> revoke, TimeProvider clock)
    {
        try
        {
            TrustDocument? last = null;
            if (previous is not null)
            {
                last = CheckSigned(previous, root.Certificate, clock.GetUtcNow());
            }

            byte[][] revoked = [.. Distinct((last?.Revoked ?? []).Concat(revoke.Select(ReadDer)))];
            string[] gone = [.. revoked.Select(r => Sha256Digest.Of(r))];
            var document = new TrustDocument
            {
                Root = root.Thumbprint,
                Number = (last?.Number ?? 0) + 1,
                Issued = clock.GetUtcNow(),
                Signers = [.. Distinct((last?.Signers ?? []).Where(s => !gone.Contains(Sha256Digest.Of(s))).Concat(signers.Select(ReadDer)))],
                Revoked = revoked,
            };
            byte[] bytes = document.ToBytes();
            TrustDocument.Parse(bytes); // what no site would take is not signed
            return new SignedTrustDocument(bytes, root.Sign(bytes));
        }
        catch (FormatException e)
        {
            throw Invalid("The trust document", e);
        }
    }

    /// <summary>Every stored document as it was signed, by root.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustDocumentInvalid"/></exception>
    public IReadOnlyList<SignedTrustDocument> Stored() => !Directory.Exists(Folder)
        ? []
        : [.. Directory.EnumerateFiles(Folder, "*.json").Order(StringComparer.Ordinal).Select(SignedTrustDocument.Read)];

    /// <summary>
    /// Of what a bundle carries, what this site's own roots signed and the site does not know yet. A root that the site does not trust has nothing
    /// to say here, and an older document than the site's says nothing new.
    /// </summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleTrustInvalid"/>: it is said to be of a root of this site, and is not.</exception>
    internal IReadOnlyList<(SignedTrustDocument Signed, TrustDocument Document)> Newer(IReadOnlyList<SignedTrustDocument> carried, DateTimeOffset now)
    {
        if (carried.Count == 0)
        {
            return [];
        }

        using TrustedCertificates certificates = new TrustStore(site).LoadCertificates();
        var newer = new List<(SignedTrustDocument, TrustDocument)>();
        foreach (SignedTrustDocument signed in carried)
        {
            try
            {
                TrustDocument claimed = TrustDocument.Parse(signed.Document);
                if (RootOf(claimed, certificates) is { } root)
                {
                    TrustDocument document = CheckSigned(signed, root, now);
                    switch (CompareWithStored(document, signed))
                    {
                        case > 0:
                            newer.Add((signed, document));
                            break;
                        case 0 when !IsStored(signed):
                            throw new FormatException($"its number {document.Number} is that of another document of the root");
                    }
                }
            }
            catch (LaterFormatException e)
            {
                throw new FeedException(
                    ErrorIds.BundleVersion, $"The bundle carries a trust document of a later QuayAirGap: {e.Message}.", "trust",
                    "Update QuayAirGap on this side, or have the document made with the version that runs here.", e);
            }
            catch (FormatException e)
            {
                throw new FeedException(
                    ErrorIds.BundleTrustInvalid, SnapshotRules.Printable($"The bundle is refused. It carries a trust document that does not hold: {e.Message}."), "trust",
                    "Do not import it. Find out who made it: only the holder of the root's key makes such documents.", e);
            }
        }

        return newer;
    }

    /// <summary>Whether the site has not taken this very document yet.</summary>
    public bool IsNew(SignedTrustDocument signed) => !IsStored(signed);

    /// <summary>What a document would change.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustDocumentInvalid"/>, <see cref="ErrorIds.TrustDocumentOld"/> or <see cref="ErrorIds.TrustRootUnknown"/></exception>
    public TrustChange Plan(SignedTrustDocument signed, DateTimeOffset now)
    {
        try
        {
            using TrustedCertificates certificates = new TrustStore(site).LoadCertificates();
            TrustDocument claimed = TrustDocument.Parse(signed.Document);
            X509Certificate2 root = RootOf(claimed, certificates) ?? throw new FeedException(
                ErrorIds.TrustRootUnknown, $"The trust document is of the root {claimed.Root}, which this site does not trust.", claimed.Root,
                "Get the root's .cer file by a way you trust, and run Add-ClairFeedTrust with it first.");
            TrustDocument document = CheckSigned(signed, root, now);
            int order = CompareWithStored(document, signed);
            if (order < 0)
            {
                throw new FeedException(
                    ErrorIds.TrustDocumentOld, $"The trust document is number {document.Number} of '{root.Subject}'; this site has a newer one.", root.Subject,
                    "Nothing was changed: an older document could take a revocation back. Get the newest one from the holder of the root.");
            }

            if (order == 0 && !IsStored(signed))
            {
                throw new FormatException($"its number {document.Number} is that of another document, which this site has");
            }

            HashSet<string> revokedBefore = [.. certificates.All.Where(c => c.Info.IsRevoked).Select(c => c.Info.Thumbprint)];
            HashSet<string> before = [.. certificates.All.Select(c => c.Info.Thumbprint)];
            return new TrustChange(
                document, root.Subject,
                [.. document.Signers.Select(Name).Where(n => !before.Contains(n.Thumbprint))],
                [.. document.Revoked.Select(Name).Where(n => !revokedBefore.Contains(n.Thumbprint))]);
        }
        catch (FormatException e)
        {
            throw Invalid("The trust document", e);
        }
    }

    /// <summary>
    /// Does what a document says. Revocations come first and the document itself last, so that a kill at any moment leaves the site no less strict
    /// than before, and the next run finishes.
    /// </summary>
    /// <exception cref="FeedException">As <see cref="Plan"/>.</exception>
    public TrustChange Apply(SignedTrustDocument signed, DateTimeOffset now)
    {
        TrustChange change = Plan(signed, now);
        var store = new TrustStore(site);
        foreach (byte[] der in change.Document.Revoked)
        {
            using var certificate = new X509Certificate2(der);
            store.Revoke(certificate);
        }

        foreach (byte[] der in change.Document.Signers)
        {
            using var certificate = new X509Certificate2(der);
            store.Keep(certificate);
        }

        Directory.CreateDirectory(Folder);
        Durable.ReplaceFile(PathOf(change.Document.Root), signed.ToBytes());
        return change;
    }

    private static X509Certificate2? RootOf(TrustDocument document, TrustedCertificates certificates) =>
        certificates.All.Any(c => c.Info.Thumbprint == document.Root && c.Info.IsRevoked)
            ? null
            : certificates.All.FirstOrDefault(c => c.Info.Thumbprint == document.Root && c.Info.IsAuthority).Certificate;

    /// <exception cref="FormatException">The root did not sign it.</exception>
    private static TrustDocument CheckSigned(SignedTrustDocument signed, X509Certificate2 root, DateTimeOffset now)
    {
        TrustDocument document = TrustDocument.Parse(signed.Document);
        SignedCms message;
        try
        {
            message = SignatureVerifier.CheckSignature(signed.Document, signed.Signature);
        }
        catch (FeedException e)
        {
            throw new FormatException("its signature does not hold", e);
        }

        Demand(
            document.Root == CertificateRules.ThumbprintOf(root) && CertificateRules.ThumbprintOf(message.SignerInfos[0].Certificate!) == document.Root,
            "it is not signed by the root that it names");
        Demand(CertificateRules.WeaknessOfKey(root) is null, "its root's key is too weak");
        Demand(
            document.Issued >= root.NotBefore.ToUniversalTime() && document.Issued <= root.NotAfter.ToUniversalTime(), "its root was not valid when it was made");
        Demand(document.Issued <= now + s_tolerance, $"it is dated {document.Issued.UtcDateTime:yyyy-MM-dd HH:mm}Z, which is in the future");
        return document;
    }

    private static (string Subject, string Thumbprint) Name(byte[] der)
    {
        using var certificate = new X509Certificate2(der);
        return (certificate.Subject, CertificateRules.ThumbprintOf(certificate));
    }

    private static byte[] ReadDer(string path)
    {
        using X509Certificate2 certificate = TrustStore.ReadCertificate(path);
        return certificate.RawData;
    }

    private static IEnumerable<byte[]> Distinct(IEnumerable<byte[]> certificates) => certificates.DistinctBy(c => Sha256Digest.Of(c));

    private static FeedException Invalid(string what, FormatException cause) => cause is LaterFormatException later ? SignedTrustDocument.Later(later) : new FeedException(
        ErrorIds.TrustDocumentInvalid, SnapshotRules.Printable($"{what} is refused: {cause.Message}."), "trust",
        "Nothing was changed. Get it again from the holder of the root, who makes it with New-ClairFeedTrustDocument.", cause);

    private static void Demand(bool holds, string what)
    {
        if (!holds)
        {
            throw new FormatException(what);
        }
    }

    private string PathOf(string root) => Path.Combine(Folder, root + ".json");

    /// <summary>More than 0: newer than the stored one, or there is none. 0: its number is the stored one's.</summary>
    private int CompareWithStored(TrustDocument document, SignedTrustDocument signed)
    {
        string path = PathOf(document.Root);
        return !File.Exists(path) ? 1
            : IsStored(signed) ? 0
            : document.Number.CompareTo(TrustDocument.Parse(SignedTrustDocument.Read(path).Document).Number);
    }

    /// <summary>Whether the very document is stored; two signatures of it may differ.</summary>
    private bool IsStored(SignedTrustDocument signed) =>
        Stored().Any(s => s.Document.AsSpan().SequenceEqual(signed.Document));
}

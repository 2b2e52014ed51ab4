using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Tls;

/// <summary>
/// The certificates of a site's mirror, in its folder tls/. Every file with a private key is one PEM file, readable by its owner alone
/// and replaced as a whole, so that no reader ever finds a certificate beside the key of another.
/// <list type="bullet">
/// <item>authority.crt: what Clair has to trust; no key in it</item>
/// <item>authorities/&lt;thumbprint&gt;.pem: an authority and its key</item>
/// <item>active: the thumbprint of the authority that vouches</item>
/// <item>upstream.pem, mirror.pem: the server certificates</item>
/// </list>
/// </summary>
public sealed partial class MirrorCertificates(Site site, TimeProvider clock)
{
    private const string UpstreamName = "QuayAirGap feed mirror, as upstream";
    private const string MirrorName = "QuayAirGap feed mirror";

    public string TrustFile => Path.Combine(site.TlsFolder, "authority.crt");

    /// <summary>The server certificate for the feeds' hosts, with its key.</summary>
    public string UpstreamFile => Path.Combine(site.TlsFolder, "upstream.pem");

    /// <summary>The server certificate for the mirror's own names, with its key. Not every site has one.</summary>
    public string MirrorFile => Path.Combine(site.TlsFolder, "mirror.pem");

    private string AuthoritiesFolder => Path.Combine(site.TlsFolder, "authorities");

    private string ActiveFile => Path.Combine(site.TlsFolder, "active");

    /// <summary>What there is, or null before the first.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public MirrorCertificateState? Read()
    {
        if (!File.Exists(ActiveFile))
        {
            return null;
        }

        using X509Certificate2 active = LoadAuthority(ReadActive());
        using X509Certificate2? next = LoadNext(active);
        return new MirrorCertificateState
        {
            TrustFile = TrustFile,
            Authority = MirrorAuthority.Of(active),
            NextAuthority = next is null ? null : MirrorAuthority.Of(next),
            Upstream = ReadLeaf(UpstreamFile),
            Mirror = File.Exists(MirrorFile) ? ReadLeaf(MirrorFile) : null,
        };
    }

    /// <summary>
    /// Makes what is missing and renews what is due; whatever else is there stays as it is, the authority above all: a running Clair
    /// trusts no other. Needs the site's lock.
    /// </summary>
    /// <param name="dnsNames">Names of the mirror itself; null to keep those it has.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateName"/> or <see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public MirrorCertificateState Ensure(IReadOnlyList<string>? dnsNames)
    {
        dnsNames = dnsNames is null ? null : CheckNames(dnsNames);
        if (!File.Exists(ActiveFile))
        {
            using X509Certificate2 made = CertificateIssuer.CreateAuthority(UpstreamHosts.All.Concat(dnsNames ?? []), clock.GetUtcNow());
            KeepAuthority(made);
            IssueLeaves(made, dnsNames ?? []);
            WriteTrust([made]);
            MakeActive(made);
            return Read()!;
        }

        using X509Certificate2 authority = LoadAuthority(ReadActive());
        IReadOnlyList<string> permitted = NameConstraints.PermittedBy(authority);
        if (dnsNames?.FirstOrDefault(n => !NameConstraints.Permits(permitted, n)) is { } foreign)
        {
            throw new FeedException(
                ErrorIds.MirrorCertificateName, $"The authority of this mirror may not vouch for '{foreign}': its names are fixed when it is made.", foreign,
                "Exchange it: New-ClairFeedMirrorCertificate -StartRotation with all names in -DnsName, then -CompleteRotation once Clair trusts both.");
        }

        Renew(authority, dnsNames);
        Mend(authority);
        return Read()!;
    }

    /// <summary>Renews the server certificates that are due. Needs the site's lock.</summary>
    /// <returns>Whether one was renewed.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public bool RenewIfDue()
    {
        using X509Certificate2 authority = LoadAuthority(ReadActive());
        return Renew(authority, dnsNames: null);
    }

    /// <summary>
    /// Makes a second authority and adds it to what Clair has to trust. The one before goes on vouching until
    /// <see cref="CompleteRotation"/>, as a Clair that was not restarted knows no other. Needs the site's lock.
    /// </summary>
    /// <param name="dnsNames">Names of the mirror itself; null to keep those it has.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateRotation"/>, <see cref="ErrorIds.MirrorCertificateName"/>,
    /// <see cref="ErrorIds.MirrorCertificateMissing"/> or <see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public MirrorCertificateState StartRotation(IReadOnlyList<string>? dnsNames)
    {
        MirrorCertificateState state = Existing();
        if (state.NextAuthority is { } waiting)
        {
            throw new FeedException(
                ErrorIds.MirrorCertificateRotation, $"An authority is waiting to take over already ({waiting.Subject}).", site.TlsFolder,
                "Once every Clair trusts it and was restarted, run New-ClairFeedMirrorCertificate -CompleteRotation.");
        }

        IReadOnlyList<string> own = dnsNames is null ? state.Mirror?.Names ?? [] : CheckNames(dnsNames);
        using X509Certificate2 active = LoadAuthority(state.Authority.Thumbprint);
        using X509Certificate2 next = CertificateIssuer.CreateAuthority(UpstreamHosts.All.Concat(own), clock.GetUtcNow());
        KeepAuthority(next);
        WriteTrust([active, next]);
        return Read()!;
    }

    /// <summary>
    /// The second authority takes over: the server certificates are made anew, and the authority before it ends, its private key with it.
    /// Needs the site's lock.
    /// </summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateRotation"/>, <see cref="ErrorIds.MirrorCertificateMissing"/>
    /// or <see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    public MirrorCertificateState CompleteRotation()
    {
        MirrorCertificateState state = Existing();
        if (state.NextAuthority is null)
        {
            throw new FeedException(
                ErrorIds.MirrorCertificateRotation, "No authority is waiting to take over.", site.TlsFolder,
                "Run New-ClairFeedMirrorCertificate -StartRotation first, and give Clair the new file of authorities.");
        }

        using X509Certificate2 next = LoadAuthority(state.NextAuthority.Thumbprint);
        IReadOnlyList<string> permitted = NameConstraints.PermittedBy(next);

        // The mirror's own names are those that the new authority was made for.
        MakeActive(next);
        IssueLeaves(next, [.. permitted.Where(n => UpstreamHosts.ContentHostOf(n) is null)]);
        WriteTrust([next]);
        File.Delete(AuthorityFile(state.Authority.Thumbprint));
        Durable.FlushFolder(AuthoritiesFolder);
        return Read()!;
    }

    /// <summary>A PEM file's certificate with its key.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateInvalid"/></exception>
    private static X509Certificate2 Load(string path)
    {
        try
        {
            string pem = File.ReadAllText(path);
            return X509Certificate2.CreateFromPem(pem, pem);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FeedException(
                ErrorIds.MirrorCertificateInvalid, $"'{path}' cannot be used: {e.Message}", path,
                "Run the command as the account that made it. If the file is lost: move the folder tls away, run New-ClairFeedMirrorCertificate, and give Clair the new authority.", e);
        }
    }

    private static MirrorLeaf ReadLeaf(string path)
    {
        using X509Certificate2 leaf = Load(path);
        return new MirrorLeaf(path, NamesOf(leaf), leaf.Issuer, leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
    }

    private static IReadOnlyList<string> NamesOf(X509Certificate2 leaf) =>
        [.. leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames())];

    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorCertificateName"/></exception>
    private static IReadOnlyList<string> CheckNames(IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            if (name.Length > 253 || !HostName().IsMatch(name) || name.Split('.') is not [_, .., var last] || last.All(char.IsAsciiDigit))
            {
                throw new FeedException(
                    ErrorIds.MirrorCertificateName, $"'{name}' is not a full DNS name.", name,
                    "Write it with its domain, like clair-feeds.example.org; neither an address nor a wildcard, and not one label alone, which would permit everything beneath it.");
            }

            if (UpstreamHosts.All.FirstOrDefault(h => NameConstraints.Permits([name], h) || NameConstraints.Permits([h], name)) is { } host)
            {
                throw new FeedException(
                    ErrorIds.MirrorCertificateName, $"'{name}' overlaps with '{host}', which is a feed's own.", name, "Give the mirror a name in your own domain.");
            }
        }

        return [.. names.Select(n => n.ToLowerInvariant()).Distinct(StringComparer.Ordinal)];
    }

    [GeneratedRegex(@"\A([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    private MirrorCertificateState Existing() => Read() ?? throw new FeedException(
        ErrorIds.MirrorCertificateMissing, $"The site '{site.Root}' has no authority for its mirror.", site.TlsFolder, "Run New-ClairFeedMirrorCertificate first.");

    private bool Renew(X509Certificate2 authority, IReadOnlyList<string>? dnsNames)
    {
        MirrorLeaf? upstream = TryReadLeaf(UpstreamFile);
        MirrorLeaf? mirror = TryReadLeaf(MirrorFile);
        IReadOnlyList<string> own = dnsNames ?? mirror?.Names ?? [];
        if (!IsDue(upstream, authority, PermittedHosts(authority)) && (own.Count == 0 || !IsDue(mirror, authority, own)))
        {
            return false;
        }

        IssueLeaves(authority, own);
        return true;
    }

    private bool IsDue(MirrorLeaf? leaf, X509Certificate2 authority, IReadOnlyList<string> names) =>
        leaf is null || leaf.Issuer != authority.Subject
        || (clock.GetUtcNow() >= leaf.RenewAfter && leaf.NotAfter < authority.NotAfter.ToUniversalTime()) // it cannot outlive its authority
        || !names.Order(StringComparer.Ordinal).SequenceEqual(leaf.Names.Order(StringComparer.Ordinal));

    private static MirrorLeaf? TryReadLeaf(string path) => File.Exists(path) ? ReadLeaf(path) : null;

    private static IReadOnlyList<string> PermittedHosts(X509Certificate2 authority)
    {
        IReadOnlyList<string> permitted = NameConstraints.PermittedBy(authority);
        return [.. UpstreamHosts.All.Where(h => NameConstraints.Permits(permitted, h))];
    }

    private void IssueLeaves(X509Certificate2 authority, IReadOnlyList<string> own)
    {
        using (X509Certificate2 upstream = CertificateIssuer.CreateLeaf(authority, UpstreamName, PermittedHosts(authority), clock.GetUtcNow()))
        {
            WriteSecret(UpstreamFile, upstream);
        }

        if (own.Count > 0)
        {
            using X509Certificate2 mirror = CertificateIssuer.CreateLeaf(authority, MirrorName, own, clock.GetUtcNow());
            WriteSecret(MirrorFile, mirror);
        }
    }

    private void KeepAuthority(X509Certificate2 authority)
    {
        Directory.CreateDirectory(AuthoritiesFolder);
        WriteSecret(AuthorityFile(MirrorAuthority.Of(authority).Thumbprint), authority);
    }

    private static void WriteSecret(string path, X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        byte[] pem = Encoding.ASCII.GetBytes($"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        try
        {
            Durable.ReplaceFile(path, pem, ownerOnly: true);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
        }
    }

    private void WriteTrust(IEnumerable<X509Certificate2> authorities) =>
        Durable.ReplaceFile(TrustFile, Encoding.ASCII.GetBytes(TrustOf(authorities)));

    /// <summary>Ends what a killed command left half done.</summary>
    private void Mend(X509Certificate2 active)
    {
        using X509Certificate2? next = LoadNext(active);
        string trust = TrustOf(next is null ? [active] : [active, next]);
        if (!File.Exists(TrustFile) || File.ReadAllText(TrustFile) != trust)
        {
            Durable.ReplaceFile(TrustFile, Encoding.ASCII.GetBytes(trust));
        }

        string[] kept = [MirrorAuthority.Of(active).Thumbprint, next is null ? "" : MirrorAuthority.Of(next).Thumbprint];
        foreach (string file in Directory.GetFiles(AuthoritiesFolder, "*.pem").Where(f => !kept.Contains(Path.GetFileNameWithoutExtension(f))))
        {
            File.Delete(file);
        }
    }

    private static string TrustOf(IEnumerable<X509Certificate2> authorities) => string.Concat(authorities.Select(a => a.ExportCertificatePem() + "\n"));

    private void MakeActive(X509Certificate2 authority) =>
        Durable.ReplaceFile(ActiveFile, Encoding.ASCII.GetBytes(MirrorAuthority.Of(authority).Thumbprint + "\n"));

    private string ReadActive()
    {
        string text = File.ReadAllText(ActiveFile).Trim();
        return Sha256Digest.IsValid(text)
            ? text
            : throw new FeedException(
                ErrorIds.MirrorCertificateInvalid, $"'{ActiveFile}' does not name an authority.", ActiveFile,
                "Write the name of the authority into it: the name, without .pem, of the file in tls/authorities.");
    }

    private X509Certificate2 LoadAuthority(string thumbprint) => Load(AuthorityFile(thumbprint));

    private X509Certificate2? LoadNext(X509Certificate2 active)
    {
        string own = MirrorAuthority.Of(active).Thumbprint;
        DateTime newest = active.NotBefore;
        X509Certificate2? next = null;

        // One that is older was being removed when the process was killed: it vouches for nothing any more.
        foreach (string file in Directory.GetFiles(AuthoritiesFolder, "*.pem").Where(f => Path.GetFileNameWithoutExtension(f) != own).Order(StringComparer.Ordinal))
        {
            X509Certificate2 other = Load(file);
            if (other.NotBefore >= newest)
            {
                next?.Dispose();
                next = other;
                newest = other.NotBefore;
            }
            else
            {
                other.Dispose();
            }
        }

        return next;
    }

    private string AuthorityFile(string thumbprint) => Path.Combine(AuthoritiesFolder, thumbprint + ".pem");
}

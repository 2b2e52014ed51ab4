using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Tests.Trust;
using QuayAirGap.Core.Tls;
using Xunit;

namespace QuayAirGap.Core.Tests.Tls;

public sealed class MirrorCertificatesTests : IDisposable
{
    private const string Own = "clair-feeds.example.org";

    private static readonly string s_debianCdn = string.Join('.', "deb", "debian", "org");

    private readonly TempSite _site = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow); // openssl, a separate process, has the real time
    private readonly MirrorCertificates _certificates;

    public MirrorCertificatesTests() => _certificates = new MirrorCertificates(_site.Site, _clock);

    public void Dispose() => _site.Dispose();

    [Fact]
    public void The_hosts_are_those_of_the_catalogue_and_the_debian_cdn()
    {
        Assert.Equal(
            SourceCatalog.All.SelectMany(s => s.Hosts).Append(s_debianCdn).Distinct().Order(StringComparer.Ordinal), UpstreamHosts.All);
        Assert.Equal("ftp.debian.org", UpstreamHosts.ContentHostOf(s_debianCdn));
        Assert.Equal("secdb.alpinelinux.org", UpstreamHosts.ContentHostOf("SECDB.alpinelinux.org"));
        Assert.Null(UpstreamHosts.ContentHostOf("quay.io"));
        Assert.Null(UpstreamHosts.ContentHostOf("evil.secdb.alpinelinux.org"));
    }

    [Fact]
    public void The_authority_may_vouch_for_the_feeds_hosts_and_nothing_else()
    {
        MirrorCertificateState state = _certificates.Ensure([Own]);
        using X509Certificate2 authority = X509Certificate2.CreateFromPem(File.ReadAllText(state.TrustFile));

        X509BasicConstraintsExtension basic = authority.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        Assert.True(basic is { Critical: true, CertificateAuthority: true, HasPathLengthConstraint: true, PathLengthConstraint: 0 });
        X509KeyUsageExtension usage = authority.Extensions.OfType<X509KeyUsageExtension>().Single();
        Assert.True(usage.Critical);
        Assert.Equal(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, usage.KeyUsages);
        Assert.True(authority.Extensions.Single(e => e.Oid!.Value == "2.5.29.30").Critical);
        Assert.Equal("1.2.840.10045.4.3.2", authority.SignatureAlgorithm.Value); // ECDSA with SHA-256
        Assert.Equal([.. UpstreamHosts.All, Own], state.Authority.PermittedNames);
        Assert.Empty(state.HostsNotPermitted);
        Assert.DoesNotContain("PRIVATE KEY", File.ReadAllText(state.TrustFile));
    }

    [Theory]
    [InlineData("secdb.alpinelinux.org", true)]
    [InlineData("CDN", true)]
    [InlineData(Own, true)]
    [InlineData("quay.io", false)]
    [InlineData("example.org", false)]
    [InlineData("alpinelinux.org", false)]
    [InlineData("notsecdb.alpinelinux.org", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::1", false)]
    public void Whatever_it_signs_beyond_its_names_is_refused(string name, bool accepted)
    {
        name = name == "CDN" ? s_debianCdn : name;
        MirrorCertificateState state = _certificates.Ensure([Own]);
        using X509Certificate2 authority = Authority(state.Authority.Thumbprint);
        using X509Certificate2 leaf = Sign(authority, name);

        Assert.Equal(accepted, Trusts(state, leaf));
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "There is no openssl.");
        Assert.Equal(accepted, OpensslTrusts(state, leaf, name));
    }

    [Fact]
    public void An_authority_below_it_is_refused()
    {
        MirrorCertificateState state = _certificates.Ensure(null);
        using X509Certificate2 authority = Authority(state.Authority.Thumbprint);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=below", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 below = request.Create(authority, _clock.GetUtcNow(), _clock.GetUtcNow().AddDays(1), [1]).CopyWithPrivateKey(key);
        using X509Certificate2 leaf = Sign(below, "secdb.alpinelinux.org");

        Assert.False(Trusts(state, leaf, below));
    }

    [Fact]
    public void The_server_certificates_are_for_exactly_their_names()
    {
        MirrorCertificateState state = _certificates.Ensure([Own, "FEEDS.example.org"]);

        Assert.Equal(UpstreamHosts.All, state.Upstream.Names);
        Assert.Equal([Own, "feeds.example.org"], state.Mirror!.Names);
        foreach (MirrorLeaf leaf in new[] { state.Upstream, state.Mirror })
        {
            string pem = File.ReadAllText(leaf.Path);
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem, pem);
            Assert.True(Trusts(state, certificate));
            Assert.Equal(
                "1.3.6.1.5.5.7.3.1", certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages.Cast<Oid>().Single().Value);
            Assert.True(leaf.NotAfter - leaf.NotBefore <= TimeSpan.FromDays(398));
            Assert.True(leaf.NotBefore < _clock.GetUtcNow().AddHours(-23), "A Clair whose clock is behind must take it.");
        }
    }

    [Fact]
    public void Private_keys_are_the_owners_alone()
    {
        _certificates.Ensure([Own]);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "File modes are Unix's.");

        string[] secrets = [.. Directory.GetFiles(_site.Site.TlsFolder, "*", SearchOption.AllDirectories).Where(f => File.ReadAllText(f).Contains("PRIVATE KEY"))];
        Assert.Equal(3, secrets.Length);
#pragma warning disable CA1416 // skipped on Windows above
        Assert.All(secrets, s => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(s)));
#pragma warning restore CA1416
    }

    [Fact]
    public void Run_again_it_changes_nothing_until_a_certificate_is_due()
    {
        MirrorCertificateState first = _certificates.Ensure([Own]);
        Dictionary<string, string> before = Files();

        _clock.Advance(TimeSpan.FromDays(200));
        _certificates.Ensure(null);
        Assert.False(_certificates.RenewIfDue());
        Assert.Equal(before, Files());

        _clock.Advance(TimeSpan.FromDays(70));
        Assert.True(_certificates.RenewIfDue());
        MirrorCertificateState renewed = _certificates.Read()!;
        Assert.Equal(first.Authority.Thumbprint, renewed.Authority.Thumbprint);
        Assert.True(renewed.Upstream.NotAfter > first.Upstream.NotAfter);
        Assert.True(renewed.Mirror!.NotAfter > first.Mirror!.NotAfter);
        Assert.Equal(first.Mirror.Names, renewed.Mirror.Names);
        Assert.False(_certificates.RenewIfDue());
    }

    [Fact]
    public void Nothing_outlives_the_authority_and_nothing_is_renewed_in_vain()
    {
        _certificates.Ensure(null);
        _clock.Advance(TimeSpan.FromDays(3600));
        Assert.True(_certificates.RenewIfDue());

        MirrorCertificateState state = _certificates.Read()!;
        Assert.Equal(state.Authority.NotAfter, state.Upstream.NotAfter);
        _clock.Advance(TimeSpan.FromDays(40));
        Assert.False(_certificates.RenewIfDue());
    }

    [Fact]
    public void An_exchange_keeps_every_clair_served_at_each_step()
    {
        MirrorCertificateState first = _certificates.Ensure([Own]);
        string oldTrust = File.ReadAllText(first.TrustFile);
        _clock.Advance(TimeSpan.FromMinutes(1));

        MirrorCertificateState started = _certificates.StartRotation(["new.example.org"]);
        Assert.Equal(first.Authority.Thumbprint, started.Authority.Thumbprint);
        Assert.NotNull(started.NextAuthority);
        using (X509Certificate2 inUse = Leaf(started.Upstream))
        {
            Assert.True(Trusts(oldTrust, inUse), "A Clair that was not restarted.");
            Assert.True(Trusts(File.ReadAllText(started.TrustFile), inUse), "A Clair that was.");
        }

        Assert.Equal(ErrorIds.MirrorCertificateRotation, Assert.Throws<FeedException>(() => _certificates.StartRotation(null)).ErrorId);
        string bothTrusted = File.ReadAllText(started.TrustFile);

        MirrorCertificateState done = _certificates.CompleteRotation();
        Assert.Equal(started.NextAuthority.Thumbprint, done.Authority.Thumbprint);
        Assert.Null(done.NextAuthority);
        Assert.Equal(["new.example.org"], done.Mirror!.Names);
        using X509Certificate2 leaf = Leaf(done.Upstream);
        Assert.True(Trusts(bothTrusted, leaf));
        Assert.False(Trusts(oldTrust, leaf));
        Assert.DoesNotContain(first.Authority.Thumbprint, Files().Keys.Select(Path.GetFileNameWithoutExtension));
        Assert.Equal(ErrorIds.MirrorCertificateRotation, Assert.Throws<FeedException>(_certificates.CompleteRotation).ErrorId);
    }

    [Fact]
    public void An_exchange_that_was_killed_after_the_switch_is_finished_by_the_next_run()
    {
        MirrorCertificateState first = _certificates.Ensure([Own]);
        _clock.Advance(TimeSpan.FromMinutes(1));
        MirrorCertificateState started = _certificates.StartRotation(null);
        File.WriteAllText(Path.Combine(_site.Site.TlsFolder, "active"), started.NextAuthority!.Thumbprint);

        MirrorCertificateState mended = _certificates.Ensure(null);

        Assert.Equal(started.NextAuthority.Thumbprint, mended.Authority.Thumbprint);
        Assert.Null(mended.NextAuthority);
        using X509Certificate2 leaf = Leaf(mended.Upstream);
        Assert.True(Trusts(mended, leaf));
        Assert.False(File.Exists(Path.Combine(_site.Site.TlsFolder, "authorities", first.Authority.Thumbprint + ".pem")));
    }

    [Theory]
    [InlineData("mirror")]
    [InlineData("*.example.org")]
    [InlineData("10.0.0.1")]
    [InlineData("a..b")]
    [InlineData("a b.example.org")]
    [InlineData("example.org\nevil.org")]
    [InlineData("secdb.alpinelinux.org")]
    [InlineData("alpinelinux.org")]
    [InlineData("x.secdb.alpinelinux.org")]
    public void A_name_that_would_permit_too_much_is_refused(string name)
    {
        FeedException refused = Assert.Throws<FeedException>(() => _certificates.Ensure([name]));

        Assert.Equal(ErrorIds.MirrorCertificateName, refused.ErrorId);
        Assert.False(Directory.Exists(_site.Site.TlsFolder));
    }

    [Fact]
    public void Another_name_later_takes_an_exchange()
    {
        _certificates.Ensure([Own]);
        Dictionary<string, string> before = Files();

        FeedException refused = Assert.Throws<FeedException>(() => _certificates.Ensure([Own, "other.example.org"]));

        Assert.Equal(ErrorIds.MirrorCertificateName, refused.ErrorId);
        Assert.Contains("-StartRotation", refused.Remedy);
        Assert.Equal(before, Files());
    }

    [Fact]
    public void A_damaged_key_is_said_and_left_alone()
    {
        MirrorCertificateState state = _certificates.Ensure(null);
        File.WriteAllText(Path.Combine(_site.Site.TlsFolder, "authorities", state.Authority.Thumbprint + ".pem"), "nonsense");

        Assert.Equal(ErrorIds.MirrorCertificateInvalid, Assert.Throws<FeedException>(() => _certificates.Ensure(null)).ErrorId);
        Assert.Equal(ErrorIds.MirrorCertificateInvalid, Assert.Throws<FeedException>(() => _certificates.RenewIfDue()).ErrorId);
    }

    private static X509Certificate2 Leaf(MirrorLeaf leaf)
    {
        string pem = File.ReadAllText(leaf.Path);
        return X509Certificate2.CreateFromPem(pem, pem);
    }

    private static bool Trusts(MirrorCertificateState state, X509Certificate2 leaf, X509Certificate2? between = null) =>
        Trusts(File.ReadAllText(state.TrustFile), leaf, between);

    private static bool Trusts(string trust, X509Certificate2 leaf, X509Certificate2? between = null)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPem(trust);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (between is not null)
        {
            chain.ChainPolicy.ExtraStore.Add(between);
        }

        return chain.Build(leaf);
    }

    private X509Certificate2 Authority(string thumbprint)
    {
        string pem = File.ReadAllText(Path.Combine(_site.Site.TlsFolder, "authorities", thumbprint + ".pem"));
        return X509Certificate2.CreateFromPem(pem, pem);
    }

    /// <summary>What somebody could sign who has stolen the authority's key.</summary>
    private X509Certificate2 Sign(X509Certificate2 authority, string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (System.Net.IPAddress.TryParse(name, out System.Net.IPAddress? address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        return request.Create(authority, _clock.GetUtcNow(), _clock.GetUtcNow().AddDays(1), [2]);
    }

    private bool OpensslTrusts(MirrorCertificateState state, X509Certificate2 leaf, string name)
    {
        string path = _site.PathOf("leaf.crt");
        File.WriteAllText(path, leaf.ExportCertificatePem());
        bool address = System.Net.IPAddress.TryParse(name, out _);
        using Process process = Process.Start(new ProcessStartInfo(
            "/usr/bin/openssl",
            ["verify", "-x509_strict", "-CAfile", state.TrustFile, "-purpose", "sslserver", address ? "-verify_ip" : "-verify_hostname", name, path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 || output.Contains("permitted subtree violation") || output.Contains("excluded subtree violation"), output);
        return process.ExitCode == 0;
    }

    private Dictionary<string, string> Files() =>
        Directory.GetFiles(_site.Site.TlsFolder, "*", SearchOption.AllDirectories).ToDictionary(f => f, File.ReadAllText);
}

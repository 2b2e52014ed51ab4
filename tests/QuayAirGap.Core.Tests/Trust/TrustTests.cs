using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Trust;

public sealed class TrustTests : IDisposable
{
    private static readonly byte[] s_content = Encoding.UTF8.GetBytes("{\"what\":\"was signed\"}");
    private readonly Pki _pki = new();
    private readonly TempSite _temp = new();
    private readonly TrustStore _trust;

    public TrustTests() => _trust = new TrustStore(_temp.Site);

    public void Dispose()
    {
        _pki.Dispose();
        _temp.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("péßword")]
    public void A_made_signer_signs_what_a_site_that_trusts_its_certificate_believes(string? password)
    {
        var clock = new FakeTimeProvider(Pki.Now);
        CreatedSigner made = SignerFactory.Create(_temp.PathOf("signer.pfx"), "Clair feeds, outside", password, TimeSpan.FromDays(365), clock);
        using BundleSigner signer = BundleSigner.Load(made.PfxPath, password, clock);
        byte[] signature = signer.Sign(s_content);

        TrustedSigner trusted = _trust.Add(made.CertificatePath);
        IReadOnlyList<VerifiedSigner> verified = SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now);

        Assert.Equal(made.Thumbprint, Assert.Single(verified).Thumbprint);
        Assert.Equal(made.Thumbprint, trusted.Thumbprint);
        Assert.Equal("CN=\"Clair feeds, outside\"", made.Subject);
        Assert.Equal(Pki.Now.AddDays(365), made.NotAfter);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(made.PfxPath));
        }
    }

    [Fact]
    public void A_signer_is_never_overwritten()
    {
        var clock = new FakeTimeProvider(Pki.Now);
        CreatedSigner made = SignerFactory.Create(_temp.PathOf("signer.pfx"), "CN=First", "p", TimeSpan.FromDays(365), clock);
        byte[] before = File.ReadAllBytes(made.PfxPath);

        Refused(ErrorIds.SignerExists, () => SignerFactory.Create(made.PfxPath, "CN=Second", "p", TimeSpan.FromDays(365), clock));
        File.Delete(made.PfxPath);
        Refused(ErrorIds.SignerExists, () => SignerFactory.Create(made.PfxPath, "CN=Second", "p", TimeSpan.FromDays(365), clock));

        Assert.False(File.Exists(made.PfxPath));
        Assert.NotEmpty(before);
    }

    [Fact]
    public void A_signer_cannot_be_made_where_nothing_can_be_written_or_under_no_name()
    {
        var clock = new FakeTimeProvider(Pki.Now);
        Refused(ErrorIds.DestinationInvalid, () => SignerFactory.Create(_temp.PathOf("no/such/s.pfx"), "CN=A", "p", TimeSpan.FromDays(9), clock));
        Refused(ErrorIds.SignerInvalid, () => SignerFactory.Create(_temp.PathOf("s.pfx"), "", "p", TimeSpan.FromDays(9), clock));
        Refused(ErrorIds.SignerInvalid, () => SignerFactory.Create(_temp.PathOf("s.pfx"), "no=such=type", "p", TimeSpan.FromDays(9), clock));
        Refused(ErrorIds.SignerInvalid, () => SignerFactory.Create(_temp.PathOf("s.pfx"), "CN=A", "p", TimeSpan.Zero, clock));
        Assert.Empty(Directory.GetFiles(_temp.Root));
    }

    [Fact]
    public void Each_fault_of_a_signer_file_has_its_own_error()
    {
        X509Certificate2 good = _pki.Issue(new CertificateSpec());
        Refused(ErrorIds.SignerNotFound, () => Load(_temp.PathOf("missing.pfx")));
        Refused(ErrorIds.SignerPassword, () => Load(Write("p.pfx", good.Export(X509ContentType.Pfx, "right")), "wrong"));
        Refused(ErrorIds.SignerPassword, () => Load(_temp.PathOf("p.pfx")));
        Refused(ErrorIds.SignerNoPrivateKey, () => Load(Write("c.cer", good.RawData)));
        Refused(ErrorIds.SignerNoPrivateKey, () => Load(Write("c.pem", good.ExportCertificatePem())));
        Refused(ErrorIds.SignerNoPrivateKey, () =>
        {
            using X509Certificate2 bare = Bare(good);
            return Load(Write("nokey.pfx", bare.Export(X509ContentType.Pfx, "right")), "right");
        });
        Refused(ErrorIds.SignerNoPrivateKey, () =>
            Load(Write("other.pem", good.ExportCertificatePem() + "\n" + Pki.KeyOf(_pki.Issue(new CertificateSpec())).ExportPkcs8PrivateKeyPem())));
        Refused(ErrorIds.SignerInvalid, () => Load(Write("text.pfx", "hello")));
        Refused(ErrorIds.SignerInvalid, () => Load(Write("cut.pfx", good.Export(X509ContentType.Pfx, "right")[..200]), "right"));
        Refused(ErrorIds.SignerInvalid, () => Load(Write("empty.pfx", Array.Empty<byte>())));
        Refused(ErrorIds.SignerInvalid, () => Load(Pfx(new CertificateSpec { Usage = "1.3.6.1.5.5.7.3.1" })));
        Refused(ErrorIds.SignerInvalid, () => Load(Pfx(new CertificateSpec { Usage = null })));
        Refused(ErrorIds.SignerInvalid, () => Load(Pfx(new CertificateSpec { KeyUsage = X509KeyUsageFlags.KeyEncipherment })));
        Refused(ErrorIds.SignerInvalid, () => Load(Pfx(new CertificateSpec { Authority = true })));
        Refused(ErrorIds.SignerInvalid, () => Load(Pfx(new CertificateSpec { NotAfter = Pki.Now.AddDays(-1) })));
        Refused(ErrorIds.SignerInvalid, () => Load(Pfx(new CertificateSpec { NotBefore = Pki.Now.AddDays(1) })));
        Refused(ErrorIds.SignerWeak, () => Load(Pfx(new CertificateSpec { Key = () => Pki.Rsa(2048) })));
        Refused(ErrorIds.SignerWeak, () => Load(Pfx(new CertificateSpec { Key = () => ECDsa.Create(ECCurve.NamedCurves.nistP521) })));
        Refused(ErrorIds.SignerWeak, () => Load(Pfx(new CertificateSpec { Key = () => Pki.Rsa(3072), Hash = HashAlgorithmName.SHA1 })));
    }

    [Fact]
    public void A_PEM_file_with_certificate_and_key_signs_encrypted_or_not()
    {
        X509Certificate2 good = _pki.Issue(new CertificateSpec { Key = () => Pki.Rsa(3072) });
        _trust.Add(Write("good.cer", good.RawData));
        using AsymmetricAlgorithm key = Pki.KeyOf(good);
        string certificate = good.ExportCertificatePem();
        string encrypted = key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        using BundleSigner plain = Load(Write("plain.pem", key.ExportPkcs8PrivateKeyPem() + "\n" + certificate));
        using BundleSigner locked = Load(Write("locked.pem", certificate + "\n" + encrypted), "secret");
        Refused(ErrorIds.SignerPassword, () => Load(_temp.PathOf("locked.pem"), "wrong"));
        Refused(ErrorIds.SignerPassword, () => Load(_temp.PathOf("locked.pem")));

        Assert.Single(SignatureVerifier.Verify(s_content, [plain.Sign(s_content), locked.Sign(s_content)], _trust, Pki.Now));
    }

    [Theory]
    [InlineData("P-256")]
    [InlineData("P-384")]
    [InlineData("RSA 3072")]
    public void A_signer_issued_by_a_trusted_authority_is_believed_with_its_intermediate(string kind)
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 middle = _pki.Issue(new CertificateSpec { Subject = "CN=Middle", Authority = true }, root);
        X509Certificate2 leaf = _pki.Issue(
            new CertificateSpec
            {
                Key = kind switch
                {
                    "P-256" => () => ECDsa.Create(ECCurve.NamedCurves.nistP256),
                    "P-384" => () => ECDsa.Create(ECCurve.NamedCurves.nistP384),
                    _ => () => Pki.Rsa(3072),
                },
            },
            middle);
        string pfx = Write("leaf.pfx", new X509Certificate2Collection { leaf, Bare(middle), Bare(root) }.Export(X509ContentType.Pfx, "p")!);
        _trust.Add(Write("root.cer", root.RawData));

        using BundleSigner signer = Load(pfx, "p");
        byte[] signature = signer.Sign(s_content);

        VerifiedSigner verified = Assert.Single(SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now));
        Assert.Equal(Thumbprint(leaf), verified.Thumbprint);
        Assert.Equal(Thumbprint(root), verified.Anchor);
        var cms = new SignedCms();
        cms.Decode(signature);
        Assert.Equal(["CN=Feeds collector", "CN=Middle"], cms.Certificates.Select(c => c.Subject).Order());
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, leaf));
    }

    [Fact]
    public void An_issued_signer_that_the_site_holds_itself_needs_no_authority_but_vouches_for_nobody()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 leaf = _pki.Issue(new CertificateSpec(), root);
        X509Certificate2 selfSigned = _pki.Issue(new CertificateSpec { Subject = "CN=Self" });
        X509Certificate2 child = _pki.Issue(new CertificateSpec { Subject = "CN=Child" }, selfSigned);
        _trust.Add(Write("leaf.cer", leaf.ExportCertificatePem()));
        _trust.Add(Write("self.cer", selfSigned.ExportCertificatePem()));

        Assert.Single(SignatureVerifier.Verify(s_content, [Pki.Sign(s_content, leaf)], _trust, Pki.Now));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, child, [Bare(selfSigned)]));
    }

    [Fact]
    public void Nothing_but_a_trusted_signer_for_this_content_is_believed()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 otherRoot = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 leaf = _pki.Issue(new CertificateSpec(), root);
        byte[] good = Pki.Sign(s_content, leaf);
        RefusedSignature(ErrorIds.TrustEmpty, good);
        _trust.Add(Write("root.cer", root.RawData));

        Assert.Single(SignatureVerifier.Verify(s_content, [good], _trust, Pki.Now));
        RefusedSignature(ErrorIds.BundleUnsigned);
        FeedException altered = Assert.Throws<FeedException>(() => SignatureVerifier.Verify("{}"u8.ToArray(), [good], _trust, Pki.Now));
        Assert.Equal(ErrorIds.BundleSignatureInvalid, altered.ErrorId);
        RefusedSignature(ErrorIds.BundleSignatureInvalid, [.. good, 0]);
        RefusedSignature(ErrorIds.BundleSignatureInvalid, good[..^1]);
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Encoding.ASCII.GetBytes("not a signature"));
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Array.Empty<byte>());
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Pki.Sign(s_content, leaf, detached: false));
        RefusedSignature(ErrorIds.BundleSignatureWeak, Pki.Sign(s_content, leaf, digest: "1.3.14.3.2.26"));
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Pki.Sign(s_content, leaf, change: s => s.IncludeOption = X509IncludeOption.None));
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Pki.Sign(s_content, leaf, change: s => s.UnsignedAttributes.Add(new Pkcs9DocumentName("x"))));
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Pki.Sign(s_content, leaf, after: c => c.ComputeSignature(new CmsSigner(leaf))));
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Pki.Sign(s_content, leaf, after: c => c.SignerInfos[0].ComputeCounterSignature(new CmsSigner(leaf))));
        RefusedSignature(ErrorIds.BundleSignatureInvalid, Pki.Sign(s_content, leaf, attributes: false));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, _pki.Issue(new CertificateSpec(), otherRoot), [Bare(otherRoot)]));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, _pki.Issue(new CertificateSpec())));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { Usage = "1.3.6.1.5.5.7.3.2" }, root)));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { Usage = null }, root)));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { KeyUsage = X509KeyUsageFlags.KeyEncipherment }, root)));
        RefusedSignature(ErrorIds.BundleSignatureWeak, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { Key = () => Pki.Rsa(2048) }, root)));
        RefusedSignature(ErrorIds.BundleSignatureWeak, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { Key = () => ECDsa.Create(ECCurve.NamedCurves.nistP521) }, root)));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, root));
        RefusedSignature(ErrorIds.BundleSignerUnknown, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { Subject = "CN=Grandchild" }, leaf), [Bare(leaf)]));
        RefusedSignature(ErrorIds.BundleSignerExpired, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { NotAfter = Pki.Now.AddDays(-1) }, root)));
        RefusedSignature(ErrorIds.BundleSignerExpired, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { NotBefore = Pki.Now.AddDays(1) }, root)));
        RefusedSignature(ErrorIds.BundleLimit, [.. Enumerable.Repeat(good, 17)]);
    }

    [Fact]
    public void A_weak_link_anywhere_in_the_chain_breaks_it()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true, Key = () => Pki.Rsa(3072) });
        X509Certificate2 weakKey = _pki.Issue(new CertificateSpec { Subject = "CN=Weak key", Authority = true, Key = () => Pki.Rsa(2048) }, root);
        X509Certificate2 weakHash = _pki.Issue(new CertificateSpec { Subject = "CN=Weak hash", Authority = true, Hash = HashAlgorithmName.SHA1 }, root);
        _trust.Add(Write("root.cer", root.RawData));

        RefusedSignature(ErrorIds.BundleSignatureWeak, Pki.Sign(s_content, _pki.Issue(new CertificateSpec(), weakKey), [Bare(weakKey)]));
        RefusedSignature(ErrorIds.BundleSignatureWeak, Pki.Sign(s_content, _pki.Issue(new CertificateSpec(), weakHash), [Bare(weakHash)]));
        RefusedSignature(ErrorIds.BundleSignatureWeak, Pki.Sign(s_content, _pki.Issue(new CertificateSpec { Hash = HashAlgorithmName.SHA1 }, root)));
    }

    [Fact]
    public void A_trusted_signer_is_held_to_the_time_at_which_the_bundle_was_made()
    {
        X509Certificate2 signer = _pki.Issue(new CertificateSpec { NotBefore = Pki.Now.AddDays(-10), NotAfter = Pki.Now.AddDays(10) });
        _trust.Add(Write("s.cer", signer.RawData));
        byte[] signature = Pki.Sign(s_content, signer);

        Assert.Single(SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now.AddDays(9)));
        Assert.Equal(
            ErrorIds.BundleSignerExpired,
            Assert.Throws<FeedException>(() => SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now.AddDays(11))).ErrorId);
        Assert.Equal(
            ErrorIds.BundleSignerExpired,
            Assert.Throws<FeedException>(() => SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now.AddDays(-11))).ErrorId);
    }

    [Fact]
    public void What_was_revoked_stays_refused_under_any_certificate_for_the_same_key()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 signer = _pki.Issue(new CertificateSpec());
        using AsymmetricAlgorithm key = Pki.KeyOf(signer);
        X509Certificate2 sameKey = _pki.Issue(new CertificateSpec { Subject = "CN=Another name" }, root, key);
        _trust.Add(Write("root.cer", root.RawData));
        _trust.Add(Write("s.cer", signer.RawData));
        byte[] signature = Pki.Sign(s_content, signer);
        Assert.Single(SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now));

        TrustedSigner revoked = _trust.Remove(Thumbprint(signer)[..8].ToUpperInvariant(), revoke: true);

        Assert.True(revoked.IsRevoked);
        Assert.True(Assert.Single(_trust.List(), t => t.Thumbprint == Thumbprint(signer)).IsRevoked);
        RefusedSignature(ErrorIds.BundleSignerRevoked, signature);
        RefusedSignature(ErrorIds.BundleSignerRevoked, Pki.Sign(s_content, sameKey));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(_temp.PathOf("s.cer")));

        _trust.Remove(Thumbprint(signer), revoke: false);
        RefusedSignature(ErrorIds.BundleSignerUnknown, signature);
        _trust.Add(_temp.PathOf("s.cer"));
        Assert.Single(SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now));
    }

    [Fact]
    public void A_revoked_authority_takes_along_whatever_it_issued()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 other = _pki.Issue(new CertificateSpec { Subject = "CN=Other", Authority = true });
        X509Certificate2 middle = _pki.Issue(new CertificateSpec { Subject = "CN=Middle", Authority = true }, root);
        byte[] signature = Pki.Sign(s_content, _pki.Issue(new CertificateSpec(), middle), [Bare(middle)]);
        _trust.Add(Write("root.cer", root.RawData));
        _trust.Add(Write("other.cer", other.RawData));
        Assert.Single(SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now));

        _trust.Remove(Thumbprint(root), revoke: true);
        RefusedSignature(ErrorIds.BundleSignerRevoked, signature);
        _trust.Remove(Thumbprint(root), revoke: false);
        RefusedSignature(ErrorIds.BundleSignerUnknown, signature);
    }

    [Fact]
    public void One_signer_counts_once_however_often_it_signed()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 one = _pki.Issue(new CertificateSpec { Subject = "CN=One" }, root);
        X509Certificate2 oneRenewed = _pki.Issue(new CertificateSpec { Subject = "CN=One" }, root);
        using AsymmetricAlgorithm key = Pki.KeyOf(one);
        X509Certificate2 oneRenamed = _pki.Issue(new CertificateSpec { Subject = "CN=One again" }, root, key);
        X509Certificate2 two = _pki.Issue(new CertificateSpec { Subject = "CN=Two" }, root);
        X509Certificate2 stranger = _pki.Issue(new CertificateSpec { Subject = "CN=Stranger" });
        _trust.Add(Write("root.cer", root.RawData));
        File.WriteAllText(Path.Combine(_temp.Site.TrustFolder, "policy.yaml"), "version: 1\nrequiredSigners: 2 # four eyes\n");
        byte[] By(X509Certificate2 c) => Pki.Sign(s_content, c);

        RefusedSignature(ErrorIds.BundleTooFewSigners, By(one));
        RefusedSignature(ErrorIds.BundleSignerRepeated, By(one), By(one));
        RefusedSignature(ErrorIds.BundleSignerRepeated, By(one), By(oneRenewed));
        RefusedSignature(ErrorIds.BundleSignerRepeated, By(one), By(oneRenamed));
        RefusedSignature(ErrorIds.BundleTooFewSigners, By(one), By(stranger));
        Assert.Equal(2, SignatureVerifier.Verify(s_content, [By(one), By(stranger), By(two), By(one)], _trust, Pki.Now).Count);
    }

    [Theory]
    [InlineData("requiredSigner: 2")]
    [InlineData("requiredSigners: 0")]
    [InlineData("requiredSigners: two")]
    [InlineData("requiredSigners: -1")]
    [InlineData("version: 0")]
    [InlineData("- 1")]
    [InlineData("{")]
    [InlineData("")]
    public void A_policy_that_is_not_understood_stops_verification(string yaml)
    {
        File.WriteAllText(Path.Combine(_temp.Site.TrustFolder, "policy.yaml"), yaml);
        RefusedSignature(ErrorIds.SettingsInvalid, Pki.Sign(s_content, _pki.Issue(new CertificateSpec())));
    }

    [Fact]
    public void Only_a_certificate_that_could_ever_count_is_taken_into_trust_and_never_a_key()
    {
        X509Certificate2 good = _pki.Issue(new CertificateSpec());
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        Refused(ErrorIds.TrustNotFound, () => _trust.Add(_temp.PathOf("missing.cer")));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("text.cer", "hello")));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("two.cer", good.ExportCertificatePem() + "\n" + root.ExportCertificatePem())));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("rsa.cer", _pki.Issue(new CertificateSpec { Key = () => Pki.Rsa(2048) }).RawData)));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("p521.cer", _pki.Issue(new CertificateSpec { Key = () => ECDsa.Create(ECCurve.NamedCurves.nistP521) }).RawData)));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("sha1.cer", _pki.Issue(new CertificateSpec { Key = () => Pki.Rsa(3072), Hash = HashAlgorithmName.SHA1 }).RawData)));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("eku.cer", _pki.Issue(new CertificateSpec { Usage = "1.3.6.1.5.5.7.3.1" }).RawData)));
        Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("middle.cer", _pki.Issue(new CertificateSpec { Subject = "CN=M", Authority = true }, root).RawData)));
        FeedException locked = Refused(ErrorIds.TrustInvalid, () => _trust.Add(Write("locked.pfx", good.Export(X509ContentType.Pfx, "secret"))));
        Assert.Contains(".cer", locked.Remedy);
        Assert.Empty(_trust.List());

        TrustedSigner fromPfx = _trust.Add(Write("open.pfx", good.Export(X509ContentType.Pfx)));
        using AsymmetricAlgorithm key = Pki.KeyOf(good);
        TrustedSigner fromPem = _trust.Add(Write("both.pem", key.ExportPkcs8PrivateKeyPem() + "\n" + good.ExportCertificatePem()));
        Assert.Equal(fromPfx, fromPem);
        Assert.Equal(good.RawData, File.ReadAllBytes(fromPem.Path));
        Assert.True(_trust.Add(Write("root.cer", root.RawData)).IsAuthority);
        Assert.Equal(2, _trust.List().Count);
    }

    [Fact]
    public void Removing_asks_for_one_certificate_that_is_there()
    {
        Refused(ErrorIds.TrustNotFound, () => _trust.Remove("0123456", revoke: false));
        Refused(ErrorIds.TrustNotFound, () => _trust.Remove("0123456789", revoke: true));
        Refused(ErrorIds.TrustNotFound, () => _trust.Remove("", revoke: true));
    }

    [Fact]
    public void A_damaged_certificate_in_the_trust_folder_is_said_and_not_passed_over()
    {
        X509Certificate2 good = _pki.Issue(new CertificateSpec());
        TrustedSigner trusted = _trust.Add(Write("good.cer", good.RawData));
        File.WriteAllText(trusted.Path, "damaged");
        Refused(ErrorIds.SiteDamaged, () => _trust.List());
        File.WriteAllBytes(trusted.Path, _pki.Issue(new CertificateSpec()).RawData);
        Refused(ErrorIds.SiteDamaged, () => _trust.List());
    }

    [Fact]
    public void The_stream_is_pinned_for_good()
    {
        Assert.Null(_trust.Stream);
        var stream = Guid.NewGuid();
        _trust.SetStream(stream);
        Assert.Equal(stream, new TrustStore(_temp.Site).Stream);
        File.WriteAllText(Path.Combine(_temp.Site.TrustFolder, "stream"), "nonsense");
        Refused(ErrorIds.SiteDamaged, () => _trust.Stream);
    }

    [Fact]
    public void No_changed_byte_of_a_signature_ever_verifies_or_fails_in_another_way()
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 leaf = _pki.Issue(new CertificateSpec(), root);
        _trust.Add(Write("root.cer", root.RawData));
        byte[] good = Pki.Sign(s_content, leaf);
        int accepted = 0;
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = [.. good];
            changed[i] ^= (byte)(1 << (i % 8));
            try
            {
                SignatureVerifier.Verify(s_content, [changed], _trust, Pki.Now);
                accepted++;
            }
            catch (FeedException)
            {
            }
        }

        Assert.Equal(0, accepted);
    }

    private static string Thumbprint(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    private static X509Certificate2 Bare(X509Certificate2 certificate) => X509CertificateLoader.LoadCertificate(certificate.RawData);

    private static BundleSigner Load(string path, string? password = null) => BundleSigner.Load(path, password, new FakeTimeProvider(Pki.Now));

    private static FeedException Refused(string errorId, Func<object?> act)
    {
        FeedException e = Assert.Throws<FeedException>(() => { _ = act(); });
        Assert.Equal(errorId, e.ErrorId);
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
        return e;
    }

    private void RefusedSignature(string errorId, params byte[][] signatures) =>
        Refused(errorId, () => SignatureVerifier.Verify(s_content, signatures, _trust, Pki.Now));

    private void RefusedSignature(string errorId, byte[] signature) => RefusedSignature(errorId, [signature]);

    private string Pfx(CertificateSpec spec) => Write($"{Guid.NewGuid():N}.pfx", _pki.Issue(spec).Export(X509ContentType.Pfx));

    private string Write(string name, byte[] content)
    {
        File.WriteAllBytes(_temp.PathOf(name), content);
        return _temp.PathOf(name);
    }

    private string Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));
}

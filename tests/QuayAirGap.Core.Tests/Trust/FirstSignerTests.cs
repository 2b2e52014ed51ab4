using System.Security.Cryptography.X509Certificates;
using System.Text;
using QuayAirGap.Core.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Trust;

/// <summary>A new site believes the signer of its first bundle by a thumbprint that its owner got by another way, and nobody else by it.</summary>
public sealed class FirstSignerTests : IDisposable
{
    private static readonly byte[] s_content = Encoding.UTF8.GetBytes("{\"what\":\"was signed\"}");
    private readonly Pki _pki = new();
    private readonly TempSite _temp = new();
    private readonly TrustStore _trust;

    public FirstSignerTests() => _trust = new TrustStore(_temp.Site);

    public void Dispose()
    {
        _pki.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public void The_signer_that_was_named_is_trusted_and_what_it_signed_is_believed()
    {
        X509Certificate2 signer = _pki.Issue(new CertificateSpec());
        byte[] signature = Pki.Sign(s_content, signer);

        // As openssl writes it, and as it is written here.
        FirstSigner first = FirstSigner.Find(s_content, [signature], string.Join(':', Thumbprint(signer).ToUpperInvariant().Chunk(2).Select(c => new string(c))));
        Assert.False(first.IsTrusted(_trust));
        Assert.Empty(_trust.List());
        Assert.True(first.Trust(_trust));

        Assert.Equal((Thumbprint(signer), signer.Subject), (first.Thumbprint, first.Subject));
        Assert.Equal(Thumbprint(signer), Assert.Single(SignatureVerifier.Verify(s_content, [signature], _trust, Pki.Now)).Thumbprint);
        Assert.False(FirstSigner.Find(s_content, [signature], Thumbprint(signer)).Trust(_trust)); // the same again changes nothing
        Assert.Single(_trust.List());
    }

    [Fact]
    public void Of_two_signers_only_the_one_that_was_named_is_trusted()
    {
        X509Certificate2 named = _pki.Issue(new CertificateSpec());
        X509Certificate2 other = _pki.Issue(new CertificateSpec { Subject = "CN=Somebody else" });
        byte[][] signatures = [Pki.Sign(s_content, other), Pki.Sign(s_content, named)];

        Assert.True(FirstSigner.Find(s_content, signatures, Thumbprint(named)).Trust(_trust));

        Assert.Equal(Thumbprint(named), Assert.Single(_trust.List()).Thumbprint);
        Assert.Throws<FeedException>(() => SignatureVerifier.Verify(s_content, [signatures[0]], _trust, Pki.Now));
    }

    [Theory]
    [InlineData("another signer of the same name")]
    [InlineData("the authority that issued the signer, which the signature brings")]
    [InlineData("the signer's key under another certificate")]
    [InlineData("a certificate that the signature brings and that signed nothing")]
    public void Nothing_but_the_signers_own_certificate_is_taken(string what)
    {
        X509Certificate2 root = _pki.Issue(new CertificateSpec { Subject = "CN=Root", Authority = true });
        X509Certificate2 signer = _pki.Issue(new CertificateSpec(), root);
        X509Certificate2 other = _pki.Issue(new CertificateSpec());
        (X509Certificate2 named, X509Certificate2[] brought) = what switch
        {
            "another signer of the same name" => (other, []),
            "the authority that issued the signer, which the signature brings" => (root, [Bare(root)]),
            "the signer's key under another certificate" => (_pki.Issue(new CertificateSpec(), root, Pki.KeyOf(signer)), []),
            _ => (other, new[] { Bare(other) }),
        };

        Refused(ErrorIds.TrustThumbprintDiffers, () => FirstSigner.Find(s_content, [Pki.Sign(s_content, signer, brought)], Thumbprint(named)));
    }

    [Fact]
    public void A_thumbprint_must_be_whole()
    {
        X509Certificate2 signer = _pki.Issue(new CertificateSpec());
        byte[] signature = Pki.Sign(s_content, signer);
        string whole = Thumbprint(signer);
        foreach (string wrong in new[] { whole[..16], whole[..63], whole + "0", "g" + whole[1..], "*", signer.Thumbprint })
        {
            Refused(ErrorIds.TrustThumbprintInvalid, () => FirstSigner.Find(s_content, [signature], wrong));
        }
    }

    [Fact]
    public void A_signature_that_does_not_hold_names_nobody()
    {
        X509Certificate2 signer = _pki.Issue(new CertificateSpec());
        Refused(ErrorIds.BundleSignatureInvalid, () => FirstSigner.Find("{}"u8.ToArray(), [Pki.Sign(s_content, signer)], Thumbprint(signer)));
        Refused(ErrorIds.BundleUnsigned, () => FirstSigner.Find(s_content, [], Thumbprint(signer)));
    }

    [Fact]
    public void An_authority_that_signs_itself_and_a_certificate_for_another_purpose_are_not_trusted()
    {
        foreach (CertificateSpec spec in new[] { new CertificateSpec { Subject = "CN=Root", Authority = true }, new CertificateSpec { Usage = "1.3.6.1.5.5.7.3.1" } })
        {
            X509Certificate2 unfit = _pki.Issue(spec);
            FirstSigner first = FirstSigner.Find(s_content, [Pki.Sign(s_content, unfit)], Thumbprint(unfit));
            Refused(ErrorIds.TrustInvalid, () => first.Trust(_trust));
        }

        Assert.Empty(_trust.List());
    }

    [Fact]
    public void A_site_that_has_trusted_anybody_before_takes_nobody_by_a_thumbprint()
    {
        X509Certificate2 signer = _pki.Issue(new CertificateSpec());
        X509Certificate2 earlier = _pki.Issue(new CertificateSpec { Subject = "CN=Earlier" });
        FirstSigner first = FirstSigner.Find(s_content, [Pki.Sign(s_content, signer)], Thumbprint(signer));
        File.WriteAllBytes(_temp.PathOf("earlier.cer"), earlier.RawData);
        _trust.Add(_temp.PathOf("earlier.cer"));
        Refused(ErrorIds.TrustEstablished, () => first.Trust(_trust));

        // Nor when that one was revoked, nor when it is forgotten and a stream is left.
        _trust.Remove(Thumbprint(earlier), revoke: true);
        Refused(ErrorIds.TrustEstablished, () => first.Trust(_trust));
        _trust.Remove(Thumbprint(earlier), revoke: false);
        _trust.SetStream(Guid.NewGuid());
        Refused(ErrorIds.TrustEstablished, () => first.Trust(_trust));
        Assert.Empty(_trust.List());
    }

    [Fact]
    public void A_signer_that_was_revoked_stays_revoked()
    {
        X509Certificate2 signer = _pki.Issue(new CertificateSpec());
        FirstSigner first = FirstSigner.Find(s_content, [Pki.Sign(s_content, signer)], Thumbprint(signer));
        first.Trust(_trust);
        _trust.Remove(first.Thumbprint, revoke: true);

        Refused(ErrorIds.TrustEstablished, () => first.Trust(_trust));
        Assert.True(Assert.Single(_trust.List()).IsRevoked);
    }

    private static void Refused(string errorId, Action action) => Assert.Equal(errorId, Assert.Throws<FeedException>(action).ErrorId);

    private static string Thumbprint(X509Certificate2 certificate) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(certificate.RawData));

    private static X509Certificate2 Bare(X509Certificate2 certificate) => X509CertificateLoader.LoadCertificate(certificate.RawData);
}

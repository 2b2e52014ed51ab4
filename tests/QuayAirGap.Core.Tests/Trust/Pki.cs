using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.Core.Tests.Trust;

/// <summary>A certificate with its key, and how it is made wrong on purpose.</summary>
internal sealed record CertificateSpec
{
    public string Subject { get; init; } = "CN=Feeds collector";

    public bool Authority { get; init; }

    public string? Usage { get; init; } = "1.3.6.1.5.5.7.3.3";

    public X509KeyUsageFlags? KeyUsage { get; init; }

    public DateTimeOffset NotBefore { get; init; } = Pki.Now.AddDays(-30);

    public DateTimeOffset NotAfter { get; init; } = Pki.Now.AddDays(300);

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    public Func<AsymmetricAlgorithm> Key { get; init; } = () => ECDsa.Create(ECCurve.NamedCurves.nistP256);
}

/// <summary>Certificates of every kind, made by the platform's own issuing code.</summary>
internal sealed class Pki : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, byte[]> s_rsaKeys = new();

    private readonly List<X509Certificate2> _made = [];

    /// <summary>One key for each size: making them takes a second.</summary>
    public static RSA Rsa(int bits)
    {
        RSA key = RSA.Create();
        key.ImportPkcs8PrivateKey(s_rsaKeys.GetOrAdd(bits, static b => RSA.Create(b).ExportPkcs8PrivateKey()), out _);
        return key;
    }

    public X509Certificate2 Issue(CertificateSpec spec, X509Certificate2? issuer = null, AsymmetricAlgorithm? reuse = null)
    {
        AsymmetricAlgorithm key = reuse ?? spec.Key();
        var name = new X500DistinguishedName(spec.Subject);
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest(name, rsa, spec.Hash, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, spec.Hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(spec.Authority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            spec.KeyUsage ?? (spec.Authority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature), true));
        if (spec.Usage is not null && !spec.Authority)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(spec.Usage)], false));
        }

        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        X509SignatureGenerator generator = (issuer is null ? key : KeyOf(issuer)) switch
        {
            RSA r => new WeakCapableRsa(r),
            ECDsa e => X509SignatureGenerator.CreateForECDsa(e),
            _ => throw new NotSupportedException(),
        };
        byte[] serial = RandomNumberGenerator.GetBytes(12);
        serial[0] = 0x42;
        using X509Certificate2 bare = request.Create(issuer?.SubjectName ?? name, generator, spec.NotBefore, spec.NotAfter, serial);
        X509Certificate2 made = key is RSA withRsa ? bare.CopyWithPrivateKey(withRsa) : bare.CopyWithPrivateKey((ECDsa)key);
        _made.Add(made);
        return made;
    }

    public static AsymmetricAlgorithm KeyOf(X509Certificate2 certificate) =>
        (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey() ?? certificate.GetECDsaPrivateKey()!;

    /// <summary>A CMS signature made without the product's own rules.</summary>
    public static byte[] Sign(
        byte[] content, X509Certificate2 certificate, X509Certificate2[]? chain = null, string digest = "2.16.840.1.101.3.4.2.1",
        bool detached = true, bool attributes = true, Action<CmsSigner>? change = null, Action<SignedCms>? after = null)
    {
        var signer = new CmsSigner(SubjectIdentifierType.IssuerAndSerialNumber, certificate)
        {
            IncludeOption = X509IncludeOption.EndCertOnly,
            DigestAlgorithm = new Oid(digest),
        };
        signer.Certificates.AddRange(chain ?? []);
        if (attributes)
        {
            signer.SignedAttributes.Add(new Pkcs9SigningTime(Now.UtcDateTime));
        }

        change?.Invoke(signer);
        var cms = new SignedCms(new ContentInfo(content), detached);
        cms.ComputeSignature(signer);
        after?.Invoke(cms);
        return cms.Encode();
    }

    public void Dispose() => _made.ForEach(c => c.Dispose());

    /// <summary>Signs with SHA-1 too, which the platform's own generator refuses nowhere but other issuers still did for long.</summary>
    private sealed class WeakCapableRsa(RSA key) : X509SignatureGenerator
    {
        private readonly X509SignatureGenerator _inner = CreateForRSA(key, RSASignaturePadding.Pkcs1);

        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
            hashAlgorithm == HashAlgorithmName.SHA1
                ? [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x05, 0x05, 0x00]
                : _inner.GetSignatureAlgorithmIdentifier(hashAlgorithm);

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, hashAlgorithm, RSASignaturePadding.Pkcs1);

        protected override PublicKey BuildPublicKey() => _inner.PublicKey;
    }
}

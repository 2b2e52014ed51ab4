using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.Core.Trust;

/// <summary>Authorities that vouch for a server: a file with one certificate or many, as /etc/ssl has them.</summary>
public static class CertificateAuthorities
{
    /// <exception cref="FeedException"><see cref="ErrorIds.TrustNotFound"/> or <see cref="ErrorIds.TrustInvalid"/></exception>
    public static IReadOnlyList<X509Certificate2> Read(string path)
    {
        try
        {
            byte[] content = File.ReadAllBytes(path);
            var found = new List<X509Certificate2>();
            switch (CertificateFile.KindOf(content))
            {
                case CertificateFileKind.Der:
                    found.Add(new X509Certificate2(content));
                    break;
                case CertificateFileKind.Pem:
                    found.AddRange(CertificateFile.Blocks(content).Where(b => b.Label is "CERTIFICATE" or "X509 CERTIFICATE")
                        .Select(b => X509Certificate2.CreateFromPem(b.Text)));
                    break;
            }

            return found.Count > 0 ? found : throw new CryptographicException("There is no certificate in it.");
        }
        catch (CryptographicException e)
        {
            throw new FeedException(ErrorIds.TrustInvalid, $"'{path}' holds no authority's certificate: {e.Message}", path, "Name the authority's .crt file, PEM or DER.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(ErrorIds.TrustNotFound, $"'{path}' cannot be read: {e.Message}", path, "Name the authority's .crt file, PEM or DER.", e);
        }
    }
}

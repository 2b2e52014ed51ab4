using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>What -Signer and -SignerCertificate have in common: one of them is needed, and both may be given.</summary>
internal static class SignerParameters
{
    public static void ThrowIfNone(string[] files, X509Certificate2[] certificates)
    {
        if (files.Length + certificates.Length == 0)
        {
            throw new FeedException(
                ErrorIds.SignerNotFound, "No signer is given.", "signer",
                "Name the signer's PFX or PEM file with -Signer, or give a certificate with its key with -SignerCertificate. Unsigned bundles are never made.");
        }
    }
}

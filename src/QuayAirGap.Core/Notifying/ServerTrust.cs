using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.Core.Notifying;

/// <summary>Whether a server's certificate is good. Behind the gap nobody answers for revocation or missing certificates: none is asked.</summary>
internal static class ServerTrust
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <param name="channel">For the error.</param>
    /// <param name="caFile">PEM: the only authorities that are trusted.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.WarningSecret"/></exception>
    public static RemoteCertificateValidationCallback Of(WarningChannel channel, string caFile)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem(WarningFiles.Text(channel, caFile));
        }
        catch (CryptographicException e)
        {
            throw WarningErrors.Secret(channel, $"'{caFile}' is no PEM file with certificates: {e.Message}", e);
        }

        return roots.Count == 0
            ? throw WarningErrors.Secret(channel, $"'{caFile}' has no certificate in it")
            : (_, certificate, presented, errors) => IsGood(roots, certificate, presented, errors);
    }

    private static bool IsGood(X509Certificate2Collection roots, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 leaf || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (presented is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainElements.Select(e => e.Certificate).ToArray());
        }

        return chain.Build(leaf);
    }
}

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Collecting;

/// <summary>Whom the collector trusts besides the system's authorities, and what it shows of itself: the files that the settings name.</summary>
internal sealed class NetworkIdentity : IDisposable
{
    private readonly X509Certificate2Collection _authorities;

    private NetworkIdentity(X509Certificate2Collection authorities, X509Certificate2? client)
    {
        _authorities = authorities;
        Client = client;
    }

    public static NetworkIdentity None { get; } = new([], null);

    /// <summary>With its private key, or null.</summary>
    public X509Certificate2? Client { get; }

    /// <param name="settings">Their paths may be relative.</param>
    /// <param name="folder">What they are relative to.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.NetworkFileInvalid"/></exception>
    public static NetworkIdentity Load(NetworkSettings settings, string folder)
    {
        var authorities = new X509Certificate2Collection();
        if (settings.CaFile is { } caFile)
        {
            Read("caFile", Path.Combine(folder, caFile), path =>
            {
                authorities.ImportFromPemFile(path);
                return authorities.Count > 0 ? authorities : throw new CryptographicException("it holds no certificate in PEM form");
            });
        }

        X509Certificate2? client = settings.ClientCertificate is { } file
            ? Read("clientCertificate", Path.Combine(folder, file), path => LoadClient(path, settings.ClientPasswordFile, folder))
            : null;
        return new NetworkIdentity(authorities, client);
    }

    /// <summary>
    /// The system's verdict, and where only the chain is at fault the site's own authorities. A certificate for another name is never taken.
    /// Nothing is looked up on the way: neither revocation lists nor missing issuers.
    /// </summary>
    public bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || _authorities.Count == 0 || certificate is not X509Certificate2 leaf)
        {
            return false;
        }

        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.DisableCertificateDownloads = true;
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // server authentication
        foreach (X509ChainElement element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return own.Build(leaf);
    }

    public void Dispose()
    {
        Client?.Dispose();
        foreach (X509Certificate2 authority in _authorities)
        {
            authority.Dispose();
        }
    }

    private static X509Certificate2 LoadClient(string path, string? passwordFile, string folder)
    {
        string? password = passwordFile is null ? null : Read("clientPasswordFile", Path.Combine(folder, passwordFile), p => File.ReadLines(p).FirstOrDefault() ?? "");
        X509Certificate2 certificate;
        if (File.ReadAllText(path).Contains("-----BEGIN", StringComparison.Ordinal))
        {
            using X509Certificate2 pem = password is null
                ? X509Certificate2.CreateFromPemFile(path)
                : X509Certificate2.CreateFromEncryptedPemFile(path, password);

            // Windows' TLS takes no key that lives in memory alone.
            certificate = new X509Certificate2(pem.Export(X509ContentType.Pfx));
        }
        else
        {
            certificate = new X509Certificate2(path, password);
        }

        return certificate.HasPrivateKey ? certificate : throw new CryptographicException("it holds no private key");
    }

    private static T Read<T>(string setting, string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FeedException(
                ErrorIds.NetworkFileInvalid, $"'{path}', the site's '{setting}', cannot be used: {e.Message.TrimEnd('.')}.", path,
                "Correct 'network' in sources.yaml, or the file. Nothing was collected.", e);
        }
    }
}

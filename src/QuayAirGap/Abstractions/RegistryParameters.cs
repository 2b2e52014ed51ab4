using System.Management.Automation;
using System.Security.Cryptography.X509Certificates;
using QuayAirGap.Core.Bundles.Registry;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Commands;

/// <summary>What talking to a registry needs, as both commands that do it bind it.</summary>
internal static class RegistryParameters
{
    /// <param name="credential">Null for what the auth files have.</param>
    /// <param name="authorities">Paths of the authorities' certificates; empty for the machine's.</param>
    /// <param name="plainHttp">HTTP without TLS.</param>
    public static RegistryOptions Options(PSCredential? credential, IReadOnlyList<string> authorities, bool plainHttp)
    {
        return new RegistryOptions
        {
            Credential = credential is null || ReferenceEquals(credential, PSCredential.Empty) ? null : credential.GetNetworkCredential(),
            Authorities = [.. authorities.SelectMany(CertificateAuthorities.Read)],
            PlainHttp = plainHttp,
        };
    }

    /// <summary>Said each time: what goes over the network can be read and changed there, passwords too.</summary>
    public static void Warn(PSCmdlet cmdlet, RegistryReference reference, bool plainHttp)
    {
        if (plainHttp && !reference.IsLoopback)
        {
            cmdlet.WriteWarning($"The connection to '{reference.Host}' has no TLS: a password could be read on the way. The bundle itself is protected by its signatures.");
        }
    }
}

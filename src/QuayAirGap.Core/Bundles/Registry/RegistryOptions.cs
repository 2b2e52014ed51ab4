using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace QuayAirGap.Core.Bundles.Registry;

/// <summary>How a registry is talked to.</summary>
public sealed record RegistryOptions
{
    /// <summary>Null: what the auth files have, else nothing.</summary>
    public NetworkCredential? Credential { get; init; }

    /// <summary>Where to look for credentials, the first file that is there first; see <see cref="RegistryAuthFile.UsualPaths"/>.</summary>
    public IReadOnlyList<string> AuthFiles { get; init; } = RegistryAuthFile.UsualPaths();

    /// <summary>Authorities that vouch for the registry instead of the machine's; empty for the machine's.</summary>
    public IReadOnlyList<X509Certificate2> Authorities { get; init; } = [];

    /// <summary>HTTP without TLS. A registry on this machine's loopback is taken without TLS also where nothing is said.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Bytes of one request of an upload.</summary>
    public int ChunkSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>How often one transfer is taken up again.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>Before the second attempt; doubled for each further one.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the registry may say nothing.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(100);
}

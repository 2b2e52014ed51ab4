using System.Net;
using System.Net.Sockets;

namespace QuayAirGap.Core.Clair;

/// <summary>Whether Clair may be kept to private addresses (indexer.airgap): everything that it fetches images from must have one.</summary>
public static class RegistryAddresses
{
    /// <summary>Looks the hosts up and decides.</summary>
    /// <param name="hosts">Quay, its object storage, the mirror.</param>
    /// <param name="resolve">Addresses of a name; the system's resolver in real life.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <returns>The decision, and for each host what it was found at: nothing is looked up in silence.</returns>
    public static async Task<(bool AirGap, IReadOnlyList<string> Notes)> DecideAsync(
        IReadOnlyList<string> hosts, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellationToken)
    {
        bool allPrivate = true;
        List<string> notes = [];
        foreach (string host in hosts)
        {
            IPAddress[] addresses;
            try
            {
                addresses = await resolve(host, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                addresses = [];
            }

            bool isPrivate = addresses.Length > 0 && addresses.All(IsPrivate);
            allPrivate &= isPrivate;
            notes.Add(
                addresses.Length == 0
                    ? $"{host} has no address here: indexer.airgap is switched off, as nobody knows whether it is private."
                    : $"{host} is at {string.Join(", ", addresses.Select(a => a.ToString()))}: {(isPrivate ? "private" : "not private, so indexer.airgap is switched off")}.");
        }

        return (allPrivate, notes);
    }

    /// <summary>What Clair's dialer lets through: RFC 1918, RFC 4193, loopback and link-local (clair internal/httputil/client.go).</summary>
    public static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (IPAddress.IsLoopback(address))
        {
            return true;
        }

        byte[] b = address.GetAddressBytes();
        return address.AddressFamily == AddressFamily.InterNetwork
            ? b[0] == 10 || (b[0] == 172 && b[1] is >= 16 and < 32) || (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254)
            : address.IsIPv6LinkLocal || (b[0] & 0xFE) == 0xFC;
    }
}

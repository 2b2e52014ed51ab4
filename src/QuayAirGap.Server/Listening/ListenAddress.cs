using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using QuayAirGap.Core;

namespace QuayAirGap.Server.Listening;

/// <summary>Where to listen: "http://127.0.0.1:8080", "https://*:443", "http://localhost:8080". A name other than localhost means every address.</summary>
internal sealed record ListenAddress(string Text, string Scheme, string Host, int Port)
{
    public bool IsTls => Scheme == "https";

    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/></exception>
    public static ListenAddress Parse(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException e)
        {
            throw NotStarted(
                $"'{url}' is not an address to listen at.", url,
                "Write it as http://127.0.0.1:8080, or http://*:8080 for all of this host's addresses.", e);
        }

        if (address.Scheme is not ("http" or "https") || address.PathBase.Length > 0 || address.Port is < 0 or > ushort.MaxValue
            || address.IsUnixPipe || address.IsNamedPipe)
        {
            throw NotStarted(
                $"The mirror cannot listen at '{url}'.", url, "Write it as http://host:port, without a path, with a port up to 65535.", null);
        }

        if (IsLocalhost(address.Host) && address.Port == 0)
        {
            throw NotStarted(
                $"The mirror cannot listen at '{url}': localhost is two addresses, which would get two ports.", url,
                "Write 127.0.0.1 or [::1], or name the port.", null);
        }

        return new ListenAddress(url, address.Scheme, address.Host, address.Port);
    }

    /// <summary>Adds a listener of its own for this address.</summary>
    public void Listen(KestrelServerOptions kestrel, Action<ListenOptions> configure)
    {
        if (IsLocalhost(Host))
        {
            kestrel.ListenLocalhost(Port, configure);
        }
        else if (IPAddress.TryParse(Host.Trim('[', ']'), out IPAddress? ip))
        {
            kestrel.Listen(ip, Port, configure);
        }
        else
        {
            kestrel.ListenAnyIP(Port, configure);
        }
    }

    /// <param name="bound">The server's own word for it, with the port that was taken.</param>
    public string Display(string bound) => Scheme + bound[bound.IndexOf("://", StringComparison.Ordinal)..];

    private static bool IsLocalhost(string host) => string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase);

    public static FeedException NotStarted(string message, string target, string remedy, Exception? cause) =>
        new(ErrorIds.MirrorNotStarted, message, target, remedy, cause);
}

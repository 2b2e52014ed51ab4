using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using QuayAirGap.Core.Tls;

namespace QuayAirGap.Server.Upstream;

/// <summary>What a request for a feed's own host asks for.</summary>
/// <param name="Host">As it was asked for, lower-case.</param>
/// <param name="ContentHost">Under which name the generation keeps it.</param>
internal sealed record UpstreamTarget(string Host, string ContentHost)
{
    /// <summary>Null for a request that is refused, with the reason.</summary>
    public static UpstreamTarget? Of(HttpContext context, UpstreamConnection connection, out RefusalReason reason)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        string? absolute = AuthorityOf(target);
        string header = context.Request.Headers.Host.ToString();
        bool proxied = connection is { Door: UpstreamDoor.Proxy, ServerName: null };
        if ((proxied && (absolute is null || !target.StartsWith("http:", StringComparison.OrdinalIgnoreCase))) || (absolute is null && !target.StartsWith('/')))
        {
            reason = RefusalReason.Malformed;
            return null;
        }

        // A request in absolute form names the host twice; so does one after a TLS handshake.
        string authority = absolute ?? header;
        string? host = WithoutPort(authority, connection.ServerName is null ? 80 : 443);
        if (host is null)
        {
            reason = RefusalReason.Port;
            return null;
        }

        if (UpstreamHosts.ContentHostOf(host) is not { } content)
        {
            reason = RefusalReason.Host;
            return null;
        }

        if ((connection.ServerName ?? host) != host || !string.Equals(authority, header, StringComparison.OrdinalIgnoreCase))
        {
            reason = RefusalReason.Disagreement;
            return null;
        }

        reason = default;
        return new UpstreamTarget(host, content);
    }

    private static string? AuthorityOf(string target)
    {
        int scheme = target.StartsWith('/') ? -1 : target.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
        {
            return null;
        }

        string rest = target[(scheme + 3)..];
        int end = rest.AsSpan().IndexOfAny('/', '?');
        return end < 0 ? rest : rest[..end];
    }

    private static string? WithoutPort(string authority, int expected)
    {
        int colon = authority.LastIndexOf(':');
        return colon < 0 ? authority.ToLowerInvariant()
            : authority.AsSpan(colon + 1).SequenceEqual(expected.ToString(System.Globalization.CultureInfo.InvariantCulture))
                ? authority[..colon].ToLowerInvariant()
                : null;
    }
}

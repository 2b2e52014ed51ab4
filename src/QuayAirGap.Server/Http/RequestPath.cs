using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace QuayAirGap.Server.Http;

/// <summary>The path that a request names, exactly as it names it.</summary>
internal static class RequestPath
{
    /// <summary>
    /// Percent-decoded once; null for a target that can name nothing here. Taken from the request line, because the framework's own
    /// Path has dot segments resolved: "/a/../b" would be answered as "/b", and what does not exist must be 404.
    /// </summary>
    public static string? Of(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!target.StartsWith('/'))
        {
            // A proxy's absolute form, "http://host/path" (RFC 9112, section 3.2.2).
            int authority = target.IndexOf("://", StringComparison.Ordinal);
            if (authority < 0)
            {
                return null;
            }

            int path = target.AsSpan(authority + 3).IndexOfAny('/', '?');
            target = path < 0 ? "/" : target[(authority + 3 + path)..];
        }

        int query = target.IndexOf('?');
        if (query >= 0)
        {
            target = target[..query];
        }

        if (!target.Contains('%'))
        {
            return target;
        }

        // An escaped slash is data, not a separator (RFC 3986, section 2.2), and no published path has one.
        return target.Contains("%2F", StringComparison.OrdinalIgnoreCase) ? null : Uri.UnescapeDataString(target);
    }

    /// <summary>The way back: for a Location header.</summary>
    public static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}

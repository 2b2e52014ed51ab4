namespace QuayAirGap.Core.Publishing;

/// <summary>How an upstream URL becomes a path of the mirror.</summary>
public static class MirrorPath
{
    /// <summary>"https://host/a%20b/" → "/host/a b/". The scheme is dropped, the host is lower case, queries and fragments are refused.</summary>
    public static string Of(Uri url)
    {
        if (!url.IsAbsoluteUri || url.Query.Length > 0 || url.Fragment.Length > 0 || !url.IsDefaultPort)
        {
            throw new ArgumentException($"'{url}' cannot be served by path: it must be an absolute URL without port, query and fragment.", nameof(url));
        }

        return "/" + url.IdnHost.ToLowerInvariant() + Uri.UnescapeDataString(url.AbsolutePath);
    }

    /// <inheritdoc cref="Of(Uri)"/>
    public static string Of(string url) => Of(new Uri(url, UriKind.Absolute));
}

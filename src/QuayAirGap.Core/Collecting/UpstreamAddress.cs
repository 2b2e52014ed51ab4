using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Collecting;

/// <summary>Where the bytes of a canonical URL are really had from.</summary>
internal static class UpstreamAddress
{
    /// <param name="url">Canonical, below the definition's Uri or MirrorUri.</param>
    /// <param name="settings">May name another base for either, and a root under which all hosts are found.</param>
    /// <param name="upstreamRoot">Goes before the settings' own.</param>
    public static Uri Translate(Uri url, SourceSettings settings, Uri? upstreamRoot)
    {
        SourceDefinition definition = settings.Definition;
        Uri address = Rebase(url, definition.Uri, settings.Uri) ?? Rebase(url, definition.MirrorUri, settings.MirrorUri) ?? url;
        Uri? root = upstreamRoot ?? settings.UpstreamRoot;
        if (root is null)
        {
            return address;
        }

        // The root is a folder whatever its last character: http://cache/feeds has https://host/path as http://cache/feeds/host/path.
        string authority = address.IsDefaultPort ? address.IdnHost : $"{address.IdnHost}:{address.Port}";
        return new Uri($"{root.AbsoluteUri.TrimEnd('/')}/{authority}{address.PathAndQuery}");
    }

    /// <summary>A request that tells a mirror, where one stands in all upstreams' place, that a collector asks.</summary>
    public static HttpRequestMessage Request(HttpMethod method, Uri address, SourceSettings settings, Uri? upstreamRoot)
    {
        var request = new HttpRequestMessage(method, address);
        if ((upstreamRoot ?? settings.UpstreamRoot) is not null)
        {
            request.Headers.Add(MirrorHeaders.Cascade, "1");
        }

        return request;
    }

    private static Uri? Rebase(Uri url, Uri? from, Uri? to)
    {
        if (from is null || to is null)
        {
            return null;
        }

        if (url == from)
        {
            return to;
        }

        return from.AbsoluteUri.EndsWith('/') && from.IsBaseOf(url)
            ? new Uri(new Uri(to.AbsoluteUri.TrimEnd('/') + "/"), from.MakeRelativeUri(url))
            : null;
    }
}

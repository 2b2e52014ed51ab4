namespace QuayAirGap.Core.Sites;

/// <summary>What an address in sources.yaml may be: secrets stay out of the file, so nothing that could carry one.</summary>
internal static class UpstreamUri
{
    /// <returns>What is wrong with it, as the end of a sentence that begins with the setting's name; null where nothing is.</returns>
    public static string? FaultOf(string text, out Uri? uri)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
        {
            return $"is an absolute http or https address, not '{text}'";
        }

        if (uri.UserInfo.Length > 0)
        {
            return "has a user name or password in it, which never stand in this file";
        }

        return uri.Query.Length > 0 || uri.Fragment.Length > 0 ? "has a query or fragment, which an upstream's address has not" : null;
    }

    /// <summary>A folder's address ends in a slash: without one, what is below it would resolve beside it.</summary>
    public static Uri Normalise(Uri uri, bool isFolder) => isFolder && !uri.AbsolutePath.EndsWith('/') ? new Uri(uri.AbsoluteUri + "/") : uri;
}

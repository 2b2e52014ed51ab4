using System.Net;
using System.Text;

namespace QuayAirGap.Core.Sources;

/// <summary>
/// The HTML that a directory answers with. Clair reads listings with the expression href="([^"]+)" (claircore debian/updater.go,
/// pkg/ovalutil): lower case, double-quoted, relative, one anchor for each name and no other.
/// </summary>
internal static class DirectoryListing
{
    public const string ContentType = "text/html; charset=utf-8";

    /// <param name="path">The directory's path, for the heading.</param>
    /// <param name="names">Its children; a directory's name ends in a slash.</param>
    public static byte[] Build(string path, IEnumerable<string> names)
    {
        string title = WebUtility.HtmlEncode("Index of " + path);
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html><head><title>").Append(title).Append("</title></head>\n<body><h1>").Append(title).Append("</h1>\n<pre>\n");
        foreach (string name in names.Order(StringComparer.Ordinal))
        {
            string reference = Uri.EscapeDataString(name.TrimEnd('/')) + (name.EndsWith('/') ? "/" : "");
            html.Append("<a href=\"").Append(reference).Append("\">").Append(WebUtility.HtmlEncode(name)).Append("</a>\n");
        }

        return Encoding.UTF8.GetBytes(html.Append("</pre></body></html>\n").ToString());
    }
}

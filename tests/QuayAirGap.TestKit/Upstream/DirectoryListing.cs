using System.Globalization;
using System.Net;
using System.Text;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>The HTML that web servers make of a folder, in the forms seen in the wild.</summary>
internal static class DirectoryListing
{
    public static byte[] Render(ListingStyle style, string path, IReadOnlyList<ListingEntry> entries)
    {
        var html = new StringBuilder();
        switch (style)
        {
            case ListingStyle.Nginx:
                Nginx(html, path, entries);
                break;
            case ListingStyle.Iis:
                Iis(html, path, entries);
                break;
            case ListingStyle.Lighttpd:
                Lighttpd(html, path, entries);
                break;
            default:
                Apache(html, path, entries);
                break;
        }

        return Encoding.UTF8.GetBytes(html.ToString());
    }

    private static void Apache(StringBuilder html, string path, IReadOnlyList<ListingEntry> entries)
    {
        var title = WebUtility.HtmlEncode(path.TrimEnd('/'));
        html.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of {title}</title>\n </head>\n <body>\n");
        html.Append(CultureInfo.InvariantCulture, $"<h1>Index of {title}</h1>\n<pre><img src=\"/icons/blank.gif\" alt=\"Icon \"> <a href=\"?C=N;O=D\">Name</a>");
        html.Append("                    <a href=\"?C=M;O=A\">Last modified</a>      <a href=\"?C=S;O=A\">Size</a>  <a href=\"?C=D;O=A\">Description</a><hr>");
        if (path.Length > 1)
        {
            html.Append(CultureInfo.InvariantCulture, $"<img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"> <a href=\"{Link(Parent(path))}\">Parent Directory</a>                             -   \n");
        }

        foreach (var entry in entries)
        {
            var icon = entry.File is null ? "<img src=\"/icons/folder.gif\" alt=\"[DIR]\">" : "<img src=\"/icons/unknown.gif\" alt=\"[   ]\">";
            html.Append(CultureInfo.InvariantCulture, $"{icon} <a href=\"{Link(entry.Name)}\">{Text(entry.Name)}</a> {Time(entry, "yyyy-MM-dd HH:mm")}  {Size(entry)}   \n");
        }

        html.Append("<hr></pre>\n</body></html>\n");
    }

    private static void Nginx(StringBuilder html, string path, IReadOnlyList<ListingEntry> entries)
    {
        var title = WebUtility.HtmlEncode(path);
        html.Append(CultureInfo.InvariantCulture, $"<html>\r\n<head><title>Index of {title}</title></head>\r\n<body>\r\n<h1>Index of {title}</h1><hr><pre><a href=\"../\">../</a>\r\n");
        foreach (var entry in entries)
        {
            html.Append(CultureInfo.InvariantCulture, $"<a href=\"{Link(entry.Name)}\">{Text(entry.Name)}</a> {Time(entry, "dd-MMM-yyyy HH:mm")} {Size(entry)}\r\n");
        }

        html.Append("</pre><hr></body>\r\n</html>\r\n");
    }

    private static void Iis(StringBuilder html, string path, IReadOnlyList<ListingEntry> entries)
    {
        var title = WebUtility.HtmlEncode(path);
        html.Append(CultureInfo.InvariantCulture, $"<html><head><title>upstream - {title}</title></head><body><H1>upstream - {title}</H1><hr>\r\n\r\n<pre>");
        html.Append(CultureInfo.InvariantCulture, $"<A HREF=\"{Link(Parent(path))}\">[To Parent Directory]</A><br><br>");
        foreach (var entry in entries)
        {
            var size = entry.File is null ? "&lt;dir&gt;" : Size(entry);
            html.Append(CultureInfo.InvariantCulture, $" {Time(entry, "M/d/yyyy  h:mm tt")} {size} <A HREF=\"{Link(path + entry.Name)}\">{Text(entry.Name.TrimEnd('/'))}</A><br>");
        }

        html.Append("</pre><hr></body></html>");
    }

    private static void Lighttpd(StringBuilder html, string path, IReadOnlyList<ListingEntry> entries)
    {
        var title = WebUtility.HtmlEncode(path);
        html.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html>\n<head>\n<title>Index of {title}</title>\n</head>\n<body>\n<h2>Index of {title}</h2>\n<div class=\"list\">\n<table>\n<tbody>\n");
        html.Append("<tr class=\"d\"><td class=\"n\"><a href=\"../\">..</a>/</td><td class=\"m\">&nbsp;</td></tr>\n");
        foreach (var entry in entries)
        {
            var slash = entry.File is null ? "/" : string.Empty;
            html.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"n\"><a href=\"{Link(entry.Name)}\">{Text(entry.Name.TrimEnd('/'))}</a>{slash}</td><td class=\"m\">{Time(entry, "yyyy-MMM-dd HH:mm:ss")}</td></tr>\n");
        }

        html.Append("</tbody>\n</table>\n</div>\n</body>\n</html>\n");
    }

    private static string Parent(string path) => path.Length <= 1 ? "/" : path[..(path.TrimEnd('/').LastIndexOf('/') + 1)];

    private static string Link(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string Text(string name) => WebUtility.HtmlEncode(name);

    private static string Time(ListingEntry entry, string format) =>
        (entry.File?.LastModified ?? UpstreamLayer.DefaultLastModified).ToString(format, CultureInfo.InvariantCulture);

    private static string Size(ListingEntry entry) => entry.File?.Length.ToString(CultureInfo.InvariantCulture) ?? "-";
}

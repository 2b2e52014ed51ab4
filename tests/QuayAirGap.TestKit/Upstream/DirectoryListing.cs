using System.Globalization;
using System.Net;
using System.Text;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>The HTML that web servers make of a folder, in the forms seen in the wild.</summary>
internal static class DirectoryListing
{
    public static byte[] Render(ListingStyle style, string path, IReadOnlyList<ListingEntry> entries)
    {
        IEnumerable<string> parts = style switch
        {
            ListingStyle.Nginx => Nginx(Text(path), entries),
            ListingStyle.Iis => Iis(path, entries),
            ListingStyle.Lighttpd => Lighttpd(Text(path), entries),
            _ => Apache(path, entries),
        };
        return Encoding.UTF8.GetBytes(string.Concat(parts));
    }

    private static IEnumerable<string> Apache(string path, IReadOnlyList<ListingEntry> entries)
    {
        var title = Text(path.TrimEnd('/'));
        yield return "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n";
        yield return $"  <title>Index of {title}</title>\n </head>\n <body>\n<h1>Index of {title}</h1>\n";
        yield return "<pre><img src=\"/icons/blank.gif\" alt=\"Icon \"> <a href=\"?C=N;O=D\">Name</a>                    ";
        yield return "<a href=\"?C=M;O=A\">Last modified</a>      <a href=\"?C=S;O=A\">Size</a>  <a href=\"?C=D;O=A\">Description</a><hr>";
        if (path.Length > 1)
        {
            yield return "<img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"> ";
            yield return $"<a href=\"{Link(Parent(path))}\">Parent Directory</a>                             -   \n";
        }

        foreach (var entry in entries)
        {
            yield return entry.File is null
                ? "<img src=\"/icons/folder.gif\" alt=\"[DIR]\"> "
                : "<img src=\"/icons/unknown.gif\" alt=\"[   ]\"> ";
            yield return $"<a href=\"{Link(entry.Name)}\">{Text(entry.Name)}</a> {Time(entry, "yyyy-MM-dd HH:mm")}  {Size(entry)}   \n";
        }

        yield return "<hr></pre>\n</body></html>\n";
    }

    private static IEnumerable<string> Nginx(string title, IReadOnlyList<ListingEntry> entries)
    {
        yield return $"<html>\r\n<head><title>Index of {title}</title></head>\r\n<body>\r\n<h1>Index of {title}</h1>";
        yield return "<hr><pre><a href=\"../\">../</a>\r\n";
        foreach (var entry in entries)
        {
            yield return $"<a href=\"{Link(entry.Name)}\">{Text(entry.Name)}</a> {Time(entry, "dd-MMM-yyyy HH:mm")} {Size(entry)}\r\n";
        }

        yield return "</pre><hr></body>\r\n</html>\r\n";
    }

    private static IEnumerable<string> Iis(string path, IReadOnlyList<ListingEntry> entries)
    {
        var title = Text(path);
        yield return $"<html><head><title>upstream - {title}</title></head><body><H1>upstream - {title}</H1><hr>\r\n\r\n";
        yield return $"<pre><A HREF=\"{Link(Parent(path))}\">[To Parent Directory]</A><br><br>";
        foreach (var entry in entries)
        {
            yield return $" {Time(entry, "M/d/yyyy  h:mm tt")} {(entry.File is null ? "&lt;dir&gt;" : Size(entry))} ";
            yield return $"<A HREF=\"{Link(path + entry.Name)}\">{Text(entry.Name.TrimEnd('/'))}</A><br>";
        }

        yield return "</pre><hr></body></html>";
    }

    private static IEnumerable<string> Lighttpd(string title, IReadOnlyList<ListingEntry> entries)
    {
        yield return $"<!DOCTYPE html>\n<html>\n<head>\n<title>Index of {title}</title>\n</head>\n<body>\n";
        yield return $"<h2>Index of {title}</h2>\n<div class=\"list\">\n<table>\n<tbody>\n";
        yield return "<tr class=\"d\"><td class=\"n\"><a href=\"../\">..</a>/</td><td class=\"m\">&nbsp;</td></tr>\n";
        foreach (var entry in entries)
        {
            var slash = entry.File is null ? "/" : string.Empty;
            yield return $"<tr><td class=\"n\"><a href=\"{Link(entry.Name)}\">{Text(entry.Name.TrimEnd('/'))}</a>{slash}</td>";
            yield return $"<td class=\"m\">{Time(entry, "yyyy-MMM-dd HH:mm:ss")}</td></tr>\n";
        }

        yield return "</tbody>\n</table>\n</div>\n</body>\n</html>\n";
    }

    private static string Parent(string path) => path.Length <= 1 ? "/" : path[..(path.TrimEnd('/').LastIndexOf('/') + 1)];

    private static string Link(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string Text(string name) => WebUtility.HtmlEncode(name);

    private static string Time(ListingEntry entry, string format) =>
        (entry.File?.LastModified ?? UpstreamLayer.DefaultLastModified).ToString(format, CultureInfo.InvariantCulture);

    private static string Size(ListingEntry entry) => entry.File?.Length.ToString(CultureInfo.InvariantCulture) ?? "-";
}

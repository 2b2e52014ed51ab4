using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace QuayAirGap.Core.Sources.Debian;

/// <summary>The codenames in a listing of debian/dists/, whatever server wrote it.</summary>
internal static partial class DebianDists
{
    // What Clair takes for no codename (claircore debian/updater.go): any name that contains one of these.
    private static readonly string[] s_skipped =
        ["-", "Debian", "sid", "stable", "testing", "experimental", "README", "updates", "backports"];

    /// <summary>Whether Clair asks for a name's Release.</summary>
    public static bool IsCodename(string name) =>
        Codename().IsMatch(name) && !s_skipped.Any(s => name.Contains(s, StringComparison.Ordinal));

    /// <returns>Each codename once, in the listing's order.</returns>
    public static async Task<IReadOnlyList<string>> ParseAsync(Stream html, string url, CancellationToken cancellationToken)
    {
        using IHtmlDocument document = await new HtmlParser().ParseDocumentAsync(html, cancellationToken).ConfigureAwait(false);
        List<string> names =
        [
            .. document.QuerySelectorAll("a[href]").Select(a => ChildOf(a.GetAttribute("href")!)).OfType<string>()
                .Where(IsCodename).Distinct(StringComparer.Ordinal),
        ];
        return names.Count > 0 ? names : throw new FeedException(
            ErrorIds.UpstreamContent, $"'{url}' is not a listing of Debian's releases: no link in it leads to one.", url,
            "The mirror must list the directory as HTML; a login or error page with status 200 is the usual cause.");
    }

    /// <summary>
    /// The child of dists/ that a link leads to, or null. The listing may come from a cache that puts the directory elsewhere, so an
    /// absolute path is judged by its last two names alone.
    /// </summary>
    private static string? ChildOf(string reference)
    {
        string path = reference.Trim();
        if (path.Length == 0 || path.Contains('?') || path.Contains('#'))
        {
            return null;
        }

        if (Uri.TryCreate(path, UriKind.Absolute, out Uri? absolute) && absolute.Scheme is "http" or "https")
        {
            path = absolute!.AbsolutePath;
        }

        string[] parts = path.TrimEnd('/').Split('/');
        bool isChild = path.StartsWith('/')
            ? parts is [.., "dists", _]
            : parts is [_] or [".", _];
        return isChild ? Uri.UnescapeDataString(parts[^1]) : null;
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._+]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Codename();
}

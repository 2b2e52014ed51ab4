using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Oval;

/// <summary>The names of the files in a directory's listing, whatever server wrote it.</summary>
internal static class ListingNames
{
    private const long LargestListing = 8 << 20;

    /// <returns>Each name once, in the listing's order: none for a page that is no listing.</returns>
    public static async Task<IReadOnlyList<string>> ReadAsync(ICollectSession session, SnapshotFile listing, CancellationToken cancellationToken)
    {
        if (listing.Size > LargestListing)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{listing.Url}' is no listing of a directory: it has {listing.Size} bytes.", listing.Url,
                "Nothing of this source was taken. Look what answers at this address.");
        }

        Stream html = session.OpenRead(listing);
        await using (html.ConfigureAwait(false))
        {
            using IHtmlDocument document = await new HtmlParser().ParseDocumentAsync(html, cancellationToken).ConfigureAwait(false);
            string folder = new Uri(listing.Url).AbsolutePath;
            return
            [
                .. document.QuerySelectorAll("a[href]").Select(a => NameIn(folder, a.GetAttribute("href")!)).OfType<string>().Distinct(StringComparer.Ordinal),
            ];
        }
    }

    /// <summary>
    /// The file of this very directory that a link leads to, or null. The listing may come from a cache that puts the directory elsewhere,
    /// so an absolute link is judged by the last names of its path alone.
    /// </summary>
    private static string? NameIn(string folder, string reference)
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

        string[] parts = path.Split('/');
        string parent = folder.Split('/', StringSplitOptions.RemoveEmptyEntries)[^1];
        bool isChild = path.StartsWith('/') ? parts.Length > 2 && parts[^2] == parent : parts is [_] or [".", _];
        return isChild && parts[^1].Length > 0 ? Uri.UnescapeDataString(parts[^1]) : null;
    }
}

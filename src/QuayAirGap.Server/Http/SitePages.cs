using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Scanning;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Server.Http;

/// <summary>A page or a document as it is sent.</summary>
internal sealed record SitePage(int Status, string Type, byte[] Body);

/// <summary>
/// /status and /status.json: what the site knows of its feeds at this moment; /images and /images/ID: what the reports that were published
/// to the site are worth by these feeds. Rendering reads the ledger and the generation's index, so that one result serves everybody for a
/// few seconds; the ages in it are reckoned by whoever reads it.
/// </summary>
/// <param name="site">Whose.</param>
/// <param name="release">The Clair by whose rules images are judged; null for the one that the site's settings name.</param>
/// <param name="time">Says what now is.</param>
/// <param name="log">Gets troubles.</param>
internal sealed class SitePages(Site site, ClairRelease? release, TimeProvider time, ILogger log)
{
    private const string Html = "text/html; charset=utf-8";
    private const string Json = "application/json";

    private static readonly TimeSpan s_keep = TimeSpan.FromSeconds(5);

    private const string ImagePrefix = "/images/";

    private static readonly (string Name, string Address)[] s_links = [("Feeds", "status"), ("Images", "images")];

    private readonly Lock _making = new();
    private readonly Lock _listing = new();
    private (ScanReport Report, byte[] Page)? _list;
    private Made? _made;

    private readonly PublishedImages _images = new(site, release, time);

    public static bool Has(string? path) =>
        path is "/status" or "/status.json" or "/images" || (path?.StartsWith(ImagePrefix, StringComparison.Ordinal) == true && StoredReports.IsId(path[ImagePrefix.Length..]));

    /// <returns>Null for a path that is none of them.</returns>
    public async Task<SitePage?> FindAsync(string? path, CancellationToken cancellationToken)
    {
        if (!Has(path))
        {
            return null;
        }

        if (path is not ("/status" or "/status.json"))
        {
            return await Task.Run(() => path == "/images" ? Images() : Image(path![ImagePrefix.Length..]), cancellationToken);
        }

        Made made = await MadeAsync(cancellationToken);
        return path == "/status" ? made.Page : made.Document;
    }

    /// <summary>Made when it is asked for; judging the images is what costs, and that is kept.</summary>
    private SitePage Images()
    {
        try
        {
            (ScanReport report, IReadOnlyList<string> troubles) = _images.All();
            lock (_listing)
            {
                if (_list is not { } list || !ReferenceEquals(list.Report, report))
                {
                    PageDocument page = ImagesPage.Render(
                        report, s_links, i => "images/" + StoredReports.IdOf(i.Name, i.Coverage.ManifestDigest), troubles);
                    _list = list = (report, page.ToUtf8());
                }

                return new SitePage(StatusCodes.Status200OK, Html, list.Page);
            }
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            return Trouble(e).Page;
        }
    }

    /// <returns>Null where there is none, any more.</returns>
    private SitePage? Image(string id)
    {
        try
        {
            return _images.One(id) is { } report
                ? new SitePage(StatusCodes.Status200OK, Html, ImagesPage.Render(report, [.. s_links.Select(l => (l.Name, "../" + l.Address))]).ToUtf8())
                : null;
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            return Trouble(e).Page;
        }
    }

    private Task<Made> MadeAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _made) is { } made && IsCurrent(made) ? Task.FromResult(made) : Task.Run(MakeOnce, cancellationToken);

    /// <summary>Whoever comes meanwhile waits for the one that is being made.</summary>
    private Made MakeOnce()
    {
        lock (_making)
        {
            return _made is { } made && IsCurrent(made) ? made : _made = Make();
        }
    }

    private bool IsCurrent(Made made) => time.GetElapsedTime(made.At) < s_keep;

    private Made Make()
    {
        long at = time.GetTimestamp();
        try
        {
            var facts = StatusFacts.Of(site, time);
            return new Made(
                at, new SitePage(StatusCodes.Status200OK, Html, StatusPage.Render(facts, _images.Any ? [("Images", "images")] : null).ToUtf8()),
                new SitePage(StatusCodes.Status200OK, Json, StatusJson.Write(facts)));
        }
        catch (Exception e) when (e is FeedException or IOException or UnauthorizedAccessException)
        {
            return Trouble(e) with { At = at };
        }
    }

    /// <summary>Said in red, and with a status that no monitor takes for good.</summary>
    private Made Trouble(Exception e)
    {
        FeedException trouble = e as FeedException ?? new FeedException(
            ErrorIds.SiteDamaged, $"The site cannot be read: {e.Message}", site.Root, "Give the mirror's account read access to the site.", e);
        log.LogError("A page of the site cannot be made: {Message} {Remedy}", trouble.Message, trouble.Remedy);
        DateTimeOffset now = time.GetUtcNow();
        string name = Environment.MachineName;
        return new Made(
            time.GetTimestamp(), new SitePage(StatusCodes.Status503ServiceUnavailable, Html, StatusPage.RenderTrouble(name, now, trouble).ToUtf8()),
            new SitePage(StatusCodes.Status503ServiceUnavailable, Json, StatusJson.WriteTrouble(name, now, trouble)));
    }

    private sealed record Made(long At, SitePage Page, SitePage Document);
}

using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Oval;

namespace QuayAirGap.Core.Sources.Ubuntu;

public sealed partial class UbuntuFamily
{
    private const string Bzip2 = "application/x-bzip2";

    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        Dictionary<string, SnapshotFile> files = publication.Source.Files.ToDictionary(f => f.Url, StringComparer.Ordinal);
        (List<string> pages, List<UbuntuSeries> series) = await TakePagesAsync(publication, files, cancellationToken).ConfigureAwait(false);
        var carried = new HashSet<string>(StringComparer.Ordinal);
        foreach (UbuntuSeries one in series)
        {
            if (files.Remove(PackedUri(one.Name).AbsoluteUri, out SnapshotFile? file))
            {
                carried.Add(one.Name);
                PublishDocument(publication, one, file);
            }
            else if (one.IsActive && !publication.Source.Deselected.Contains(one.Name))
            {
                publication.HoldBack(one.Name, $"Launchpad calls Ubuntu {one.Version} ({one.Name}) active, but there are no advisories for it: Clair passes over it.");
            }
        }

        if (files.Count > 0 || carried.Count == 0)
        {
            throw OvalErrors.Unpublishable(
                s_definition, carried.Count == 0 ? "the capture has no release" : $"the capture has what no series stands for: {string.Join(", ", files.Keys)}");
        }

        string path = MirrorPath.Of(s_series);
        await PublishSeriesAsync(publication, path, series, active: false, pages, cancellationToken).ConfigureAwait(false);
        await PublishSeriesAsync(publication, "/as-upstream" + path, series, active: true, pages, cancellationToken).ConfigureAwait(false);
    }

    private static void PublishDocument(IPublication publication, UbuntuSeries series, SnapshotFile file)
    {
        publication.AddVerbatim(file, Bzip2);
        publication.Keep(new GenerationEntry
        {
            Path = MirrorPath.Of(PlainUri(series.Name)),
            Source = publication.Definition.Name,
            Sha256 = file.Sha256,
            Size = file.Size,
            ContentType = Bzip2,
            LastModified = file.LastModified,
            Derivation = new Derivation("ubuntu.negotiated", [file.Url]),
        });
    }

    private static async Task PublishSeriesAsync(
        IPublication publication, string path, List<UbuntuSeries> series, bool active, List<string> pages, CancellationToken cancellationToken)
    {
        using var document = new MemoryStream(UbuntuSeries.Write(series, active));
        await publication.AddDerivedAsync(
            path, document, "application/json", lastModified: null,
            new Derivation(active ? "ubuntu.series" : "ubuntu.series-none-active", pages), validators: true, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<(List<string> Pages, List<UbuntuSeries> Series)> TakePagesAsync(
        IPublication publication, Dictionary<string, SnapshotFile> files, CancellationToken cancellationToken)
    {
        List<string> pages = [];
        List<UbuntuSeries> all = [];
        while (files.Remove(pages.Count == 0 ? s_series.AbsoluteUri : PageUrl(pages.Count + 1), out SnapshotFile? page))
        {
            pages.Add(page.Url);
            (IReadOnlyList<UbuntuSeries> series, _) = await ReadPageAsync(
                publication.OpenRead(page), page, ErrorIds.PublicationFailed, cancellationToken).ConfigureAwait(false);
            all.AddRange(series.Where(s => all.TrueForAll(known => known.Name != s.Name)));
        }

        return pages.Count > 0 ? (pages, all) : throw OvalErrors.Unpublishable(s_definition, $"the capture has no '{s_series}'");
    }
}

using System.Globalization;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Nvd;

public sealed partial class NvdFamily
{
    private const string EmptyYearRule = "clair.cvss.empty-year";
    private const string LineEndRule = "clair.cvss.meta-line-end";

    /// <summary>
    /// The pairs go out as they are, and behind the last of them an empty pair for each year up to the one after this publication's.
    /// </summary>
    /// <remarks>
    /// <para>Clair counts the years by its own clock. On 1 January it asks this mirror, not renewed for a day or for weeks, for a year that
    /// the capture cannot have; were it missing, Clair would keep its scores, fail at each run, and take nothing of the other years either.
    /// With the empty pair it finds a new hash, reads all years, stores the scores that it had, and is content. As soon as a bundle brings
    /// the true pair, its hash differs and Clair reads it. Before New Year Clair does not ask for the prepared pair at all.</para>
    /// <para>An empty year that has begun is said to be held back: no CVE of that year has a score until the next bundle. A mirror left
    /// alone beyond the year after has no more to give: Clair then takes the missing .meta for an empty hash, and fails when anything
    /// changes.</para>
    /// </remarks>
    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        Dictionary<string, SnapshotFile> files = publication.Source.Files.ToDictionary(f => f.Url, StringComparer.Ordinal);
        int last = publication.Source.Files.Select(f => NvdYear.OfMeta(f.Url)).Max() ?? throw Unpublishable("the capture has no year at all");
        if (last > publication.PublishedAt.Year + 1)
        {
            throw Unpublishable($"the capture speaks of the year {last}, and the clock here says {publication.PublishedAt.Year}");
        }

        for (int year = NvdYear.First; year <= last; year++)
        {
            await PublishPairAsync(publication, year, files, cancellationToken).ConfigureAwait(false);
        }

        if (files.Count > 0)
        {
            throw Unpublishable($"the capture has files that belong to no year: {string.Join(", ", files.Keys.Order(StringComparer.Ordinal).Take(3))}");
        }

        string lastMeta = NvdYear.MetaUnder(s_definition.Uri, last).AbsoluteUri;
        for (int year = last + 1; year <= publication.PublishedAt.Year + 1; year++)
        {
            (byte[] meta, byte[] json) = NvdYear.Empty(year);
            var derivation = new Derivation(EmptyYearRule, [lastMeta, "the calendar"]);
            await AddAsync(publication, NvdYear.MetaUnder(s_definition.Uri, year), meta, "text/plain", derivation, cancellationToken).ConfigureAwait(false);
            await AddAsync(publication, NvdYear.JsonUnder(s_definition.Uri, year), json, "application/gzip", derivation, cancellationToken).ConfigureAwait(false);
            if (year <= publication.PublishedAt.Year)
            {
                publication.HoldBack(
                    year.ToString(CultureInfo.InvariantCulture),
                    $"NVD had no feed for {year} when this was captured: Clair is given an empty one, and no CVE of {year} has a score.");
            }
        }
    }

    private static async Task PublishPairAsync(
        IPublication publication, int year, Dictionary<string, SnapshotFile> files, CancellationToken cancellationToken)
    {
        if (!files.Remove(NvdYear.MetaUnder(s_definition.Uri, year).AbsoluteUri, out SnapshotFile? metaFile)
            || !files.Remove(NvdYear.JsonUnder(s_definition.Uri, year).AbsoluteUri, out SnapshotFile? json))
        {
            throw Unpublishable($"the capture has no complete pair for {year}");
        }

        // The document was held against its .meta when it was captured, and the bundle vouches for both since.
        NvdMeta meta = ReadMeta(publication.OpenRead(metaFile), metaFile, ErrorIds.PublicationFailed);
        if (meta.GzSize is { } size && size != json.Size)
        {
            throw Unpublishable($"the pair for {year} does not fit");
        }

        publication.AddVerbatim(json, "application/gzip");
        if (meta.IsTerminated)
        {
            publication.AddVerbatim(metaFile, "text/plain");
            return;
        }

        // Clair does not see a line without an end: it would go by an empty hash, and never notice a change.
        using var terminated = new MemoryStream();
        await using (Stream content = publication.OpenRead(metaFile))
        {
            await content.CopyToAsync(terminated, cancellationToken).ConfigureAwait(false);
        }

        terminated.Write("\r\n"u8);
        await AddAsync(
            publication, new Uri(metaFile.Url), terminated.ToArray(), "text/plain", new Derivation(LineEndRule, [metaFile.Url]), cancellationToken)
            .ConfigureAwait(false);
    }

    private static async Task AddAsync(
        IPublication publication, Uri url, byte[] content, string contentType, Derivation derivation, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream(content);
        await publication.AddDerivedAsync(
            MirrorPath.Of(url), stream, contentType, lastModified: null, derivation, validators: true, cancellationToken).ConfigureAwait(false);
    }

    private static FeedException Unpublishable(string reason) => new(
        ErrorIds.PublicationFailed, $"The NVD's scores cannot be published: {reason}.", s_definition.Name,
        "Import a bundle whose capture of clair.cvss is complete; what is served now stays.");
}

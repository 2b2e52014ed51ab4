using System.Globalization;
using System.Text.Json;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Gzip;

namespace QuayAirGap.Core.Sources.Nvd;

/// <summary>
/// CVSS scores of the NVD: for each year since 2002 a .meta file with the hash of the year's document, and the document (claircore
/// enricher/cvss/cvss.go). Clair needs every year up to the one that its own clock shows: one missing document fails all of them.
/// </summary>
/// <remarks>
/// NVD has no pair for a new year in its first days. Clair then fails on the upstream itself; here the year is left out of the capture in
/// January, unless it was there before, and publication puts an empty pair in its place and says so. From February on it is missing.
/// </remarks>
public sealed partial class NvdFamily : IFeedFamily
{
    /// <summary>How often a pair that does not fit is taken before the source is given up.</summary>
    private const int Attempts = 2;

    /// <summary>Documents read at a time. Each takes a core, and memory for its largest record only.</summary>
    private const int Readers = 2;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "clair.cvss",
        Kind = SourceKind.Enrichment,
        Covers = "CVSS scores of all CVEs since 2002, from the NVD",
        Uri = new Uri("https://nvd.nist.gov/feeds/json/cve/2.0/"),
        UpdaterNames = [new UpdaterNaming("all", "clair.cvss")],
    };

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        var census = new AdvisoryCensus();
        using var reading = new SemaphoreSlim(Readers);
        Pair?[] found = await Task.WhenAll(
            Enumerable.Range(NvdYear.First, session.Now.Year - NvdYear.First + 1)
                .Select(year => TakeAsync(session, year, census, reading, cancellationToken))).ConfigureAwait(false);

        List<Pair> pairs = [.. found.OfType<Pair>()];
        if (census.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_definition.Uri}' has a pair for each year, but not one CVE in all of them.", s_definition.Uri.AbsoluteUri,
                "Nothing of this source was taken. Look whether the upstream or the cache in between is complete.");
        }

        return new CollectedContent
        {
            Files = [.. pairs.SelectMany(p => new[] { p.MetaFile, p.Json })],
            Updaters = ["clair.cvss"],
            AdvisoryCount = census.Count,
            Census = census,
            Releases = [.. pairs.Select(p => p.Name)],
            UpstreamModified = pairs.Max(p => p.Meta.LastModified ?? p.MetaFile.LastModified),
        };
    }

    /// <summary>The .meta first, then what it speaks of: if they do not fit, upstream has changed in between, and both are taken again.</summary>
    private static async Task<Pair?> TakeAsync(
        ICollectSession session, int year, AdvisoryCensus census, SemaphoreSlim reading, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            Uri metaUri = NvdYear.MetaUnder(s_definition.Uri, year);
            Uri jsonUri = NvdYear.JsonUnder(s_definition.Uri, year);
            SnapshotFile? metaFile = await session.TryGetAsync(metaUri, cancellationToken).ConfigureAwait(false);
            SnapshotFile? json = await session.TryGetAsync(jsonUri, cancellationToken).ConfigureAwait(false);
            if (metaFile is null && json is null && MayBeMissing(session, year))
            {
                session.Report($"NVD has no feed for {year} yet");
                return null;
            }

            if (metaFile is null || json is null)
            {
                throw new FeedException(
                    ErrorIds.UpstreamIncomplete, $"NVD has no '{(metaFile is null ? metaUri : jsonUri)}', and Clair fails without the year {year}.",
                    (metaFile is null ? metaUri : jsonUri).AbsoluteUri,
                    "The previous capture stays. Run Save-ClairFeed again later; look whether the upstream or the cache in between is complete.");
            }

            NvdMeta meta = ReadMeta(session.OpenRead(metaFile), metaFile, ErrorIds.UpstreamContent);
            await reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            string? misfit;
            try
            {
                misfit = await InspectAsync(session, meta, json, census, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                reading.Release();
            }

            if (misfit is null)
            {
                return new Pair(year, metaFile, meta, json);
            }

            if (attempt == Attempts)
            {
                throw new FeedException(
                    ErrorIds.UpstreamChanged, $"'{json.Url}' {misfit}, each of the {Attempts} times that both were taken.", json.Url,
                    "The upstream is being renewed, or a cache in between holds one file longer than the other. Run Save-ClairFeed again in an hour.");
            }
        }
    }

    /// <returns>How the document differs from what its .meta says, or null; only then it counts in the census.</returns>
    private static async Task<string?> InspectAsync(
        ICollectSession session, NvdMeta meta, SnapshotFile json, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        try
        {
            GunzipStream.ThrowUnlessGzip(session.OpenRead(json));
            if (meta.GzSize is { } gzSize && gzSize != json.Size)
            {
                return $"has {json.Size} bytes where its .meta states {gzSize}";
            }

            Inspection found = await session.Inspections.OfAsync(
                json.Sha256, "nvd year",
                () =>
                {
                    session.Report("Checking", json.Url);
                    return Task.Run(() => Read(session, json, cancellationToken), cancellationToken);
                }).ConfigureAwait(false);
            if (found.Facts[0] != meta.Sha256 || (meta.Size is { } stated && Text(stated) != found.Facts[1]))
            {
                return "is not the document that its .meta speaks of";
            }

            census.Add(found);
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{json.Url}' is not what Clair reads there: {e.Message.TrimEnd('.')}.", json.Url,
                "The previous capture stays. Look what answers at this address in the upstream's place.", e);
        }
    }

    /// <returns>With the document's SHA-256 and its bytes.</returns>
    private static Inspection Read(ICollectSession session, SnapshotFile json, CancellationToken cancellationToken)
    {
        var census = new AdvisoryCensus();
        (long size, string sha256, _) = NvdYear.Read(session.OpenRead(json), record => census.Add(record.Id, record.LastModified), cancellationToken);
        return Inspection.Of(census, sha256, Text(size));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static bool MayBeMissing(ICollectSession session, int year) =>
        year == session.Now.Year && session.Now.Month == 1
        && session.Previous?.Files.Any(f => NvdYear.OfMeta(f.Url) == year) != true;

    private static NvdMeta ReadMeta(Stream content, SnapshotFile file, string errorId)
    {
        using (content)
        {
            try
            {
                return file.Size > NvdMeta.LargestSize ? throw new InvalidDataException($"it has {file.Size} bytes") : NvdMeta.Read(content);
            }
            catch (InvalidDataException e)
            {
                throw new FeedException(
                    errorId, $"'{file.Url}' is not what Clair reads there: {e.Message.TrimEnd('.')}.", file.Url,
                    "The previous capture stays. Look what answers at this address in the upstream's place.", e);
            }
        }
    }

    private sealed record Pair(int Year, SnapshotFile MetaFile, NvdMeta Meta, SnapshotFile Json)
    {
        public string Name => Year.ToString(CultureInfo.InvariantCulture);
    }
}

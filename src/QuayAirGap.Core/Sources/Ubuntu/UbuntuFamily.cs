using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Oval;

namespace QuayAirGap.Core.Sources.Ubuntu;

/// <summary>
/// Ubuntu's OVAL documents, one for each series that Launchpad calls active (claircore ubuntu/updaterset.go). A series whose support has
/// ended meanwhile is carried on as long as its document is there: its images still run.
/// </summary>
/// <remarks>
/// Published for both ways of serving.
/// <list type="bullet">
/// <item>By path: <c>/api.launchpad.net/1.0/ubuntu/series</c> names every series and calls none active. Clair asks a fixed host on the
/// internet for each active one, and loses the whole set where that fails; with <c>force</c> and a <c>url</c> for each release it asks for
/// <c>/security-metadata.canonical.com/oval/com.ubuntu.NAME.cve.oval.xml.bz2</c> alone. A forced version that the document lacks crashes it:
/// force what both have.</item>
/// <item>As upstream itself: <c>/as-upstream/api.launchpad.net/1.0/ubuntu/series</c> has Launchpad's own flags. The server must answer
/// <c>https://api.launchpad.net/1.0/ubuntu/series</c> with it; in general, <c>/as-upstream/HOST/PATH</c> goes before <c>/HOST/PATH</c> there.
/// Clair then HEADs and GETs <c>/oval/com.ubuntu.NAME.cve.oval.xml</c>, which is published with the bytes and the type of the .bz2
/// (<c>application/x-bzip2</c> makes Clair unpack it, and no Content-Location makes it ask the same address): nothing to do.</item>
/// </list>
/// </remarks>
public sealed partial class UbuntuFamily : IFeedFamily
{
    private const int MostPages = 20;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "ubuntu",
        Kind = SourceKind.UpdaterSet,
        Covers = "Ubuntu",
        Uri = new Uri("https://security-metadata.canonical.com/oval/"),
        MirrorUri = new Uri("https://api.launchpad.net/1.0/"),
        UpdaterNames = [new UpdaterNaming("all", "ubuntu/updater/<codename>")],
        Distributions = ["ubuntu"],
        PartKind = "release",
    };

    private static readonly Uri s_series = new(s_definition.MirrorUri!, "ubuntu/series");

    private readonly OvalLimits _limits;

    public UbuntuFamily()
        : this(OvalLimits.Default)
    {
    }

    internal UbuntuFamily(OvalLimits limits) => _limits = limits;

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        (List<SnapshotFile> pages, List<UbuntuSeries> all) = await ListAsync(session, cancellationToken).ConfigureAwait(false);
        List<UbuntuSeries> active = [.. all.Where(s => s.IsActive)];
        if (active.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_series}' has no active series: Clair would ask for no release of Ubuntu at all.", s_series.AbsoluteUri,
                "Nothing of this source was taken. Look what answers at this address.");
        }

        HashSet<string> before = [.. session.Previous?.Updaters ?? []];
        using var inspector = new OvalInspector(session, _limits);
        Document?[] found = await Task.WhenAll(
            all.Where(s => s.IsWanted(session.Selection) && (s.IsActive || before.Contains(s.Updater)))
            .Select(s => TakeAsync(session, inspector, s, before.Contains(s.Updater), cancellationToken))).ConfigureAwait(false);
        List<Document> documents = [.. found.OfType<Document>()];
        ThrowIfNothing(session.Selection, active, documents);
        return new CollectedContent
        {
            Files = [.. pages, .. documents.Select(d => d.File)],
            Updaters = [.. documents.Select(d => d.Series.Updater)],
            Releases = [.. documents.Select(d => d.Series.Name)],
            AdvisoryCount = inspector.Census.Count,
            Census = inspector.Census,
            UpstreamModified = documents.Max(d => d.File.LastModified),
            Deselected = await DeselectedAsync(session, [.. all.Where(s => s.IsActive || before.Contains(s.Updater))], cancellationToken).ConfigureAwait(false),
        };
    }

    private static async Task<(List<SnapshotFile> Pages, List<UbuntuSeries> Series)> ListAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        List<SnapshotFile> pages = [];
        List<UbuntuSeries> all = [];
        for (Uri? page = s_series; page is not null;)
        {
            SnapshotFile file = await session.GetAsync(page, cancellationToken).ConfigureAwait(false);
            (IReadOnlyList<UbuntuSeries> series, string? next) = await ReadPageAsync(
                session.OpenRead(file), file, ErrorIds.UpstreamContent, cancellationToken).ConfigureAwait(false);

            // A later page's own address has a query, by which nothing is kept.
            pages.Add(pages.Count == 0 ? file : file with { Url = PageUrl(pages.Count + 1) });
            all.AddRange(series.Where(s => all.TrueForAll(known => known.Name != s.Name)));
            page = next is null ? null : NextPage(next);
            if (pages.Count > MostPages)
            {
                throw new FeedException(
                    ErrorIds.UpstreamContent, $"'{s_series}' has more than {MostPages} pages.", s_series.AbsoluteUri,
                    "Nothing of this source was taken. Look what answers at this address.");
            }
        }

        return (pages, all);
    }

    private static string PageUrl(int number) => FormattableString.Invariant($"{s_series.AbsoluteUri}/page-{number}");

    private static Uri NextPage(string link) =>
        Uri.TryCreate(link, UriKind.Absolute, out Uri? next) && next.AbsolutePath == s_series.AbsolutePath
            ? new Uri(s_series, next.Query)
            : throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_series}' continues at '{link}', which is no page of it.", s_series.AbsoluteUri,
                "Nothing of this source was taken. Look what answers at this address.");

    private static async Task<(IReadOnlyList<UbuntuSeries> Series, string? Next)> ReadPageAsync(
        Stream json, SnapshotFile file, string errorId, CancellationToken cancellationToken)
    {
        await using (json.ConfigureAwait(false))
        {
            try
            {
                return file.Size <= UbuntuSeries.LargestDocument
                    ? await UbuntuSeries.ReadAsync(json, cancellationToken).ConfigureAwait(false)
                    : throw new InvalidDataException($"it has {file.Size} bytes");
            }
            catch (InvalidDataException e)
            {
                throw new FeedException(
                    errorId, $"'{file.Url}' is not Launchpad's list of Ubuntu's series: {e.Message}.", file.Url,
                    "Nothing of this source was taken. Look what answers at this address; a login or error page with status 200 is the usual cause.", e);
            }
        }
    }

    private static async Task<Document?> TakeAsync(
        ICollectSession session, OvalInspector inspector, UbuntuSeries series, bool wasThere, CancellationToken cancellationToken)
    {
        SnapshotFile? file = await session.TryGetAsync(PackedUri(series.Name), cancellationToken).ConfigureAwait(false);
        if (file is null)
        {
            await ThrowUnlessAbsentAsync(session, series, wasThere, cancellationToken).ConfigureAwait(false);
            return null;
        }

        await inspector.ReadSomeAsync(file, OvalPacking.Bzip2, cancellationToken).ConfigureAwait(false);
        return new Document(series, file);
    }

    /// <summary>A series that has just been opened has no document yet, and Clair passes over it. Everything else is an upstream half there.</summary>
    private static async Task ThrowUnlessAbsentAsync(ICollectSession session, UbuntuSeries series, bool wasThere, CancellationToken cancellationToken)
    {
        if (await session.ExistsAsync(PlainUri(series.Name), cancellationToken).ConfigureAwait(false))
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete, $"'{PlainUri(series.Name)}' is there, but not its packed form, which is what this collector takes.",
                PackedUri(series.Name).AbsoluteUri, "Nothing of this source was taken. Run Save-ClairFeed again later.");
        }

        session.Report(wasThere ? "No longer there" : "No advisories yet", series.Name);
    }

    private static void ThrowIfNothing(SourceSelection selection, List<UbuntuSeries> active, List<Document> documents)
    {
        if (documents.Count > 0)
        {
            return;
        }

        throw active.Exists(s => s.IsWanted(selection))
            ? new FeedException(
                ErrorIds.UpstreamIncomplete, $"'{s_definition.Uri}' has no document of any active series ({string.Join(", ", active.Select(s => s.Name))}).",
                s_definition.Uri.AbsoluteUri, "Nothing of this source was taken. The upstream may have moved: set its new address with Set-ClairFeedSource.")
            : new FeedException(
                ErrorIds.SettingsInvalid, "The selection of ubuntu leaves no release over.", s_definition.Name,
                $"Choose with Set-ClairFeedSource from: {string.Join(", ", active.Select(s => $"{s.Name} ({s.Version})"))}.");
    }

    /// <summary>What is there and was left out on purpose.</summary>
    private static async Task<IReadOnlyList<string>> DeselectedAsync(ICollectSession session, List<UbuntuSeries> collectable, CancellationToken cancellationToken)
    {
        UbuntuSeries?[] there = await Task.WhenAll(collectable.Where(s => !s.IsWanted(session.Selection)).Select(
            async s => await session.ExistsAsync(PackedUri(s.Name), cancellationToken).ConfigureAwait(false) ? s : null)).ConfigureAwait(false);
        return [.. there.OfType<UbuntuSeries>().Select(s => s.Name)];
    }

    private static Uri PlainUri(string name) => new(s_definition.Uri, $"com.ubuntu.{name}.cve.oval.xml");

    private static Uri PackedUri(string name) => new(s_definition.Uri, $"com.ubuntu.{name}.cve.oval.xml.bz2");

    private sealed record Document(UbuntuSeries Series, SnapshotFile File);
}

using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Oval;

namespace QuayAirGap.Core.Sources.Oracle;

/// <summary>
/// Oracle Linux's errata: one OVAL document for each year since 2007. Clair has an updater for each year up to its own clock's
/// (claircore oracle/updaterset.go), so all of them are needed.
/// </summary>
/// <remarks>
/// On 1 January Clair gains an updater for the new year. Until a capture has that year's document the mirror answers 404, as Oracle itself
/// does until its first advisory of the year: that updater then fails in Clair, alone and visibly. An empty document in its place would
/// let an old mirror look as if it knew of the year.
/// </remarks>
public sealed partial class OracleFamily : IFeedFamily
{
    private const int FirstYear = 2007;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "oracle",
        Kind = SourceKind.UpdaterSet,
        Covers = "Oracle Linux 5 to 9",
        Uri = new Uri("https://linux.oracle.com/security/oval/"),
        UpdaterNames = [new UpdaterNaming("all", "oracle-<year>-updater")],
        Distributions = ["ol"],
    };

    private readonly OvalLimits _limits;

    public OracleFamily()
        : this(OvalLimits.Default)
    {
    }

    internal OracleFamily(OvalLimits limits) => _limits = limits;

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        int thisYear = session.Now.UtcDateTime.Year;
        using var inspector = new OvalInspector(session, _limits);

        // Next year's too: a collector's clock may be behind Oracle's.
        Document?[] found = await Task.WhenAll(
            Enumerable.Range(FirstYear, thisYear + 2 - FirstYear).Select(year => TakeAsync(session, inspector, year, cancellationToken))).ConfigureAwait(false);

        List<Document> documents = [.. found.OfType<Document>()];
        ThrowIfIncomplete(session, documents, thisYear);
        if (inspector.Census.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_definition.Uri}' has a document for each year, but not one advisory in all of them.",
                s_definition.Uri.AbsoluteUri, "Nothing of this source was taken. Look whether the upstream or the cache in between is complete.");
        }

        return new CollectedContent
        {
            Files = [.. documents.Select(d => d.File)],
            Updaters = [.. documents.Select(d => UpdaterOf(d.Year))],
            Releases = [.. documents.Select(d => Text(d.Year))],
            AdvisoryCount = inspector.Census.Count,
            Census = inspector.Census,
            UpstreamModified = documents.Max(d => d.File.LastModified),
        };
    }

    public Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        var years = new HashSet<int>();
        foreach (SnapshotFile file in publication.Source.Files)
        {
            years.Add(YearOf(file) ?? throw OvalErrors.Unpublishable(s_definition, $"the capture has '{file.Url}', which is no document of a year"));
            publication.AddVerbatim(file, "application/x-bzip2");
        }

        int thisYear = publication.PublishedAt.UtcDateTime.Year;
        foreach (int year in Enumerable.Range(FirstYear, Math.Max(0, thisYear + 1 - FirstYear)).Where(y => !years.Contains(y)))
        {
            publication.HoldBack(
                UpdaterOf(year), $"The capture has no document for {year}: this updater fails in Clair until an import brings one. The other years are not affected.");
        }

        return Task.CompletedTask;
    }

    private static async Task<Document?> TakeAsync(ICollectSession session, OvalInspector inspector, int year, CancellationToken cancellationToken)
    {
        SnapshotFile? file = await session.TryGetAsync(UriOf(year), cancellationToken).ConfigureAwait(false);
        if (file is null)
        {
            return null;
        }

        // A year without an advisory is legal: Oracle opens a year's document before its first.
        await inspector.ReadAsync(file, OvalPacking.Bzip2, cancellationToken).ConfigureAwait(false);
        return new Document(year, file);
    }

    /// <summary>Every year up to the last must be there. This year's may be missing in January, unless it was there before.</summary>
    private static void ThrowIfIncomplete(ICollectSession session, List<Document> documents, int thisYear)
    {
        HashSet<int> years = [.. documents.Select(d => d.Year)];
        bool mayLackThisYear = session.Now.UtcDateTime.Month == 1 && session.Previous?.Updaters.Contains(UpdaterOf(thisYear)) != true;
        List<int> missing = [.. Enumerable.Range(FirstYear, thisYear + 1 - FirstYear).Where(y => !years.Contains(y))];
        if (mayLackThisYear && missing.Remove(thisYear))
        {
            session.Report("Oracle has no advisory of this year yet", UriOf(thisYear).AbsoluteUri);
        }

        if (missing.Count > 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete,
                $"'{s_definition.Uri}' has no document for {string.Join(", ", missing.Select(Text))}: Clair needs every year from {FirstYear}.",
                UriOf(missing[0]).AbsoluteUri,
                "Nothing of this source was taken. Run Save-ClairFeed again later; if it stays, look whether the upstream or the cache in between is complete.");
        }
    }

    private static Uri UriOf(int year) => new(s_definition.Uri, FormattableString.Invariant($"com.oracle.elsa-{year}.xml.bz2"));

    private static string UpdaterOf(int year) => FormattableString.Invariant($"oracle-{year}-updater");

    private static string Text(int year) => year.ToString(CultureInfo.InvariantCulture);

    private static int? YearOf(SnapshotFile file) =>
        YearUrl().Match(file.Url) is { Success: true } m && file.Url.StartsWith(s_definition.Uri.AbsoluteUri, StringComparison.Ordinal)
            ? int.Parse(m.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)
            : null;

    [GeneratedRegex("/oval/com\\.oracle\\.elsa-([0-9]{4})\\.xml\\.bz2$", RegexOptions.CultureInvariant)]
    private static partial Regex YearUrl();

    private sealed record Document(int Year, SnapshotFile File);
}

using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Epss;

/// <summary>
/// The daily EPSS scores: one file, named after its day (claircore enricher/epss/epss.go). No released Clair has this enricher among its
/// sets; programs that are built on claircore do.
/// </summary>
public sealed partial class EpssFamily : IFeedFamily
{
    private const string Rule = "clair.epss.without-etag";

    /// <summary>For how many days after a publication the enricher finds the file that it asks for by its own clock.</summary>
    private const int DaysAhead = 7;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "clair.epss",
        Kind = SourceKind.Enrichment,
        Covers = "EPSS: how likely a CVE is to be exploited. Off: released Clair does not read it",
        Uri = new Uri("https://epss.cyentia.com/"),

        // Where the address that is built into claircore redirects to.
        OtherHosts = ["epss.empiricalsecurity.com"],
        UpdaterNames = [new UpdaterNaming("none released", "clair.epss")],
        EnabledByDefault = false,
    };

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        DateOnly today = DateOnly.FromDateTime(session.Now.UtcDateTime);
        SnapshotFile file = await TryTakeAsync(session, today, cancellationToken).ConfigureAwait(false)
            ?? await session.GetAsync(UriOf(today.AddDays(-1)), cancellationToken).ConfigureAwait(false);
        session.Report("Checking", file.Url);
        var census = new AdvisoryCensus();
        DateTimeOffset made;
        try
        {
            made = await Task.Run(() => EpssScores.Read(session.OpenRead(file), census, cancellationToken), cancellationToken).ConfigureAwait(false);
            ThrowUnlessOfItsDay(file, made);
        }
        catch (InvalidDataException e)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{file.Url}' is not what Clair reads there: {e.Message.TrimEnd('.')}.", file.Url,
                "The previous capture stays. Look what answers at this address in the upstream's place.", e);
        }

        return new CollectedContent
        {
            Files = [file],
            Updaters = ["clair.epss"],
            AdvisoryCount = census.Count,
            Census = census,
            UpstreamModified = made,
        };
    }

    /// <summary>
    /// The enricher cannot live with an ETag: where it gets the one that it has, it goes on without content and ends the whole process
    /// (claircore enricher/epss/epss.go with libvuln/updates/manager.go, up to v1.5.54). So the bytes go out as they are, but without
    /// validators. It asks for yesterday's file by its own clock: the same file answers under the names of its own day and of each day that
    /// will be asked for in the week after this publication, and as epss_scores-current.csv.gz for people who configure a fixed address. Each score says
    /// itself of which day it is.
    /// </summary>
    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        if (publication.Source.Files is not [{ } file] || DayOf(file.Url) is not { } day)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed, "The capture of clair.epss is not one day's file.", s_definition.Name,
                "Import a bundle whose capture of it is complete; what is served now stays.");
        }

        DateOnly asked = DateOnly.FromDateTime(publication.PublishedAt.UtcDateTime).AddDays(-1);
        IEnumerable<Uri> names = Enumerable.Range(0, DaysAhead).Select(asked.AddDays).Append(day).Distinct().Order().Select(UriOf)
            .Append(new Uri(s_definition.Uri, "epss_scores-current.csv.gz"));
        foreach (Uri name in names)
        {
            await using Stream content = publication.OpenRead(file);
            await publication.AddDerivedAsync(
                MirrorPath.Of(name), content, "application/gzip", lastModified: null, new Derivation(Rule, [file.Url]), validators: false,
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Today's file comes in the afternoon; until then the storage behind the upstream answers 404, or 403 as such storages do.</summary>
    private static async Task<SnapshotFile?> TryTakeAsync(ICollectSession session, DateOnly day, CancellationToken cancellationToken)
    {
        try
        {
            return await session.TryGetAsync(UriOf(day), cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.UpstreamStatus)
        {
            return null;
        }
    }

    /// <summary>Old scores under a new name would look fresh.</summary>
    private static void ThrowUnlessOfItsDay(SnapshotFile file, DateTimeOffset made)
    {
        if (DayOf(file.Url) is { } day && Math.Abs(DateOnly.FromDateTime(made.UtcDateTime).DayNumber - day.DayNumber) > 1)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"its scores are of {made:yyyy-MM-dd}"));
        }
    }

    private static Uri UriOf(DateOnly day) => new(s_definition.Uri, string.Create(CultureInfo.InvariantCulture, $"epss_scores-{day:yyyy-MM-dd}.csv.gz"));

    private static DateOnly? DayOf(string url) =>
        Name().Match(url) is { Success: true } m
        && DateOnly.TryParseExact(m.Groups[1].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) ? day : null;

    [GeneratedRegex(@"/epss_scores-(\d{4}-\d{2}-\d{2})\.csv\.gz$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}

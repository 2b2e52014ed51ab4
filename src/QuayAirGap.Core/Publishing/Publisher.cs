using System.Globalization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Publishing;

/// <summary>Turns a verified snapshot, whose content is in the store, into the next generation of the mirror. Needs the site's lock.</summary>
internal sealed class Publisher(Site site, TimeProvider clock)
{
    /// <summary>How the error of a source begins that was brought in and could not be published.</summary>
    internal const string NotPublished = "Not published: ";

    private readonly GenerationStore _generations = new(site);

    /// <param name="snapshot">Verified; every blob that it names is in the store.</param>
    /// <param name="snapshotSha256">Of the signed document.</param>
    /// <param name="progress">Told of each source.</param>
    /// <param name="cancellationToken">Until the generation is complete; then it is made real.</param>
    /// <param name="resetSequence">The stream's sequences count from this one on, whatever was published before.</param>
    public async Task<Generation> PublishAsync(
        Snapshot snapshot, string snapshotSha256, IProgress<FeedProgress>? progress, CancellationToken cancellationToken, bool resetSequence = false)
    {
        // The newest, not the current one: after a revert both are the same, and what was ever told to a Clair must never be forgotten.
        Generation? previous = _generations.LoadNewest();
        int number = (previous?.Number ?? 0) + 1;
        DateTimeOffset publishedAt = WholeSeconds(clock.GetUtcNow());
        string staged = Path.Combine(site.StagingFolder, "generation-" + number.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(staged);

        var sources = new List<SourceSnapshot>();
        var entries = new List<GenerationEntry>();
        var archives = new List<ArchiveMembers>();
        var heldBack = new List<HeldBackItem>();
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (SourceCatalog.Find(source.Name) is not { } definition)
            {
                // A newer collector may know sources that this program cannot lay out for Clair: not published, and visibly so.
                sources.Add(source.Files.Count == 0
                    ? Summary(source)
                    : Summary(source) with { State = CaptureState.Unsupported, Error = "This version of QuayAirGap cannot publish it." });
                continue;
            }

            progress?.Report(new FeedProgress(source.Name, "Publishing"));
            var publication = new Publication(
                definition, source, site.Store, previous, number, publishedAt, Path.Combine(staged, "state"),
                previous is null ? null : Path.Combine(_generations.FolderOf(previous.Number), "state"));
            SourceSnapshot published = Summary(source);
            if (source.Files.Count > 0)
            {
                try
                {
                    await SourceCatalog.FamilyOf(definition).PublishAsync(publication, cancellationToken).ConfigureAwait(false);
                    entries.AddRange(publication.Entries);
                    archives.AddRange(publication.Archives);
                    heldBack.AddRange(publication.HeldBack);
                }
                catch (Exception e) when (e is FeedException or InvalidDataException)
                {
                    // One source's trouble stays its own: it goes on with what was published before, and says that it is not what was carried in.
                    published = Fallback(published, previous, e.Message);
                    publication.CarryStateOver();
                    entries.AddRange(publication.PreviousEntries ?? []);
                    archives.AddRange(publication.PreviousArchiveMembers is { } members ? [members] : []);
                    heldBack.AddRange(previous?.HeldBack.Where(h => h.Source == source.Name) ?? []);
                }
            }
            else
            {
                publication.CarryStateOver();
            }

            sources.Add(published);
            progress?.Report(new FeedProgress(source.Name, "Publishing", Completed: true));
        }

        var generation = new Generation
        {
            Number = number,
            PublishedAt = publishedAt,
            Stream = snapshot.Stream,
            Sequence = snapshot.Sequence,
            HighestSequence = Math.Max(snapshot.Sequence, previous is not null && previous.Stream == snapshot.Stream && !resetSequence ? previous.HighestSequence : 0),
            NewestSnapshot = previous is not null && previous.NewestSnapshot > snapshot.Created ? previous.NewestSnapshot : snapshot.Created,
            SnapshotSha256 = snapshotSha256,
            Sources = sources,
            Entries = [.. entries.OrderBy(e => e.Path, StringComparer.Ordinal)],
            Archives = archives,
            HeldBack = heldBack,
        };
        ThrowIfPathsCollide(generation);
        generation.Save(staged);
        cancellationToken.ThrowIfCancellationRequested();
        _generations.Commit(staged, generation);
        return generation;
    }

    private static SourceSnapshot Summary(SourceSnapshot source) => source with { Files = [], Directories = [], Layer = null, Delta = null };

    private static SourceSnapshot Fallback(SourceSnapshot source, Generation? previous, string error)
    {
        SourceSnapshot? before = previous?.Sources.FirstOrDefault(s => s.Name == source.Name);
        return (before ?? source with { CapturedAt = null, UpstreamModified = null, AdvisoryCount = 0, Updaters = [] }) with
        {
            State = CaptureState.Failed,
            Error = NotPublished + error,
        };
    }

    private static void ThrowIfPathsCollide(Generation generation)
    {
        IGrouping<string, GenerationEntry>? twice = generation.Entries.GroupBy(e => e.Path, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any());
        if (twice is not null)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed, $"Two sources publish the path '{twice.Key}': {string.Join(", ", twice.Select(e => e.Source))}.", twice.Key,
                "Nothing was changed. Report this as a defect.");
        }
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}

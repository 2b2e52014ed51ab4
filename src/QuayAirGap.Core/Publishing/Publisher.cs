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

    /// <summary>Each takes memory of its own.</summary>
    private const int MaxAtOnce = 4;

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

        // Sources are independent of each other, and the longest of them (RHEL's archive, OSV's) keep one processor busy each.
        var room = new Room(previous, number, publishedAt, staged);
        var published = new PublishedSource[snapshot.Sources.Count];
        await Parallel.ForAsync(
            0, published.Length, new ParallelOptions { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, MaxAtOnce), CancellationToken = cancellationToken },
            async (i, token) => published[i] = await PublishSourceAsync(room, snapshot.Sources[i], progress, token).ConfigureAwait(false)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();

        var generation = new Generation
        {
            Number = number,
            PublishedAt = publishedAt,
            Stream = snapshot.Stream,
            Sequence = snapshot.Sequence,
            HighestSequence = Math.Max(snapshot.Sequence, previous is not null && previous.Stream == snapshot.Stream && !resetSequence ? previous.HighestSequence : 0),
            NewestSnapshot = previous is not null && previous.NewestSnapshot > snapshot.Created ? previous.NewestSnapshot : snapshot.Created,
            SnapshotSha256 = snapshotSha256,
            Sources = [.. published.Select(p => p.Source)],
            Entries = [.. published.SelectMany(p => p.Entries).OrderBy(e => e.Path, StringComparer.Ordinal)],
            Archives = [.. published.SelectMany(p => p.Archives)],
            HeldBack = [.. published.SelectMany(p => p.HeldBack)],
        };
        ThrowIfPathsCollide(generation);
        generation.Save(staged);
        cancellationToken.ThrowIfCancellationRequested();
        _generations.Commit(staged, generation);
        return generation;
    }

    private async Task<PublishedSource> PublishSourceAsync(Room room, SourceSnapshot source, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        if (SourceCatalog.Find(source.Name) is not { } definition)
        {
            // A newer collector may know sources that this program cannot lay out for Clair: not published, and visibly so.
            return new PublishedSource(source.Files.Count == 0
                ? Summary(source)
                : Summary(source) with { State = CaptureState.Unsupported, Error = "This version of QuayAirGap cannot publish it." });
        }

        progress?.Report(new FeedProgress(source.Name, "Publishing"));
        Generation? previous = room.Previous;
        var publication = new Publication(
            definition, source, site.Store, previous, room.Number, room.PublishedAt, Path.Combine(room.Staged, "state"),
            previous is null ? null : Path.Combine(_generations.FolderOf(previous.Number), "state"));
        var published = new PublishedSource(Summary(source));
        if (source.Files.Count > 0)
        {
            try
            {
                await SourceCatalog.FamilyOf(definition).PublishAsync(publication, cancellationToken).ConfigureAwait(false);
                published = published with { Entries = [.. publication.Entries], Archives = [.. publication.Archives], HeldBack = [.. publication.HeldBack] };
            }
            catch (Exception e) when (e is FeedException or InvalidDataException)
            {
                // One source's trouble stays its own: it goes on with what was published before, and says that it is not what was carried in.
                publication.CarryStateOver();
                published = new PublishedSource(Fallback(published.Source, previous, e.Message))
                {
                    Entries = [.. previous?.Entries.Where(e => e.Source == source.Name) ?? []],
                    Archives = [.. previous?.Archives.Where(a => a.Source == source.Name) ?? []],
                    HeldBack = [.. previous?.HeldBack.Where(h => h.Source == source.Name) ?? []],
                };
            }
        }
        else
        {
            publication.CarryStateOver();
        }

        progress?.Report(new FeedProgress(source.Name, "Publishing", Completed: true));
        return published;
    }

    private static SourceSnapshot Summary(SourceSnapshot source) => source with { Files = [], Directories = [], Findings = null, Layer = null, Delta = null };

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

    /// <summary>What all sources of a publication have in common.</summary>
    private sealed record Room(Generation? Previous, int Number, DateTimeOffset PublishedAt, string Staged);

    /// <summary>What became of one source.</summary>
    private sealed record PublishedSource(SourceSnapshot Source)
    {
        public IReadOnlyList<GenerationEntry> Entries { get; init; } = [];

        public IReadOnlyList<ArchiveMembers> Archives { get; init; } = [];

        public IReadOnlyList<HeldBackItem> HeldBack { get; init; } = [];
    }
}

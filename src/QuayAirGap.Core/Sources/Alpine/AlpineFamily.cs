using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.Alpine;

/// <summary>Alpine's security database, taken as claircore's alpine/updater.go finds it.</summary>
public sealed partial class AlpineFamily : IFeedFamily
{
    /// <summary>How often a database that changes underneath is taken before it is given up.</summary>
    private const int Attempts = 3;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "alpine",
        Kind = SourceKind.UpdaterSet,
        Covers = "Alpine Linux 3.3 and later, and edge",
        Uri = new Uri("https://secdb.alpinelinux.org/"),
    };

    private static readonly string[] s_repositories = ["main", "community"];

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    private static Uri StampUri => new(s_definition.Uri, "last-update");

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            SnapshotFile before = await session.GetAsync(StampUri, cancellationToken).ConfigureAwait(false);
            CollectedContent content = await TakeAsync(session, cancellationToken).ConfigureAwait(false);
            SnapshotFile after = await session.GetAsync(StampUri, cancellationToken).ConfigureAwait(false);
            if (before.Sha256 == after.Sha256)
            {
                return content with { Files = [.. content.Files, after] };
            }

            if (attempt == Attempts)
            {
                throw new FeedException(
                    ErrorIds.UpstreamChanged, $"'{StampUri}' changed each of the {Attempts} times that the source was taken.", StampUri.AbsoluteUri,
                    "Run Save-ClairFeed again in a few minutes, when the upstream has settled.");
            }

            session.Report("The upstream changed meanwhile: taking it again");
        }
    }

    private static async Task<CollectedContent> TakeAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> releases = await AlpineReleases.DiscoverAsync(session, s_definition.Uri, cancellationToken).ConfigureAwait(false);
        Document?[] found = await Task.WhenAll(
            from release in releases.Append("edge")
            from repository in s_repositories
            select TakeDocumentAsync(session, release, repository, cancellationToken)).ConfigureAwait(false);

        List<Document> documents = [.. found.OfType<Document>()];
        ThrowIfEmpty(documents);
        ThrowIfShrunk(session.Previous, documents);
        return new CollectedContent
        {
            Files = [.. documents.Select(d => d.File)],
            Directories = [.. releases.Select(r => new Uri(s_definition.Uri, r + "/").AbsoluteUri)],
            Updaters = [.. documents.Select(d => d.Updater)],
            AdvisoryCount = documents.Sum(d => d.Packages),
            UpstreamModified = documents.Max(d => d.File.LastModified),
        };
    }

    private static async Task<Document?> TakeDocumentAsync(
        ICollectSession session, string release, string repository, CancellationToken cancellationToken)
    {
        var url = new Uri(s_definition.Uri, $"{release}/{repository}.json");
        SnapshotFile? file = await session.TryGetAsync(url, cancellationToken).ConfigureAwait(false);
        if (file is null)
        {
            return null;
        }

        long packages = 0;
        JsonShape fixes = JsonShape.MapOf(JsonShape.ListOf(JsonShape.Text), onEnd: count => packages += count > 0 ? 1 : 0);
        JsonShape package = JsonShape.Record(null, ("name", JsonShape.Text), ("secfixes", fixes));
        JsonShape shape = JsonShape.Record(
            "packages", ("distroversion", JsonShape.Text), ("reponame", JsonShape.Text), ("urlprefix", JsonShape.Text), ("apkurl", JsonShape.Text),
            ("packages", JsonShape.ListOf(JsonShape.Record(null, ("pkg", package)))));
        await using Stream content = session.OpenRead(file);
        await JsonShapeReader.ReadAsync(content, shape, file.Url, cancellationToken).ConfigureAwait(false);
        return new Document(file, $"alpine-{repository}-{release}-updater", packages);
    }

    private static void ThrowIfEmpty(List<Document> documents)
    {
        if (documents.Sum(d => d.Packages) == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_definition.Uri}' has release directories, but not one fixed package in all their documents.",
                s_definition.Uri.AbsoluteUri, "Nothing of this source was taken. Look whether the upstream or the cache in between is complete.");
        }
    }

    /// <summary>
    /// Clair passes over a document that answers 404 without a word, so images of that release would look clean. Alpine keeps
    /// the documents of releases that are out of support, so one that was there and has gone is an upstream half there.
    /// </summary>
    private static void ThrowIfShrunk(SourceSnapshot? previous, List<Document> documents)
    {
        if (previous?.Updaters.Except(documents.Select(d => d.Updater), StringComparer.Ordinal).ToList() is { Count: > 0 } gone)
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete, $"'{s_definition.Uri}' no longer has what these updaters read: {string.Join(", ", gone)}.",
                s_definition.Uri.AbsoluteUri,
                "The previous capture stays. Look whether the upstream or the cache in between is complete; if Alpine has withdrawn the release, "
                + "disable the source, run Save-ClairFeed once, and enable it again.");
        }
    }

    private sealed record Document(SnapshotFile File, string Updater, long Packages);
}

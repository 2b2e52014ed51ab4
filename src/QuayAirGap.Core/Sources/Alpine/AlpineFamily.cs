using System.Buffers;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.Alpine;

/// <summary>Alpine's security database, taken as claircore's alpine/updater.go finds it.</summary>
public sealed partial class AlpineFamily : IFeedFamily
{
    private const string Edge = "edge";
    private const int LongestStamp = 256;

    private static readonly SearchValues<byte> s_stampText =
        SearchValues.Create("0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:.,+-/()\r\n\t"u8);

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "alpine",
        Kind = SourceKind.UpdaterSet,
        Covers = "Alpine Linux 3.3 and later, and edge",
        Uri = new Uri("https://secdb.alpinelinux.org/"),
        UpdaterNames = [new UpdaterNaming("all", "alpine-<repository>-<release>-updater")],
        Distributions = ["alpine"],
        PartKind = "release",
    };

    private static readonly string[] s_repositories = ["main", "community"];

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    private static Uri StampUri => new(s_definition.Uri, "last-update");

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        SnapshotFile before = await session.GetAsync(StampUri, cancellationToken).ConfigureAwait(false);
        await ThrowUnlessStampAsync(session, before, cancellationToken).ConfigureAwait(false);
        CollectedContent content = await TakeAsync(session, cancellationToken).ConfigureAwait(false);
        SnapshotFile after = await session.GetAsync(StampUri, cancellationToken).ConfigureAwait(false);
        return before.Sha256 == after.Sha256
            ? content with { Files = [.. content.Files, after] }
            : throw new FeedException(
                ErrorIds.UpstreamChanged, $"'{StampUri}' changed while the documents were fetched.", StampUri.AbsoluteUri,
                "Run Save-ClairFeed again in a few minutes, when the upstream has settled.");
    }

    private static async Task<CollectedContent> TakeAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        // Every release's directory, also of those that nobody wants: Clair's own discovery stops at the first that is not there.
        IReadOnlyList<string> releases = await AlpineReleases.DiscoverAsync(session, s_definition.Uri, cancellationToken).ConfigureAwait(false);
        List<string> all = [.. releases, Edge];
        if (!all.Any(session.Selection.Wants))
        {
            throw new FeedException(
                ErrorIds.SelectionEmpty, $"Of the releases that '{s_definition.Uri}' has ({string.Join(", ", all)}), none is selected.", s_definition.Name,
                "Choose with Set-ClairFeedSource alpine -Include, or leave the source out with -Enabled:$false.");
        }

        var census = new AdvisoryCensus();
        Document?[] found = await Task.WhenAll(
            from release in all.Where(session.Selection.Wants)
            from repository in s_repositories
            select TakeDocumentAsync(session, release, repository, census, cancellationToken)).ConfigureAwait(false);

        List<Document> documents = [.. found.OfType<Document>()];
        ThrowIfEmpty(census);
        return new CollectedContent
        {
            Files = [.. documents.Select(d => d.File)],
            Directories = [.. releases.Select(r => new Uri(s_definition.Uri, r + "/").AbsoluteUri)],
            Updaters = [.. documents.Select(d => d.Updater)],
            AdvisoryCount = census.Count,
            Census = census,
            Releases = [.. documents.Select(d => d.Release).Distinct()],
            Deselected = [.. all.Where(r => !session.Selection.Wants(r))],
            UpstreamModified = documents.Max(d => d.File.LastModified),
        };
    }

    private static async Task<Document?> TakeDocumentAsync(
        ICollectSession session, string release, string repository, AdvisoryCensus census, CancellationToken cancellationToken)
    {
        var url = new Uri(s_definition.Uri, $"{release}/{repository}.json");
        SnapshotFile? file = await session.TryGetAsync(url, cancellationToken).ConfigureAwait(false);
        if (file is null)
        {
            return null;
        }

        // An advisory is a package of a repository and what was fixed in it; the name may come after the fixes.
        string name = "";
        List<string> ids = [];
        JsonShape fixes = JsonShape.MapOf(JsonShape.ListOf(JsonShape.TextTo(ids.Add)));
        JsonShape package = JsonShape.Record(
            null,
            () =>
            {
                ids.ForEach(id => census.Add($"{release}/{repository}/{name} {id}"));
                ids.Clear();
                name = "";
            },
            ("name", JsonShape.TextTo(text => name = text)), ("secfixes", fixes));
        JsonShape shape = JsonShape.Record(
            "packages", ("distroversion", JsonShape.Text), ("reponame", JsonShape.Text), ("urlprefix", JsonShape.Text), ("apkurl", JsonShape.Text),
            ("packages", JsonShape.ListOf(JsonShape.Record(null, ("pkg", package)))));
        await using Stream content = session.OpenRead(file);
        await JsonShapeReader.ReadAsync(content, shape, file.Url, cancellationToken).ConfigureAwait(false);
        return new Document(file, release, $"alpine-{repository}-{release}-updater");
    }

    /// <summary>Clair takes the stamp for opaque, whatever it is; a page in its place would be the first sign of a proxy's and the only one.</summary>
    private static async Task ThrowUnlessStampAsync(ICollectSession session, SnapshotFile stamp, CancellationToken cancellationToken)
    {
        byte[] text = new byte[LongestStamp + 1];
        await using Stream content = session.OpenRead(stamp);
        int length = await content.ReadAtLeastAsync(text, text.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (length is 0 or > LongestStamp || text.AsSpan(0, length).ContainsAnyExcept(s_stampText))
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{stamp.Url}' is not a time of the last update: it is empty, too long, or another kind of text.", stamp.Url,
                "Nothing of this source was taken. Look what answers at this address; a login page in the upstream's place is the usual cause.");
        }
    }

    private static void ThrowIfEmpty(AdvisoryCensus census)
    {
        if (census.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_definition.Uri}' has release directories, but not one fixed package in all the documents that are wanted.",
                s_definition.Uri.AbsoluteUri, "Nothing of this source was taken. Look whether the upstream or the cache in between is complete.");
        }
    }

    private sealed record Document(SnapshotFile File, string Release, string Updater);
}

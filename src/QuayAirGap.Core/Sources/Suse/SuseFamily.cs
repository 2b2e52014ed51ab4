using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Oval;

namespace QuayAirGap.Core.Sources.Suse;

/// <summary>SUSE's OVAL documents, one for each release, found in the directory's listing (claircore suse/factory.go).</summary>
/// <remarks>
/// The listing that Clair gets is made here, with exactly one relative link for each document: two links to one file, as many servers
/// write them, fail Clair's whole set, and an absolute link leads it to the internet.
/// </remarks>
public sealed class SuseFamily : IFeedFamily
{
    private static readonly SourceDefinition s_definition = new()
    {
        Name = "suse",
        Kind = SourceKind.UpdaterSet,
        Covers = "SUSE Linux Enterprise Server, and openSUSE Leap from 15.5",
        Uri = new Uri("https://ftp.suse.com/pub/projects/security/oval/"),
        UpdaterNames =
        [
            new UpdaterNaming("all", "suse-updater-suse.linux.enterprise.server.<version>"),
            new UpdaterNaming("all", "suse-updater-opensuse.leap.<version>"),
        ],
        Distributions = ["sles", "opensuse-leap"],
    };

    private readonly OvalLimits _limits;

    public SuseFamily()
        : this(OvalLimits.Default)
    {
    }

    internal SuseFamily(OvalLimits limits) => _limits = limits;

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        SnapshotFile listing = await session.GetAsync(s_definition.Uri, cancellationToken).ConfigureAwait(false);
        List<SuseFile> listed =
        [
            .. (await ListingNames.ReadAsync(session, listing, cancellationToken).ConfigureAwait(false)).Select(SuseFile.Parse).OfType<SuseFile>(),
        ];
        if (listed.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_definition.Uri}' is not a listing of SUSE's OVAL documents: no link in it leads to one.",
                s_definition.Uri.AbsoluteUri, "The mirror must list the directory as HTML; a login or error page with status 200 is the usual cause.");
        }

        using var inspector = new OvalInspector(session, _limits);
        SnapshotFile[] files = await Task.WhenAll(listed.Select(f => TakeAsync(session, inspector, f, cancellationToken))).ConfigureAwait(false);
        return new CollectedContent
        {
            Files = files,
            Updaters = [.. listed.Select(f => f.Updater)],
            Releases = [.. listed.Select(f => f.Release)],
            AdvisoryCount = inspector.Census.Count,
            Census = inspector.Census,
            UpstreamModified = files.Max(f => f.LastModified),
        };
    }

    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        string root = s_definition.Uri.AbsoluteUri;
        IReadOnlyList<SnapshotFile> files = publication.Source.Files;
        foreach (SnapshotFile file in files)
        {
            if (!file.Url.StartsWith(root, StringComparison.Ordinal) || SuseFile.Parse(file.Url[root.Length..]) is null)
            {
                throw OvalErrors.Unpublishable(s_definition, $"the capture has '{file.Url}', from which Clair makes no updater");
            }

            publication.AddVerbatim(file, "application/gzip");
        }

        string path = MirrorPath.Of(s_definition.Uri);
        using var listing = new MemoryStream(DirectoryListing.Build(path, files.Select(f => f.Url[root.Length..])));
        await publication.AddDerivedAsync(
            path, listing, DirectoryListing.ContentType, lastModified: null,
            new Derivation("suse.listing", [.. files.Select(f => f.Url)]), validators: true, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<SnapshotFile> TakeAsync(
        ICollectSession session, OvalInspector inspector, SuseFile listed, CancellationToken cancellationToken)
    {
        var url = new Uri(s_definition.Uri, listed.Name);
        SnapshotFile file = await session.TryGetAsync(url, cancellationToken).ConfigureAwait(false) ?? throw new FeedException(
            ErrorIds.UpstreamIncomplete, $"'{s_definition.Uri}' lists '{listed.Name}', but does not have it.", url.AbsoluteUri,
            "Nothing of this source was taken. Run Save-ClairFeed again later; if it stays, look whether the cache in between is complete.");
        await inspector.ReadSomeAsync(file, OvalPacking.Gzip, cancellationToken).ConfigureAwait(false);
        return file;
    }
}

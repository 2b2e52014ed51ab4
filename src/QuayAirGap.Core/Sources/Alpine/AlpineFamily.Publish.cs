using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Alpine;

public sealed partial class AlpineFamily
{
    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        SourceSnapshot source = publication.Source;
        ThrowUnlessGapless(source.Directories);
        foreach (SnapshotFile file in source.Files)
        {
            publication.AddVerbatim(file, file.Url.EndsWith(".json", StringComparison.Ordinal) ? "application/json" : "text/plain");
        }

        foreach (string directory in source.Directories)
        {
            List<SnapshotFile> children = [.. source.Files.Where(f => f.Url.StartsWith(directory, StringComparison.Ordinal))];
            string path = MirrorPath.Of(directory);
            using var listing = new MemoryStream(DirectoryListing.Build(path, children.Select(f => f.Url[directory.Length..])));
            await publication.AddDerivedAsync(
                path, listing, DirectoryListing.ContentType, lastModified: null,
                new Derivation("alpine.directory", [directory, .. children.Select(f => f.Url)]), validators: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A gap makes Clair lose every later release silently: a mirror that has one is not published at all.</summary>
    private static void ThrowUnlessGapless(IReadOnlyList<string> directories)
    {
        string root = s_definition.Uri.AbsoluteUri;
        HashSet<(int Major, int Minor)> releases =
        [
            .. directories.Where(d => d.StartsWith(root, StringComparison.Ordinal) && d.EndsWith('/'))
                .Select(d => AlpineReleases.Parse(d[root.Length..^1])).OfType<(int, int)>(),
        ];
        int reached = 0;
        for (int major = 3; releases.Contains((major, AlpineReleases.FirstMinorOf(major))); major++)
        {
            for (int minor = AlpineReleases.FirstMinorOf(major); releases.Contains((major, minor)); minor++)
            {
                reached++;
            }
        }

        if (reached == 0 || reached != directories.Count)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed,
                $"The capture of alpine has {directories.Count} release directories, of which Clair would find {reached}.",
                s_definition.Name, "Import a bundle whose capture of alpine is complete; what is served now stays.");
        }
    }
}

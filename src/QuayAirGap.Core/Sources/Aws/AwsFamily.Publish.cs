using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Aws;

public sealed partial class AwsFamily
{
    private const string ListRule = "aws.mirror-list";

    /// <summary>
    /// The files go out as they are, under their own hosts. A list goes out as it is where Clair comes from its first line to the captured
    /// mirror; else one is derived that names this mirror alone. Clair never goes on to the second line while the first one answers.
    /// </summary>
    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        Dictionary<string, SnapshotFile> files = publication.Source.Files.ToDictionary(f => f.Url, StringComparer.Ordinal);
        foreach (AwsRelease release in AwsRelease.All)
        {
            SnapshotFile list = files.GetValueOrDefault(release.MirrorList.AbsoluteUri)
                ?? throw Unpublishable(release, $"the capture has no '{release.MirrorList}'");
            AwsMirrorList mirrors = ReadList(publication.OpenRead(list), list, ErrorIds.PublicationFailed);
            AwsMirror mirror = mirrors.Mirrors.FirstOrDefault(m => files.ContainsKey(m.RepoMd.AbsoluteUri) && files.ContainsKey(m.UpdateInfo.AbsoluteUri))
                ?? throw Unpublishable(release, $"the capture has no files of any mirror in '{list.Url}'");
            SnapshotFile repoMd = files[mirror.RepoMd.AbsoluteUri];
            SnapshotFile updateInfo = files[mirror.UpdateInfo.AbsoluteUri];
            ThrowUnlessTheyFit(publication, repoMd, updateInfo);

            publication.AddVerbatim(repoMd, "text/xml");
            publication.AddVerbatim(updateInfo, "application/gzip");
            if (mirrors.IsForClair && mirrors.StartsWithMirror && mirror == mirrors.Mirrors[0])
            {
                publication.AddVerbatim(list, "text/plain");
                continue;
            }

            using var derived = new MemoryStream(Encoding.ASCII.GetBytes(mirror.Uri.AbsoluteUri + "\n"));
            await publication.AddDerivedAsync(
                MirrorPath.Of(list.Url), derived, "text/plain", lastModified: null, new Derivation(ListRule, [list.Url, repoMd.Url]), validators: true,
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A repomd.xml in front of other advisories would have Clair keep old ones under a new fingerprint, for good.</summary>
    private static void ThrowUnlessTheyFit(IPublication publication, SnapshotFile repoMdFile, SnapshotFile updateInfo)
    {
        RepoMd repoMd = ReadRepoMd(publication.OpenRead(repoMdFile), repoMdFile, ErrorIds.PublicationFailed);
        using Stream packed = publication.OpenRead(updateInfo);
        try
        {
            ThrowUnlessVouchedFor(packed, updateInfo, repoMd);
        }
        catch (FeedException e)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed, e.Message, e.Target, "Import a bundle whose capture of aws is consistent; what is served now stays.", e);
        }
    }

    private static FeedException Unpublishable(AwsRelease release, string reason) => new(
        ErrorIds.PublicationFailed, $"{release.Name} of Amazon Linux cannot be published: {reason}.", s_definition.Name,
        "Import a bundle whose capture of aws is complete; what is served now stays.");
}

using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Debian;

public sealed partial class DebianFamily
{
    /// <summary>Rises with every change to <see cref="Unknown"/>.</summary>
    private const string CodenameRules = "debian.codenames/1";

    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        SnapshotFile tracker = publication.Source.Files.FirstOrDefault(f => f.Url == s_definition.Uri.AbsoluteUri)
            ?? throw Unpublishable($"the capture has no '{s_definition.Uri}'");
        await DistinctLastModified.AddAsync(publication, tracker, "application/json", cancellationToken).ConfigureAwait(false);

        List<string> captured = [];
        List<SnapshotFile> released = [];
        foreach (SnapshotFile file in publication.Source.Files.Where(f => f != tracker))
        {
            string codename = CodenameOf(file) ?? throw Unpublishable($"the capture has '{file.Url}', which is no Release file");
            captured.Add(codename);
            publication.AddVerbatim(file, "text/plain");
            await using Stream content = publication.OpenRead(file);
            if (await DebianRelease.ReadMajorAsync(content, file.Url, cancellationToken).ConfigureAwait(false) is not null)
            {
                released.Add(file);
            }
        }

        if (released.Count == 0)
        {
            throw Unpublishable("the capture has no release with a version, and Clair would drop every advisory");
        }

        string path = MirrorPath.Of(s_dists);
        using var listing = new MemoryStream(DirectoryListing.Build(path, released.Select(f => CodenameOf(f) + "/")));
        await publication.AddDerivedAsync(
            path, listing, DirectoryListing.ContentType, lastModified: null,
            new Derivation("debian.dists", [.. released.Select(f => f.Url)]), validators: true, cancellationToken).ConfigureAwait(false);

        await HoldBackUnknownAsync(publication, tracker, captured, cancellationToken).ConfigureAwait(false);
    }

    private static async Task HoldBackUnknownAsync(
        IPublication publication, SnapshotFile tracker, List<string> captured, CancellationToken cancellationToken)
    {
        IReadOnlyList<HeldBackFinding> unknown = ContentFindings.Find(publication.Source, tracker.Sha256, CodenameRules)?.HeldBack
            ?? Unknown((await ReadTrackerAsync(publication.OpenRead(tracker), tracker.Url, cancellationToken).ConfigureAwait(false)).Codenames, captured);
        foreach (HeldBackFinding codename in unknown)
        {
            publication.HoldBack(codename.Item, codename.Reason);
        }
    }

    /// <summary>
    /// Advisories of a codename without a Release file are dropped by Clair without a word. Testing has a Release file without a
    /// version, and sid is passed over by name: these are Clair's own rules and nothing is lost by this mirror.
    /// </summary>
    private static HeldBackFinding[] Unknown(IEnumerable<string> codenames, IEnumerable<string> captured) =>
    [
        .. codenames.Where(DebianDists.IsCodename).Except(captured, StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(codename =>
            new HeldBackFinding(
                codename, $"The security tracker has advisories for {codename}, but the mirror had no Release file for it: Clair drops them.")),
    ];

    private static FeedException Unpublishable(string reason) => new(
        ErrorIds.PublicationFailed, $"Debian cannot be published: {reason}.", s_definition.Name,
        "Import a bundle whose capture of debian is complete; what is served now stays.");
}

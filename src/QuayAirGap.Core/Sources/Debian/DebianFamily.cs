using System.Text.RegularExpressions;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Sources.Debian;

/// <summary>
/// Debian's security tracker, and the releases that tell Clair which of the tracker's codenames to take (claircore debian/updater.go).
/// </summary>
public sealed partial class DebianFamily : IFeedFamily
{
    private const long LargestListing = 4 << 20;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "debian",
        Kind = SourceKind.UpdaterSet,
        Covers = "Debian releases that the security tracker follows",
        Uri = new Uri("https://security-tracker.debian.org/tracker/data/json"),
        MirrorUri = new Uri("https://ftp.debian.org/"),
        UpdaterNames = [new UpdaterNaming("all", "debian/updater")],
        Distributions = ["debian"],
    };

    private static readonly Uri s_dists = new(s_definition.MirrorUri!, "debian/dists/");

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        Task<SnapshotFile> json = session.GetAsync(s_definition.Uri, cancellationToken);
        Task<IReadOnlyList<string>> listed = ListAsync(session, cancellationToken);
        await Task.WhenAll(json, listed).ConfigureAwait(false);

        SnapshotFile trackerFile = await json.ConfigureAwait(false);
        Inspection tracker = await session.Inspections.OfAsync(trackerFile.Sha256, "debian tracker", async () =>
        {
            session.Report("Checking", trackerFile.Url);
            DebianTracker read = await ReadTrackerAsync(session.OpenRead(trackerFile), trackerFile.Url, cancellationToken).ConfigureAwait(false);
            return Inspection.Of(read.Census, [.. read.Codenames]);
        }).ConfigureAwait(false);
        var census = new AdvisoryCensus();
        census.Add(tracker);
        HashSet<string> codenames = [.. tracker.Facts];

        // A codename that the tracker knows and the listing lacks may still be there: asking costs one request, not asking a release.
        Release?[] found = await Task.WhenAll(
            (await listed.ConfigureAwait(false)).Union(codenames.Where(DebianDists.IsCodename), StringComparer.Ordinal)
            .Select(codename => TakeReleaseAsync(session, codename, cancellationToken))).ConfigureAwait(false);

        List<Release> releases = [.. found.OfType<Release>()];
        ThrowUnlessUseful(codenames, releases);
        return new CollectedContent
        {
            Files = [trackerFile, .. releases.Select(r => r.File)],
            Updaters = ["debian/updater"],
            AdvisoryCount = census.Count,
            Census = census,
            Releases = [.. releases.Where(r => r.IsReleased && codenames.Contains(r.Codename)).Select(r => r.Codename)],
            Findings = ContentFindings.Make(trackerFile.Sha256, CodenameRules, Unknown(codenames, releases.Select(r => r.Codename))) is { } f ? [f] : [],
            UpstreamModified = trackerFile.LastModified,
        };
    }

    private static async Task<IReadOnlyList<string>> ListAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        SnapshotFile file = await session.GetAsync(s_dists, cancellationToken).ConfigureAwait(false);
        if (file.Size > LargestListing)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_dists}' is no listing of releases: it has {file.Size} bytes.", s_dists.AbsoluteUri,
                "Nothing of this source was taken. Look what answers at this address.");
        }

        await using Stream html = session.OpenRead(file);
        return await DebianDists.ParseAsync(html, file.Url, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Release?> TakeReleaseAsync(ICollectSession session, string codename, CancellationToken cancellationToken)
    {
        SnapshotFile? file = await session.TryGetAsync(ReleaseUri(codename), cancellationToken).ConfigureAwait(false);
        if (file is null)
        {
            return null;
        }

        await using Stream content = session.OpenRead(file);
        int? major = await DebianRelease.ReadMajorAsync(content, file.Url, cancellationToken).ConfigureAwait(false);
        return new Release(file, codename, major is not null);
    }

    private static async Task<DebianTracker> ReadTrackerAsync(Stream content, string url, CancellationToken cancellationToken)
    {
        await using (content)
        {
            return await DebianTracker.ReadAsync(content, url, cancellationToken).ConfigureAwait(false);
        }
    }

    private static Uri ReleaseUri(string codename) => new(s_dists, codename + "/Release");

    /// <summary>The codename of a Release file's URL, or null for any other file.</summary>
    private static string? CodenameOf(SnapshotFile file) => ReleaseUrl().Match(file.Url) is { Success: true } m ? m.Groups[1].Value : null;

    private static void ThrowUnlessUseful(HashSet<string> codenames, List<Release> releases)
    {
        if (!releases.Any(r => r.IsReleased))
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_dists}' lists no release with a version: Clair would drop every advisory of Debian.",
                s_dists.AbsoluteUri, "Nothing of this source was taken. Look whether the mirror is complete (Get-ClairFeedSource shows its address).");
        }

        if (!releases.Any(r => r.IsReleased && codenames.Contains(r.Codename)))
        {
            throw new FeedException(
                ErrorIds.UpstreamContent,
                $"None of the releases that '{s_dists}' lists ({string.Join(", ", releases.Select(r => r.Codename))}) has an advisory in '{s_definition.Uri}'.",
                s_definition.Uri.AbsoluteUri, "Nothing of this source was taken. Look whether both addresses are Debian's or complete mirrors of it.");
        }
    }

    [GeneratedRegex("/dists/([^/]+)/Release$", RegexOptions.CultureInvariant)]
    private static partial Regex ReleaseUrl();

    private sealed record Release(SnapshotFile File, string Codename, bool IsReleased);
}

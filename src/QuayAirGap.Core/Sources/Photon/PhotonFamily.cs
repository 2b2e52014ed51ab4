using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Oval;

namespace QuayAirGap.Core.Sources.Photon;

/// <summary>
/// Photon OS: one OVAL document for each major release. Clair asks for fixed ones and looks at no listing (claircore photon/updaterset.go):
/// 1 to 3 up to Clair 4.9.0, 1 to 5 after it.
/// </summary>
public sealed partial class PhotonFamily : IFeedFamily
{
    /// <summary>The newest release that any Clair asks for.</summary>
    private const int LastAsked = 5;

    /// <summary>The newest that Clair up to 4.9.0 asks for; it calls the updaters otherwise.</summary>
    private const int LastAskedBefore = 3;

    /// <summary>A server that answers 200 to every name would never end the search.</summary>
    private const int MostReleases = 50;

    private static readonly SourceDefinition s_definition = new()
    {
        Name = "photon",
        Kind = SourceKind.UpdaterSet,
        Covers = "VMware Photon OS",
        Uri = new Uri("https://packages.vmware.com/photon/photon_oval_definitions/"),
        UpdaterNames =
        [
            new UpdaterNaming("up to 4.9.0", "photon-updater-photon<release>"),
            new UpdaterNaming("after 4.9.0", "photon-updater-<release>.0"),
        ],
        Distributions = ["photon"],
        Cadence = TimeSpan.FromDays(7),
    };

    private readonly OvalLimits _limits;

    public PhotonFamily()
        : this(OvalLimits.Default)
    {
    }

    internal PhotonFamily(OvalLimits limits) => _limits = limits;

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_definition];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        using var inspector = new OvalInspector(session, _limits);
        (IReadOnlySet<int> listed, string? note) = await ListAsync(session, cancellationToken).ConfigureAwait(false);
        Document?[] known = await Task.WhenAll(
            Enumerable.Range(1, LastAsked).Union(listed).Select(release => TakeAsync(session, inspector, release, cancellationToken))).ConfigureAwait(false);

        List<Document> documents = [.. known.OfType<Document>()];
        for (int next = Math.Max(LastAsked, listed.DefaultIfEmpty().Max()) + 1;
            await TakeAsync(session, inspector, next, cancellationToken).ConfigureAwait(false) is { } newer; next++)
        {
            documents.Add(newer);
            if (next >= MostReleases)
            {
                throw new FeedException(
                    ErrorIds.UpstreamContent, $"'{s_definition.Uri}' answers 200 to any name: there cannot be {MostReleases} releases of Photon.",
                    s_definition.Uri.AbsoluteUri, "The server must answer 404 for what it does not have.");
            }
        }

        ThrowIfEmpty(documents, listed, inspector);
        return new CollectedContent
        {
            Files = [.. documents.Select(d => d.File)],
            Updaters = [.. documents.SelectMany(d => UpdatersOf(d.Release))],
            Releases = [.. documents.Select(d => NameOf(d.Release))],
            AdvisoryCount = inspector.Census.Count,
            Census = inspector.Census,
            Note = note,
            UpstreamModified = documents.Max(d => d.File.LastModified),
        };
    }

    public Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        var releases = new HashSet<int>();
        foreach (SnapshotFile file in publication.Source.Files)
        {
            releases.Add(ReleaseOf(file) ?? throw OvalErrors.Unpublishable(s_definition, $"the capture has '{file.Url}', which is no document of a release"));

            // Clair guesses the packing from the type where its configuration does not name one (claircore pkg/ovalutil/fetcher.go).
            publication.AddVerbatim(file, "application/xml");
        }

        foreach (int release in Enumerable.Range(1, LastAsked).Where(r => !releases.Contains(r)))
        {
            publication.HoldBack(
                string.Join(", ", UpdatersOf(release)),
                $"The upstream has no document for Photon {release}: this updater fails in Clair, and images of Photon {release} come out clean.");
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// The releases that the directory lists; what it lists must be there. Clair does without the listing and many servers forbid theirs, so
    /// that one that cannot be read costs nothing; but a release beyond the next number would then be missed, which is said.
    /// </summary>
    private static async Task<(IReadOnlySet<int> Listed, string? Note)> ListAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        static string Note(string what) =>
            $"The listing '{s_definition.Uri}' {what}: releases were looked for by number alone, and one that does not follow the others would be missed";

        SnapshotFile? file;
        try
        {
            file = await session.TryGetAsync(s_definition.Uri, cancellationToken).ConfigureAwait(false);
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.UpstreamStatus)
        {
            return (new HashSet<int>(), Note("is refused"));
        }

        if (file is null)
        {
            return (new HashSet<int>(), Note("is not there"));
        }

        var listed = (await ListingNames.ReadAsync(session, file, cancellationToken).ConfigureAwait(false))
            .Select(ReleaseOfName).OfType<int>().Where(r => r < MostReleases).ToHashSet();
        return (listed, listed.Count == 0 ? Note("names no release") : null);
    }

    private static async Task<Document?> TakeAsync(ICollectSession session, OvalInspector inspector, int release, CancellationToken cancellationToken)
    {
        SnapshotFile? file = await session.TryGetAsync(UriOf(release), cancellationToken).ConfigureAwait(false);
        if (file is null)
        {
            return null;
        }

        // One release without an advisory is legal: an old one has been seen so.
        await inspector.ReadAsync(file, OvalPacking.None, cancellationToken).ConfigureAwait(false);
        return new Document(release, file);
    }

    private static void ThrowIfEmpty(List<Document> documents, IReadOnlySet<int> listed, OvalInspector inspector)
    {
        if (listed.Except(documents.Select(d => d.Release)).ToList() is { Count: > 0 } unreachable)
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete,
                $"'{s_definition.Uri}' lists documents that it does not have: {string.Join(", ", unreachable.Order().Select(r => UriOf(r).Segments[^1]))}.",
                UriOf(unreachable[0]).AbsoluteUri, "Nothing of this source was taken. Run Save-ClairFeed again later.");
        }

        if (documents.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamIncomplete, $"'{s_definition.Uri}' has no document of any release of Photon.", s_definition.Uri.AbsoluteUri,
                "Nothing of this source was taken. The upstream may have moved: set its new address with Set-ClairFeedSource.");
        }

        if (inspector.Census.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{s_definition.Uri}' has documents, but not one advisory in all of them.", s_definition.Uri.AbsoluteUri,
                "Nothing of this source was taken. Look whether the upstream or the cache in between is complete.");
        }
    }

    private static Uri UriOf(int release) => new(s_definition.Uri, FormattableString.Invariant($"com.vmware.phsa-photon{release}.xml"));

    private static string NameOf(int release) => FormattableString.Invariant($"{release}.0");

    private static IEnumerable<string> UpdatersOf(int release) =>
        release <= LastAskedBefore
            ? [$"photon-updater-{NameOf(release)}", FormattableString.Invariant($"photon-updater-photon{release}")]
            : [$"photon-updater-{NameOf(release)}"];

    private static int? ReleaseOf(SnapshotFile file) =>
        file.Url.StartsWith(s_definition.Uri.AbsoluteUri, StringComparison.Ordinal) ? ReleaseOfName(file.Url[s_definition.Uri.AbsoluteUri.Length..]) : null;

    private static int? ReleaseOfName(string name) =>
        FileName().Match(name) is { Success: true } m ? int.Parse(m.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex("^com\\.vmware\\.phsa-photon([1-9][0-9]{0,2})\\.xml$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();

    private sealed record Document(int Release, SnapshotFile File);
}

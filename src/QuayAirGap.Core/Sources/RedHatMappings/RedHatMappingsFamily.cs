using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Json;

namespace QuayAirGap.Core.Sources.RedHatMappings;

/// <summary>
/// The two mappings of Clair's indexer (claircore rhel/repositoryscanner.go, rhel/rhcc/scanner.go). Without the first one, every image
/// fails to index, whatever it is built on.
/// </summary>
public sealed class RedHatMappingsFamily : IFeedFamily
{
    private static readonly SourceDefinition s_repositories = Definition(
        "repository-to-cpe", "Red Hat repository ids to CPEs; without it no image can be indexed");

    private static readonly SourceDefinition s_containers = Definition(
        "container-name-repos-map", "Red Hat container names to repositories");

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_repositories, s_containers];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        SnapshotFile file = await session.GetAsync(session.Source.Uri, cancellationToken).ConfigureAwait(false);
        var rows = new AdvisoryCensus();
        JsonShape texts = JsonShape.ListOf(JsonShape.Text);
        JsonShape row = session.Source.Name == s_repositories.Name ? JsonShape.Record("cpes", ("cpes", texts)) : texts;
        JsonShape document = JsonShape.Record("data", ("data", JsonShape.MapOf(row, onKey: key => rows.Add(key))));
        await using (Stream content = session.OpenRead(file))
        {
            await JsonShapeReader.ReadAsync(content, document, file.Url, cancellationToken).ConfigureAwait(false);
        }

        if (rows.Count == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"'{file.Url}' maps nothing: its \"data\" is empty.", file.Url,
                "Nothing of this source was taken. Look what answers at this address.");
        }

        return new CollectedContent { Files = [file], AdvisoryCount = rows.Count, Census = rows, UpstreamModified = file.LastModified };
    }

    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        string url = publication.Definition.Uri.AbsoluteUri;
        if (publication.Source.Files is not [{ } file] || file.Url != url)
        {
            throw new FeedException(
                ErrorIds.PublicationFailed, $"The capture of {publication.Definition.Name} is not the one file '{url}'.", publication.Definition.Name,
                "Import a bundle whose capture of it is complete; what is served now stays.");
        }

        await DistinctLastModified.AddAsync(publication, file, "application/json", cancellationToken).ConfigureAwait(false);
    }

    private static SourceDefinition Definition(string name, string covers) => new()
    {
        Name = name,
        Kind = SourceKind.IndexerMapping,
        Covers = covers,
        Distributions = ["rhel"],
        Uri = new Uri($"https://security.access.redhat.com/data/metrics/{name}.json"),
    };
}

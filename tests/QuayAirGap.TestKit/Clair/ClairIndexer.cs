using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// Acts as a Clair indexer fetching the two Red Hat mapping files (claircore:rhel/repositoryscanner.go, rhel/rhcc/scanner.go). Unlike
/// the updaters' client, the indexer's asks for gzip.
/// </summary>
public sealed class ClairIndexer : IDisposable
{
    private readonly ClairHttp _http;

    /// <summary>An indexer that has just started.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="time">The clock of Clair's host; the system's by default.</param>
    public ClairIndexer(ClairConfig config, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        _http = new ClairHttp(config, compression: true);
        RepositoryToCpe = new ClairMapping(_http, clock, "repository-to-cpe", config.RepositoryToCpeUrl, repository =>
            GoJson.Member(repository, "cpes") is { } cpes ? GoJson.Texts(cpes) : []);
        ContainerNameReposMap = new ClairMapping(_http, clock, "container-name-repos-map", config.ContainerNameReposMapUrl, GoJson.Texts);
    }

    /// <summary>CPEs by repository id.</summary>
    public ClairMapping RepositoryToCpe { get; }

    /// <summary>Repositories by image name.</summary>
    public ClairMapping ContainerNameReposMap { get; }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}

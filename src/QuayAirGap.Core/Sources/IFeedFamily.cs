using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Core.Sources;

/// <summary>
/// One family of feeds: how its upstream is collected, and how verified bytes become what Clair can safely read. One folder under
/// Sources holds everything about a family.
/// </summary>
public interface IFeedFamily
{
    /// <summary>The sources that this family collects and publishes.</summary>
    IReadOnlyList<SourceDefinition> Sources { get; }

    /// <summary>
    /// Takes one complete, consistent state of the source from upstream, with the upstream's own discovery. Throws where the state is
    /// incomplete: a source is captured whole or has failed.
    /// </summary>
    Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken);

    /// <summary>
    /// Lays the source out for Clair: verbatim files, and what has to be derived from them. Deterministic in the content, the previous
    /// publication and the time of publication.
    /// </summary>
    Task PublishAsync(IPublication publication, CancellationToken cancellationToken);
}

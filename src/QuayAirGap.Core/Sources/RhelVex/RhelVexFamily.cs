using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// Red Hat's VEX documents (Clair's updater set rhel-vex): an archive of the whole tree, the documents one by one, and lists of what
/// changed and what was withdrawn. The archive is packed anew by the collector (<see cref="VexPacker"/>), all else is collected verbatim;
/// published with what travelled singly in its place, and re-dated, because Clair skips changes that reach a mirror
/// late (claircore rhel/vex/fetcher.go). Documents of years before 2015, which Clair does not read, are neither fetched nor published.
/// </summary>
public sealed class RhelVexFamily : IFeedFamily
{
    public IReadOnlyList<SourceDefinition> Sources { get; } =
    [
        new()
        {
            Name = "rhel-vex",
            Kind = SourceKind.UpdaterSet,
            Covers = "Red Hat Enterprise Linux, its layered products, and Red Hat container images",
            Uri = new Uri("https://security.access.redhat.com/data/csaf/v2/vex/"),
            UpdaterNames = [new UpdaterNaming("all", "rhel-vex")],
            Distributions = ["rhel"],
        },
    ];

    public Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken) =>
        new VexCollector(session).CollectAsync(cancellationToken);

    public Task PublishAsync(IPublication publication, CancellationToken cancellationToken) =>
        VexPublisher.PublishAsync(publication, cancellationToken);
}

using QuayAirGap.TestKit.Clair;
using Xunit;
using static QuayAirGap.EndToEnd.Tests.ConformanceRig;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>What the indexer reads, and no updater.</summary>
public sealed class MappingConformanceTests
{
    [Fact]
    public async Task The_indexer_gets_both_mappings_and_their_changes()
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using var indexer = new ClairIndexer(ClairConfig.ByPath(await sites.MirrorAsync()), sites.Clock);
        using var reference = new ClairIndexer(ClairConfig.AsUpstream(sites.Upstream.Root), sites.Clock);
        foreach ((ClairMapping ours, ClairMapping theirs) in new[]
        {
            (indexer.RepositoryToCpe, reference.RepositoryToCpe), (indexer.ContainerNameReposMap, reference.ContainerNameReposMap),
        })
        {
            Assert.Equal(ClairOutcome.Updated, (await ours.PollAsync()).Outcome);
            await theirs.PollAsync();
            Assert.NotEmpty(ours.Held!);
            Assert.Equal(theirs.Held!.Keys.Order(StringComparer.Ordinal), ours.Held!.Keys.Order(StringComparer.Ordinal));
        }
    }
}

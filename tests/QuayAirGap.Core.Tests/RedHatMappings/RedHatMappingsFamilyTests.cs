using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using Xunit;

namespace QuayAirGap.Core.Tests.RedHatMappings;

public sealed class RedHatMappingsFamilyTests
{
    private const string Cpes = "{\"last_updated\":\"x\",\"data\":{\"a-rpms\":{\"cpes\":[\"cpe:/o:redhat:enterprise_linux:9::baseos\"],\"more\":[{}]},\"b\":{\"cpes\":[]}}}";
    private const string Names = "{\"data\":{\"rhel8/toolbox\":[\"rhel8/toolbox\",\"ubi8/toolbox\"]}}";

    [Theory]
    [InlineData("repository-to-cpe", Cpes, 2)]
    [InlineData("container-name-repos-map", Names, 1)]
    public async Task A_mapping_is_counted_and_published_verbatim(string name, string content, int rows)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync(name);
        var modified = new DateTimeOffset(2026, 2, 1, 3, 0, 0, TimeSpan.Zero);
        rig.Put(Path(name), content, modified);

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(rows, source.AdvisoryCount);
        Assert.Equal(modified, source.UpstreamModified);
        GenerationEntry entry = Assert.Single(generation.Entries);
        Assert.Equal("/" + Path(name), entry.Path);
        Assert.Equal(modified, entry.LastModified);
        Assert.Null(entry.Derivation);
        rig.AssertFaithful(generation);
    }

    [Theory]
    [InlineData("repository-to-cpe", Names)]
    [InlineData("repository-to-cpe", "{\"data\":{\"a\":{\"cpe\":[]}}}")]
    [InlineData("repository-to-cpe", "{\"data\":{\"a\":null}}")]
    [InlineData("container-name-repos-map", Cpes)]
    [InlineData("container-name-repos-map", "{\"data\":{}}")]
    [InlineData("container-name-repos-map", "{\"data\":null}")]
    [InlineData("container-name-repos-map", "{}")]
    [InlineData("container-name-repos-map", "<html>sign in</html>")]
    [InlineData("container-name-repos-map", "{\"data\":{\"a\":[\"b\"]}")]
    public async Task A_mapping_of_another_shape_or_without_a_row_fails(string name, string content)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync(name);
        rig.Put(Path(name), content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, $"https://{Path(name)}");
    }

    [Theory]
    [InlineData("repository-to-cpe")]
    [InlineData("container-name-repos-map")]
    public async Task The_real_mapping_is_collected_and_published(string name)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync(name, FamilyRig.RealFeeds("day0"));

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.True(source.AdvisoryCount > 1000, $"{source.AdvisoryCount} rows");
        rig.AssertFaithful(generation);
    }

    private static string Path(string name) => $"security.access.redhat.com/data/metrics/{name}.json";
}

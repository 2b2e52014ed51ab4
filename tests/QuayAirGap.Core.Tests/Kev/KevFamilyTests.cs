using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Samples;
using Xunit;

namespace QuayAirGap.Core.Tests.Kev;

public sealed class KevFamilyTests
{
    private const string Feed = "www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";

    [Fact]
    public async Task The_catalogue_is_counted_and_published_as_it_is()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.kev", SampleUpstream.Complete(2));

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(2, source.AdvisoryCount);
        Assert.Equal(["clair.kev"], source.Updaters);
        Assert.Equal("/" + Feed, Assert.Single(generation.Entries).Path);
        rig.AssertFaithful(generation);
        Assert.Equal(new DateTimeOffset(2026, 1, 12, 0, 0, 0, TimeSpan.Zero), (await rig.CollectContentAsync()).Census!.Newest);
    }

    [Theory]
    [InlineData("<html>Sign in</html>")]
    [InlineData("")]
    [InlineData("{\"count\":0,\"vulnerabilities\":[]}")]
    [InlineData("{\"vulnerabilities\":[null]}")]
    [InlineData("{\"vulnerabilities\":[{\"product\":\"x\"}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cveID\":\"CVE-1\",\"notes\":1}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cveID\":\"CVE-1\",\"cwes\":[1]}]}")]
    [InlineData("{\"catalogVersion\":1,\"vulnerabilities\":[{\"cveID\":\"CVE-1\"}]}")]
    [InlineData("{\"count\":\"1\",\"vulnerabilities\":[{\"cveID\":\"CVE-1\"}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cveID\":\"CVE-1\"}]")]
    [InlineData("{\"vulnerabilities\":[{\"cveID\":\"CVE-1\"}],\"vulnerabilities\":[]}")]
    public async Task A_document_that_Clair_could_not_decode_or_that_is_empty_fails(string content)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.kev");
        rig.Put(Feed, content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Feed);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public async Task A_catalogue_that_has_not_as_many_as_it_says_fails(int count)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.kev");
        rig.Put(Feed, $"{{\"count\":{count},\"vulnerabilities\":[{{\"cveID\":\"CVE-1\"}}]}}");

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "https://" + Feed);
    }

    [Fact]
    public async Task The_real_catalogue_is_collected()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.kev", FamilyRig.RealFeeds("day1"));

        Assert.True((await rig.CollectAsync()).AdvisoryCount > 1000);
    }
}

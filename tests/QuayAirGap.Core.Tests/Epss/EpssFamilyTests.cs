using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Epss;

public sealed class EpssFamilyTests
{
    private const string Today = "epss.cyentia.com/epss_scores-2026-03-01.csv.gz";
    private const string Yesterday = "epss.cyentia.com/epss_scores-2026-02-28.csv.gz";
    private const string Model = "#model_version:v2099.01.01,score_date:2026-03-01T12:55:00Z\n";

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    public async Task Until_todays_file_is_there_yesterdays_is_taken(int status)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.epss");
        Put(rig, new DateOnly(2026, 2, 28), "CVE-2099-1,0.5,0.9", "CVE-2099-2,0.00001,0");
        using (rig.Upstream.AddFault(Today, UpstreamFault.Status(status)))
        {
            SourceSnapshot first = await rig.CollectAsync();
            Assert.Equal("https://" + Yesterday, Assert.Single(first.Files).Url);
            Assert.Equal(2, first.AdvisoryCount);
            Assert.Equal(new DateTimeOffset(2026, 2, 28, 12, 55, 0, TimeSpan.Zero), first.UpstreamModified);
        }

        Put(rig, new DateOnly(2026, 3, 1), "CVE-2099-1,0.6,0.9");
        Assert.Equal("https://" + Today, Assert.Single((await rig.CollectAsync()).Files).Url);
    }

    [Fact]
    public async Task It_is_published_without_an_ETag_under_every_name_that_is_asked_for_in_the_coming_week()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.epss");
        Put(rig, new DateOnly(2026, 2, 28), "CVE-2099-1,0.5,0.9");
        SourceSnapshot source = await rig.CollectAsync();
        rig.Clock.SetUtcNow(new DateTimeOffset(2026, 3, 3, 1, 0, 0, TimeSpan.Zero));

        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(
            ["2026-02-28", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08", "current"],
            generation.Entries.Select(e => e.Path["/epss.cyentia.com/epss_scores-".Length..^".csv.gz".Length]).Order(StringComparer.Ordinal));
        Assert.All(generation.Entries, e =>
        {
            Assert.False(e.Validators);
            Assert.Equal(source.Files[0].Sha256, e.Sha256);
            Assert.Equal(["https://" + Yesterday], e.Derivation!.Inputs);
        });
    }

    [Fact]
    public async Task A_day_without_either_file_fails()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.epss");
        Put(rig, new DateOnly(2026, 2, 27), "CVE-2099-1,0.5,0.9");

        await rig.FailsAsync(ErrorIds.UpstreamStatus, Yesterday);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>Sign in</html>")]
    [InlineData("cve,epss,percentile\nCVE-1,0.5,0.5\n")]
    [InlineData("#model_version:v1,score_date:soon\ncve,epss,percentile\nCVE-1,0.5,0.5\n")]
    [InlineData(Model)]
    [InlineData(Model + "cve,epss,percentile\n")]
    [InlineData(Model + "cve,epss\nCVE-1,0.5\n")]
    [InlineData(Model + "cve,epss,percentile\nCVE-1,0.5\n")]
    [InlineData(Model + "cve,epss,percentile\nCVE-1,0.5,much\n")]
    [InlineData(Model + "cve,epss,percentile\nCVE-1,1.5,0.5\n")]
    [InlineData("#model_version:v1,score_date:2026-02-20T00:00:00Z\ncve,epss,percentile\nCVE-1,0.5,0.5\n")]
    public async Task Scores_that_are_none_or_of_another_day_fail(string content)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.epss");
        rig.Upstream.Replace(Today, GzipFeeds.Pack(Encoding.UTF8.GetBytes(content)));

        await rig.FailsAsync(ErrorIds.UpstreamContent, Today);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(30)]
    public async Task A_file_that_breaks_off_fails(int missing)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.epss");
        rig.Upstream.Replace(Today, GzipFeeds.Epss(new DateOnly(2026, 3, 1), "CVE-2099-1,0.5,0.9").Content[..^missing]);

        await rig.FailsAsync(ErrorIds.UpstreamContent, Today);
    }

    [Fact]
    public async Task A_line_without_an_end_is_not_read_into_memory()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.epss");
        rig.Upstream.Replace(Today, GzipFeeds.Pack(Encoding.ASCII.GetBytes(Model + new string('a', 5_000_000))));

        await rig.FailsAsync(ErrorIds.UpstreamContent, "1000 characters");
    }

    private static void Put(FamilyRig rig, DateOnly day, params string[] rows)
    {
        (string hostPath, byte[] content) = GzipFeeds.Epss(day, rows);
        rig.Upstream.Replace(hostPath, content);
    }
}

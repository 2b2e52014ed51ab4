using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Oval;

public sealed class OracleFamilyTests
{
    private const string Oval = "linux.oracle.com/security/oval/";

    [Fact]
    public async Task Every_year_is_taken_and_next_years_where_it_is_there()
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2027);

        CollectedContent content = await rig.CollectContentAsync();

        Assert.Equal(Enumerable.Range(2007, 21).Select(y => $"{y}"), content.Releases);
        Assert.Equal("oracle-2027-updater", content.Updaters[^1]);
        Assert.Equal(2, content.AdvisoryCount);
        Assert.Equal(["oval:x:def:2024", "oval:x:def:2025"], content.Census!.Sample.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(rig.Upstream.Requests, r => r.Path.Contains("2028", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_document_is_published_as_it_is_and_a_year_that_is_not_there_is_404_and_said()
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2026);
        SourceSnapshot source = await rig.CollectAsync();

        Generation before = await rig.PublishAsync(source);
        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 1, 0, 0, 1, TimeSpan.Zero));
        Generation after = await rig.PublishAsync(source);

        Assert.Equal(20, before.Entries.Count);
        Assert.All(before.Entries, e => Assert.Equal(("application/x-bzip2", null), (e.ContentType, e.Derivation)));
        rig.AssertFaithful(before);
        Assert.Empty(before.HeldBack);
        Assert.Equal(before.Entries, after.Entries);
        Assert.Equal("oracle-2027-updater", Assert.Single(after.HeldBack).Item);
    }

    [Theory]
    [InlineData(2007)]
    [InlineData(2015)]
    [InlineData(2026)]
    public async Task A_missing_year_fails_the_source(int year)
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2026);
        rig.Upstream.Remove(Name(year));

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, $"{year}");
    }

    [Fact]
    public async Task The_new_year_may_be_missing_in_January_which_is_said_and_at_no_other_time()
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2026);
        List<FeedProgress> said = [];
        rig.WhileCollecting = said.Add;
        rig.Clock.SetUtcNow(new DateTimeOffset(2026, 12, 31, 23, 59, 0, TimeSpan.Zero));
        await rig.CollectAsync();
        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 1, 0, 1, 0, TimeSpan.Zero));

        SourceSnapshot january = await rig.CollectAsync();

        Assert.Equal("oracle-2026-updater", january.Updaters[^1]);
        Assert.Contains(said, p => p.Item?.Contains("2027", StringComparison.Ordinal) == true && p.Activity.Contains("this year", StringComparison.Ordinal));
        Assert.Equal("oracle-2027-updater", Assert.Single((await rig.PublishAsync(january)).HeldBack).Item);

        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 2, 1, 0, 0, 0, TimeSpan.Zero));
        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "2027");
    }

    [Fact]
    public async Task A_year_that_was_there_in_January_may_not_go_again()
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2027);
        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 5, 0, 0, 0, TimeSpan.Zero));
        await rig.CollectAsync();
        rig.Upstream.Remove(Name(2027));

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "2027");
    }

    [Fact]
    public async Task Years_of_which_not_one_has_an_advisory_fail_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2026);
        rig.Upstream.Replace(Name(2024), OvalText.Bz2(OvalText.Empty));
        rig.Upstream.Replace(Name(2025), OvalText.Bz2(OvalText.Empty));

        await rig.FailsAsync(ErrorIds.UpstreamContent, "not one advisory");
    }

    public static TheoryData<byte[]> Broken =>
    [
        "<html><body>Sign in</body></html>"u8.ToArray(), Array.Empty<byte>(), OvalText.Bz2("<html/>"), OvalText.Bytes(OvalText.With("1")), OvalText.Bz2(OvalText.With("1"))[..^9],
    ];

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task One_broken_year_fails_the_source_by_name(byte[] content)
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2026);
        rig.Upstream.Replace(Name(2013), content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Name(2013));
    }

    [Fact]
    public async Task A_second_capture_of_the_same_state_transfers_nothing()
    {
        await using FamilyRig rig = await UpstreamAsync(2007, 2026);
        SourceSnapshot first = await rig.CollectAsync();
        rig.Upstream.ClearRequests();

        SourceSnapshot second = await rig.CollectAsync();

        Assert.Equal(first.Files.Select(f => f with { Status = null }), second.Files.Select(f => f with { Status = null }));
        Assert.Equal(first.AdvisoryCount, second.AdvisoryCount);
        Assert.All(rig.Upstream.Requests, r => Assert.Equal(r.Path.Contains("2027", StringComparison.Ordinal) ? 404 : 304, r.Status));
    }

    private static string Name(int year) => $"{Oval}com.oracle.elsa-{year}.xml.bz2";

    private static async Task<FamilyRig> UpstreamAsync(int first, int last)
    {
        FamilyRig rig = await FamilyRig.StartAsync("oracle");
        for (int year = first; year <= last; year++)
        {
            rig.Upstream.Replace(Name(year), OvalText.Bz2(year is 2024 or 2025 ? OvalText.With($"{year}") : OvalText.Empty));
        }

        return rig;
    }
}

using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using Xunit;

namespace QuayAirGap.Core.Tests.Collecting;

/// <summary>What of a changed feed is a loss, and what is a feed's ordinary life.</summary>
public sealed class RegressionGuardTests
{
    private static readonly DateTimeOffset s_day = new(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(51_903, 46_210, "46,210 advisories instead of 51,903")]
    [InlineData(51_903, 46_713, null)]
    [InlineData(1_000, 899, "899 advisories instead of 1,000")]
    [InlineData(1_000, 900, null)]
    [InlineData(1_000, 5_000, null)]
    [InlineData(3, 0, "0 advisories instead of 3")]
    public void A_source_that_shrinks_by_more_than_a_tenth_or_to_nothing_is_held_back(long before, long now, string? found)
    {
        Assert.Equal(found, Find(Capture(before, []), Capture(now, [])));
    }

    [Fact]
    public void How_much_is_too_much_can_be_set()
    {
        Assert.Null(Find(Capture(100, []), Capture(60, []), maxShrink: 40));
        Assert.NotNull(Find(Capture(100, []), Capture(99, []), maxShrink: 0));
        Assert.NotNull(Find(Capture(100, []), Capture(0, []), maxShrink: 100));
    }

    [Fact]
    public void An_updater_or_a_release_that_is_gone_is_named()
    {
        SourceSnapshot before = Capture(9, ["go", "maven", "pypi"]);

        Assert.Equal("the updater osv/maven is gone; the ecosystem maven is gone", Find(before, Capture(9, ["go", "pypi"])));
        Assert.Equal(
            "2 updaters are gone (osv/go, osv/maven); 2 ecosystems are gone (go, maven)", Find(before, Capture(9, ["pypi"])));
        Assert.Null(Find(before, Capture(9, ["go", "maven", "npm", "pypi"])));
    }

    [Fact]
    public void What_the_user_deselects_is_no_loss_and_what_else_goes_with_it_is()
    {
        SourceSnapshot before = Capture(100, ["go", "maven", "pypi"]);

        Assert.Null(Find(before, Capture(10, ["go", "pypi"]), exclude: "maven"));
        Assert.Equal("the ecosystem pypi is gone", Find(before, Capture(10, ["go"]), exclude: "maven"));
    }

    [Fact]
    public void Advisories_that_were_exchanged_are_seen_behind_an_unchanged_total()
    {
        string[] ids = [.. Enumerable.Range(0, 20_000).Select(i => $"CVE-2026-{i}")];
        SourceSnapshot before = Capture(ids);

        Assert.Null(Find(before, Capture([.. ids.Skip(100), .. Enumerable.Range(0, 100).Select(i => $"NEW-{i}")])));
        string? found = Find(before, Capture([.. ids.Skip(5_000), .. Enumerable.Range(0, 5_000).Select(i => $"NEW-{i}")]));
        Assert.Contains("sampled advisories are gone (CVE-2026-", found);
    }

    [Fact]
    public void Years_of_growth_and_a_few_withdrawals_are_no_loss()
    {
        string[] ids = [.. Enumerable.Range(0, 30_000).Select(i => $"CVE-2026-{i}")];

        Assert.Null(Find(Capture(ids[..2_000]), Capture(ids)));
        for (int first = 0; first < 10_000; first += 1_000)
        {
            // Any two hundred of thirty thousand.
            Assert.Null(Find(Capture(ids), Capture([.. ids[..first], .. ids[(first + 200)..]])));
        }
    }

    [Fact]
    public void An_old_copy_of_the_feed_is_told_from_a_withdrawal_by_its_newest_advisory()
    {
        SourceSnapshot At(DateTimeOffset newest) => Capture(9, []) with { NewestAdvisory = newest, CapturedAt = s_day };

        Assert.Equal("its newest advisory is of 2026-10-01, and was of 2026-11-20", Find(At(s_day), At(new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero))));
        Assert.Null(Find(At(s_day), At(s_day.AddDays(-2))));

        // 2999 was a mistake upstream, and this its correction.
        Assert.Null(Find(At(new(2999, 1, 1, 0, 0, 0, TimeSpan.Zero)), At(s_day)));
    }

    private static string? Find(SourceSnapshot before, SourceSnapshot now, int maxShrink = 10, string? exclude = null) =>
        RegressionGuard.Find(
            before, now with { Deselected = exclude is null ? [] : [exclude] }, new SourceSettings { Definition = SourceCatalog.Get("osv"), MaxShrink = maxShrink });

    private static SourceSnapshot Capture(long count, string[] ecosystems) => new()
    {
        Name = "osv",
        State = CaptureState.Captured,
        CapturedAt = s_day,
        AdvisoryCount = count,
        Updaters = [.. ecosystems.Select(e => "osv/" + e)],
        Releases = ecosystems,
    };

    private static SourceSnapshot Capture(string[] ids)
    {
        var census = new AdvisoryCensus();
        foreach (string id in ids)
        {
            census.Add(id);
        }

        return Capture(census.Count, []) with { Sample = census.Sample };
    }
}

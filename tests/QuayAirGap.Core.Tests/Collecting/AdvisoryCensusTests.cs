using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sources;
using Xunit;

namespace QuayAirGap.Core.Tests.Collecting;

public sealed class AdvisoryCensusTests
{
    [Fact]
    public void It_counts_and_keeps_the_newest_date()
    {
        var census = new AdvisoryCensus();
        census.Add("CVE-1", new DateTimeOffset(2026, 1, 2, 1, 0, 0, TimeSpan.FromHours(2)));
        census.Add("CVE-2");
        census.Add("CVE-3", new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(3, census.Count);
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 23, 0, 0, TimeSpan.Zero), census.Newest);
        Assert.Equal(["CVE-1", "CVE-2", "CVE-3"], census.Sample.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Two_captures_pick_the_same_ids_in_whatever_order_they_come()
    {
        string[] ids = [.. Enumerable.Range(0, 5000).Select(i => $"CVE-2026-{i}")];
        AdvisoryCensus forwards = Of(ids);
        AdvisoryCensus backwards = Of(ids.Reverse());
        Assert.Equal(AdvisoryCensus.SampleSize, forwards.Sample.Count);
        Assert.Equal(forwards.Sample, backwards.Sample);
    }

    [Fact]
    public void What_is_lost_is_missed_and_what_is_new_is_not()
    {
        string[] ids = [.. Enumerable.Range(0, 5000).Select(i => $"CVE-2026-{i}")];
        AdvisoryCensus before = Of(ids);
        AdvisoryCensus grown = Of(ids.Concat(Enumerable.Range(0, 5000).Select(i => $"CVE-2027-{i}")));
        AdvisoryCensus shrunk = Of(ids.Where((_, i) => i % 4 != 0));
        Assert.Empty(Missed(before, grown));
        Assert.NotEmpty(Missed(before, shrunk));
    }

    [Fact]
    public void What_was_counted_in_parts_is_what_was_counted_at_once()
    {
        (string Id, DateTimeOffset Date)[] all =
            [.. Enumerable.Range(0, 5000).Select(i => ($"CVE-2026-{i}", new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(i * 7 % 5000)))];
        var whole = new AdvisoryCensus();
        var joined = new AdvisoryCensus();
        foreach ((string Id, DateTimeOffset Date)[] part in all.Chunk(1999))
        {
            var census = new AdvisoryCensus();
            foreach ((string id, DateTimeOffset date) in part)
            {
                census.Add(id, date);
                whole.Add(id, date);
            }

            joined.Add(Inspection.Of(census));
        }

        Assert.Equal(whole.Count, joined.Count);
        Assert.Equal(whole.Newest, joined.Newest);
        Assert.Equal(whole.Sample, joined.Sample);
    }

    private static AdvisoryCensus Of(IEnumerable<string> ids)
    {
        var census = new AdvisoryCensus();
        foreach (string id in ids)
        {
            census.Add(id);
        }

        return census;
    }

    private static IEnumerable<string> Missed(AdvisoryCensus before, AdvisoryCensus now) =>
        before.Sample.Where(id => AdvisoryCensus.WouldBeIn(now.Sample, id)).Except(now.Sample);
}

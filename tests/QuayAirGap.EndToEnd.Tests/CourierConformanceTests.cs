using Microsoft.Extensions.Time.Testing;
using QuayAirGap.TestKit.Clair;
using Xunit;
using static QuayAirGap.EndToEnd.Tests.ConformanceRig;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>Whatever the courier does, and whenever Clair polls, it ends with what the current generation carries: RHEL's change lists above all.</summary>
public sealed class CourierConformanceTests
{
    [Fact]
    public async Task A_late_courier_loses_nothing()
    {
        await using TwoSites sites = await SampleAsync();
        using ClairMatcher clair = await BehindAsync(sites);
        sites.Clock.Advance(TimeSpan.FromHours(1));
        string bundle = (await sites.SaveAsync()).Path;

        // Nine days on the road, with a Clair that polls all the time: its own clock passes every stamp that upstream ever gave.
        for (int i = 0; i < 9; i++)
        {
            sites.Clock.Advance(TimeSpan.FromDays(1));
            await PollAsync(clair, sites);
        }

        await sites.ImportAsync(bundle);
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
        Assert.True(clair.RhelVex.LastCost.DocumentRequests is > 0 and < 10, $"{clair.RhelVex.LastCost}");
    }

    [Fact]
    public async Task A_missed_generation_loses_nothing()
    {
        await using TwoSites sites = await SampleAsync();
        using ClairMatcher clair = await BehindAsync(sites);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();

        // The second generation comes and goes without a poll.
        ChangeOneDocument(sites, "third");
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        sites.Clock.Advance(TimeSpan.FromHours(3));
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task A_bundle_that_never_arrived_is_not_missed()
    {
        await using TwoSites sites = await SampleAsync();
        using ClairMatcher clair = await BehindAsync(sites);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.SaveAsync();
        ChangeOneDocument(sites, "third");
        sites.Clock.Advance(TimeSpan.FromDays(1));
        string third = (await sites.SaveAsync()).Path;

        await sites.ImportAsync(third);
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_revert_takes_clair_back_and_going_forward_again_takes_it_forward(bool polledBetween)
    {
        await using TwoSites sites = await SampleAsync();
        int first = (await sites.CarryAsync()).Generation.Number;
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        int second = (await sites.CarryAsync()).Generation.Number;
        await PollAsync(clair, sites);

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(first);
        if (polledBetween)
        {
            await PollAsync(clair, sites);
            MoveUpstream(sites, "day1", 0);
            await SameAsUpstreamAsync(clair, sites);
            MoveUpstream(sites, "day2", 1);
        }

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(second);
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task A_clair_that_was_down_or_new_or_upgraded_ends_the_same()
    {
        await using TwoSites sites = await SampleAsync();
        using ClairMatcher old = await BehindAsync(sites);
        sites.Clock.Advance(TimeSpan.FromDays(2));
        await sites.CarryAsync();
        sites.Clock.Advance(TimeSpan.FromDays(3));

        old.Restart();
        await PollAsync(old, sites);
        await SameAsUpstreamAsync(old, sites);

        // After an upgrade the fingerprint's version differs: the archive is read again, over a database that has documents already.
        ChangeOneDocument(sites, "third");
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        old.RhelVex.UpdaterVersion = "7";
        await PollAsync(old, sites);
        await SameAsUpstreamAsync(old, sites);

        using ClairMatcher fresh = await ClairAsync(sites);
        await PollAsync(fresh, sites);
        await SameAsUpstreamAsync(fresh, sites);
        Assert.Equal(0, fresh.RhelVex.LastCost.DocumentRequests);
    }

    [Theory]
    [InlineData(-30)]
    [InlineData(30)]
    public async Task Clocks_half_an_hour_apart_lose_nothing(int minutes)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        var clairClock = new FakeTimeProvider(sites.Clock.GetUtcNow().AddMinutes(minutes));
        using ClairMatcher clair = await ClairAsync(sites, clock: clairClock);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromMinutes(1));
        clairClock.Advance(TimeSpan.FromMinutes(1));
        await sites.CarryAsync();

        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task A_random_courier_over_many_days_loses_nothing()
    {
        await using TwoSites sites = await SampleAsync();
        var random = new Random(4711);
        var kept = new List<int> { (await sites.CarryAsync()).Generation.Number };
        using ClairMatcher clair = await ClairAsync(sites);
        var states = new Dictionary<int, (string Day, string? Change)> { [kept[0]] = ("day1", null) };
        (string Day, string? Change) now = ("day1", null);
        var road = new List<(string Path, (string, string?) State)>();
        int current = kept[0];
        for (int step = 0; step < 60; step++)
        {
            sites.Clock.Advance(TimeSpan.FromHours(random.Next(1, 40)));
            switch (random.Next(6))
            {
                case 0:
                    // An upstream only goes forward: documents change, and one day the sample's second state has come.
                    now = (now.Day == "day2" || step > 25 ? "day2" : "day1", random.Next(3) > 0 ? $"change {step}" : now.Change);
                    Show(sites, now, step);
                    break;
                case 1:
                    road.Add(((await sites.SaveAsync()).Path, now));
                    break;
                case 2 when road.Count > 0:
                    // The newest arrives; what was still on the road is too old by then.
                    (string path, (string, string?) state) = road[^1];
                    road.Clear();
                    current = (await sites.ImportAsync(path)).Generation.Number;
                    states[current] = state;
                    kept.Add(current);
                    break;
                case 3 when kept.Count > 1:
                    int target = kept[^Math.Min(kept.Count, random.Next(1, 4))];
                    int made = (await sites.RestoreAsync(target)).Generation.Number;
                    states[made] = states[target];
                    current = made;
                    if (!kept.Contains(made))
                    {
                        kept.Add(made);
                    }

                    break;
                case 4:
                    clair.Restart();
                    break;
                default:
                    await PollAsync(clair, sites);
                    Show(sites, states[current], step);
                    await SameAsUpstreamAsync(clair, sites);
                    Show(sites, now, step);
                    break;
            }
        }

        await PollAsync(clair, sites);
        Show(sites, states[current], 99);
        await SameAsUpstreamAsync(clair, sites);
    }

    /// <summary>A Clair that has what the first bundle carried; upstream has moved on since, and the courier has not.</summary>
    private static async Task<ClairMatcher> BehindAsync(TwoSites sites)
    {
        await sites.CarryAsync();
        ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        return clair;
    }
}

using QuayAirGap.TestKit.Clair;
using Xunit;
using static QuayAirGap.EndToEnd.Tests.ConformanceRig;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>EPSS and KEV, which change every day.</summary>
public sealed class EpssConformanceTests
{
    [Fact]
    public async Task Epss_and_kev_end_as_upstream_has_them_and_outlive_polls_and_days_without_a_bundle()
    {
        await using TwoSites sites = await SampleAsync();
        PutEpss(sites, "CVE-2099-10001,0.5,0.9", "CVE-2099-10002,0.00012,0.02");
        await sites.CarryAsync("clair.epss", "clair.kev", "rhel-vex");
        using ClairMatcher clair = await ClairAsync(sites);
        await ServedAsync(sites);
        await SameAsync();

        // With an ETag the second poll would end the process; and the mirror answers though each day asks for another name.
        for (int day = 0; day < 3; day++)
        {
            Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(clair.Epss));
            Assert.Equal((ClairOutcome.Unchanged, null), await OutcomeAsync(clair.Kev));
            sites.Clock.Advance(TimeSpan.FromDays(1));
        }

        MoveUpstream(sites, "day2", 3);
        PutEpss(sites, "CVE-2099-10001,0.75,0.95", "CVE-2099-10002,0.0002,0.03");
        await sites.CarryAsync("clair.epss", "clair.kev", "rhel-vex");
        await ServedAsync(sites);
        await SameAsync();
        Assert.Equal(2, clair.Kev.Held.Count);

        async Task SameAsync()
        {
            using var reference = new ClairMatcher(ClairConfig.AsUpstream(sites.Upstream.Root), sites.Clock);
            foreach (ClairMatcher matcher in new[] { reference, clair })
            {
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Epss));
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Kev));
            }

            Assert.NotEmpty(clair.Epss.Held);
            Assert.Equal(reference.Epss.Held, clair.Epss.Held);
            Assert.Equal(reference.Kev.Held, clair.Kev.Held);
        }
    }
}

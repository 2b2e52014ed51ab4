using QuayAirGap.Core.Publishing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Upstream;
using Xunit;
using static QuayAirGap.EndToEnd.Tests.ConformanceRig;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>The sources that are OVAL documents: Oracle, Photon, SUSE, Ubuntu.</summary>
public sealed class OvalConformanceTests
{
    public static TheoryData<ClairRelease> Releases() => [ClairRelease.V490, ClairRelease.Main];

    /// <summary>
    /// As upstream itself: a Clair without any setting, only name resolution and a certificate, which are the server's part. This stands
    /// in for that: each host's documents, the ones for this way of serving first.
    /// </summary>
    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_clair_without_any_setting_finds_the_published_OVAL_at_the_upstreams_own_names(ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        await using UpstreamServer hosts = await UpstreamServer.StartAsync(Array.Empty<UpstreamLayer>());
        string[] sources = ["oracle", "photon", "suse", "ubuntu"];
        foreach (GenerationEntry entry in new GenerationStore(sites.Inside).LoadCurrent()!.Entries.Where(e => sources.Contains(e.Source)).OrderBy(e => e.Path.StartsWith("/as-upstream/", StringComparison.Ordinal)))
        {
            string path = entry.Path.StartsWith("/as-upstream/", StringComparison.Ordinal) ? entry.Path["/as-upstream/".Length..] : entry.Path[1..];
            hosts.Replace(path.EndsWith('/') ? path + "index.html" : path, File.ReadAllBytes(sites.Inside.Store.PathOf(entry.Sha256)), entry.LastModified);
            hosts.SetContentType(path, entry.ContentType);
        }

        using var clair = new ClairMatcher(ClairConfig.AsUpstream(hosts.Root) with { Release = release }, sites.Clock);
        using var reference = new ClairMatcher(ClairConfig.AsUpstream(sites.Upstream.Root) with { Release = release }, sites.Clock);
        await clair.Oracle.PollAsync();
        await clair.Photon.PollAsync();
        await clair.Suse.PollAsync();
        ClairPoll<IReadOnlyDictionary<string, IReadOnlySet<OvalRow>>> ubuntu = await clair.Ubuntu.PollAsync();
        await reference.Oracle.PollAsync();
        await reference.Photon.PollAsync();
        await reference.Suse.PollAsync();
        await reference.Ubuntu.PollAsync();

        Assert.Null(ubuntu.Error);
        SameOval(reference.Oracle, clair.Oracle);
        SameOval(reference.Photon, clair.Photon);
        SameOval(reference.Suse, clair.Suse);
        SameOval(reference.Ubuntu, clair.Ubuntu);
    }

    [Fact]
    public async Task On_the_first_of_January_the_new_years_updater_of_Oracle_fails_alone()
    {
        await using TwoSites sites = await SampleAsync();
        sites.Upstream.Remove("linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2");
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        sites.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 1, 6, 0, 0, TimeSpan.Zero));

        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();

        Assert.Equal("oracle-2027-updater", Assert.Single(updates, u => u.Outcome > ClairOutcome.Updated).Updater);

        // Oracle publishes its first advisory of the year.
        sites.Upstream.Replace(
            "linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2", sites.Upstream.Content("linux.oracle.com/security/oval/com.oracle.elsa-2026.xml.bz2"));
        await sites.CarryAsync();
        await ServedAsync(sites, "linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2");
        await PollAsync(clair, sites);
        Assert.NotEmpty(clair.Oracle.Held["oracle-2027-updater"]);
    }
}

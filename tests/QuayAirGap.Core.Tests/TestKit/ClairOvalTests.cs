using System.Text;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.TestKit;

/// <summary>The replayed updaters of OVAL documents against the sample, and the traps that a plain mirror leads them into.</summary>
public sealed class ClairOvalTests : IAsyncLifetime
{
    private const string Suse = "ftp.suse.com/pub/projects/security/oval/";
    private const string Photon = "packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon";
    private const string Series = "api.launchpad.net/1.0/ubuntu/series";
    private const string Ubuntu = "security-metadata.canonical.com/oval/com.ubuntu.";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 12, 9, 0, 0, TimeSpan.Zero));
    private UpstreamServer _server = null!;
    private ClairMatcher _clair = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await SampleUpstream.StartAsync();
        _clair = new ClairMatcher(ClairConfig.AsUpstream(_server.Root), _time);
    }

    public async ValueTask DisposeAsync()
    {
        _clair.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Oracle_has_an_updater_for_each_year_and_one_more_on_the_first_of_January()
    {
        var poll = await _clair.Oracle.PollAsync();

        Assert.Equal(Enumerable.Range(2007, 20).Select(y => $"oracle-{y}-updater"), poll.Updates.Select(u => u.Updater));
        Assert.All(poll.Updates, u => Assert.Equal((null, ClairOutcome.Updated), (u.Error, u.Outcome)));
        Assert.Equal(
            [
                new OvalRow("ol 8", "\nELSA-2024-9001:  lantern:1.8 security update (MODERATE)\n", "MODERATE", "lantern", "lantern:1.8", "0:1.8.4-3.module+el8.10.0+90001+aaaa1111", ""),
                new OvalRow("ol 8", "\nELSA-2024-9001:  lantern:1.8 security update (MODERATE)\n", "MODERATE", "lantern-libs", "lantern:1.8", "0:1.8.4-3.module+el8.10.0+90001+aaaa1111", ""),
            ],
            poll.Held["oracle-2024-updater"].OrderBy(r => r.Package, StringComparer.Ordinal));

        // Neither what only a running kernel's user space has, nor a release that Clair does not know.
        Assert.Equal("beacon", Assert.Single(poll.Held["oracle-2025-updater"]).Package);
        Assert.Equal(["ol 7", "ol 8"], poll.Held["oracle-2026-updater"].Select(r => r.Distribution).Distinct().Order(StringComparer.Ordinal));

        _time.SetUtcNow(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        _server.Remove("linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2");
        var newYear = await _clair.Oracle.PollAsync();
        Assert.Equal(("oracle-2027-updater", ClairOutcome.Failed), (newYear.Updates[^1].Updater, newYear.Updates[^1].Outcome));
        Assert.All(newYear.Updates.SkipLast(1), u => Assert.Equal(ClairOutcome.Unchanged, u.Outcome));
    }

    [Fact]
    public async Task Photon_is_asked_for_by_two_lists_of_names()
    {
        var released = await _clair.Photon.PollAsync();
        using var main = new ClairMatcher(ClairConfig.AsUpstream(_server.Root) with { Release = ClairRelease.Main }, _time);
        var next = await main.Photon.PollAsync();

        Assert.Equal(["photon-updater-photon1", "photon-updater-photon2", "photon-updater-photon3"], released.Updates.Select(u => u.Updater));
        Assert.Equal(Enumerable.Range(1, 5).Select(r => $"photon-updater-{r}.0"), next.Updates.Select(u => u.Updater));
        Assert.All(released.Updates.Concat(next.Updates), u => Assert.Equal((null, ClairOutcome.Updated), (u.Error, u.Outcome)));
        Assert.Equal(released.Held["photon-updater-photon3"], next.Held["photon-updater-3.0"]);
        Assert.Equal(
            [("photon 3.0", "beacon", "0:2.4.1-1.ph3"), ("photon 3.0", "lantern", "0:1.4.2-2.ph3")],
            next.Held["photon-updater-3.0"].Select(r => (r.Distribution, r.Package, r.FixedVersion)).Order());
        Assert.Empty(next.Held["photon-updater-2.0"]);
    }

    [Fact]
    public async Task The_shared_fetcher_sends_back_both_validators_under_its_own_name_and_the_tag_decides()
    {
        await _clair.Photon.PollAsync();
        _server.ClearRequests();
        _server.SetLastModified(Photon + "1.xml", _time.GetUtcNow().AddDays(-1));

        var second = await _clair.Photon.PollAsync();

        Assert.Equal(ClairOutcome.Unchanged, second.Outcome);
        Assert.All(_server.Requests, r =>
        {
            Assert.Equal("claircore/pkg/ovalutil.Fetcher", r.Header("User-Agent"));
            Assert.NotNull(r.Header("If-None-Match"));
            Assert.NotNull(r.Header("If-Modified-Since"));
            Assert.Null(r.Header("Accept-Encoding"));
        });
    }

    [Fact]
    public async Task Suse_is_what_the_listing_links_to()
    {
        var poll = await _clair.Suse.PollAsync();

        Assert.Equal(["suse-updater-opensuse.leap.15.6", "suse-updater-suse.linux.enterprise.server.15"], poll.Updates.Select(u => u.Updater));
        Assert.Equal(["opensuse-leap 15.6"], poll.Held["suse-updater-opensuse.leap.15.6"].Select(r => r.Distribution));
        Assert.Equal(
            ["pattern match (aarch64|x86_64)", "pattern match (aarch64|x86_64)", "pattern match x86_64"],
            poll.Held["suse-updater-suse.linux.enterprise.server.15"].Select(r => r.Arch).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("<a href=\"suse.linux.enterprise.server.15.xml.gz\"><img></a><a href=\"suse.linux.enterprise.server.15.xml.gz\">15</a>")]
    [InlineData("<a href=\"suse.linux.enterprise.server.15.xml.gz\">15</a><A HREF='suse.linux.enterprise.server.15.xml.gz.asc'>signature</A>")]
    public async Task Two_links_to_one_document_fail_all_of_Suse(string listing)
    {
        _server.Replace(Suse + "index.html", Encoding.UTF8.GetBytes(listing));

        var poll = await _clair.Suse.PollAsync();

        Assert.Equal(("suse", ClairOutcome.Failed), (poll.Updates.Single().Updater, poll.Outcome));
        Assert.Empty(poll.Held);
    }

    [Fact]
    public async Task An_absolute_link_in_a_mirrors_listing_leads_to_the_internet()
    {
        _server.Replace(
            Suse + "index.html", Encoding.UTF8.GetBytes($"<a href=\"https://{Suse}opensuse.leap.15.6.xml.gz\">15.6</a><a href=\"suse.linux.enterprise.server.15.xml.gz\">15</a>"));
        using var clair = new ClairMatcher(ClairConfig.ByPath(_server.Root), _time);

        var poll = await clair.Suse.PollAsync();

        Assert.Equal([ClairOutcome.Failed, ClairOutcome.Updated], poll.Updates.Select(u => u.Outcome));
        Assert.Contains("no such host", poll.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ubuntu_is_what_Launchpad_calls_active_and_the_fixed_host_has()
    {
        var poll = await _clair.Ubuntu.PollAsync();

        Assert.Equal(
            [
                ("GET", Series, null), ("HEAD", Ubuntu + "sample.cve.oval.xml", 404), ("HEAD", Ubuntu + "noble.cve.oval.xml", 200), ("HEAD", Ubuntu + "jammy.cve.oval.xml", 200),
                ("GET", Ubuntu + "noble.cve.oval.xml", 200), ("GET", Ubuntu + "jammy.cve.oval.xml", 200),
            ],
            _server.Requests.Select(r => (r.Method, r.HostPath, r.HostPath == Series ? null : (int?)r.Status)));
        Assert.Equal("gzip", _server.Requests[0].Header("TE"));
        Assert.Equal("application/x-bzip2,application/xml;q=0.9", _server.Requests[1].Header("Accept"));
        Assert.Equal(["harbour", "harbour-tools"], poll.Held["ubuntu/updater/noble"].Select(r => r.Package).Order(StringComparer.Ordinal));
        Assert.Equal(
            [("harbour", ""), ("lantern", "0:1.8.2-1ubuntu0.1"), ("lantern-dev", "0:1.8.2-1ubuntu0.1"), ("liblantern1", "0:1.8.2-1ubuntu0.1")],
            poll.Held["ubuntu/updater/jammy"].Select(r => (r.Package, r.FixedVersion)).Order());
        Assert.All(poll.Held["ubuntu/updater/jammy"], r => Assert.Equal("ubuntu 22.04", r.Distribution));
    }

    [Fact]
    public async Task Behind_an_air_gap_one_active_series_loses_all_of_Ubuntu()
    {
        using var clair = new ClairMatcher(ClairConfig.ByPath(_server.Root) with { UbuntuForce = [("jammy", "22.04")] }, _time);

        var poll = await clair.Ubuntu.PollAsync();

        Assert.Equal(("ubuntu", ClairOutcome.Failed), (poll.Updates.Single().Updater, poll.Outcome));
    }

    [Theory]
    [InlineData("22.04", ClairOutcome.Updated)]
    [InlineData("22.10", ClairOutcome.Crashed)]
    public async Task A_forced_version_that_the_series_document_lacks_crashes_Clair(string version, ClairOutcome expected)
    {
        _server.Replace(Series, """{"entries":[{"name":"jammy","version":"22.04","active":false}]}"""u8.ToArray());
        using var clair = new ClairMatcher(ClairConfig.ByPath(_server.Root) with { UbuntuForce = [("jammy", version)] }, _time);

        Assert.Equal(expected, (await clair.Ubuntu.PollAsync()).Outcome);
    }

    [Theory]
    [InlineData("<html>Sign in</html>", ClairOutcome.Failed)]
    [InlineData("<html/>", ClairOutcome.Failed)]
    [InlineData("<oval_definitions><definitions>", ClairOutcome.Failed)]
    [InlineData("<oval_definitions/>", ClairOutcome.Updated)]
    [InlineData("<oval_definitions><definitions><definition><metadata><advisory><issued date=\"\"/></advisory></metadata></definition></definitions></oval_definitions>", ClairOutcome.Updated)]
    [InlineData("<oval_definitions><definitions><definition><metadata><advisory><public_date>unknown</public_date></advisory></metadata></definition></definitions></oval_definitions>", ClairOutcome.Failed)]
    public async Task A_document_is_taken_as_a_whole_or_not_at_all(string content, ClairOutcome expected)
    {
        _server.Replace(Photon + "1.xml", Encoding.UTF8.GetBytes(content));

        var poll = await _clair.Photon.PollAsync();

        Assert.Equal(expected, poll.Updates[0].Outcome);
        Assert.Equal(ClairOutcome.Updated, poll.Updates[1].Outcome);
    }

    [Theory]
    [InlineData("<dpkginfo_object id=\"o\"/>", "<dpkginfo_state id=\"s\"><evr>1</evr></dpkginfo_state>")]
    [InlineData("<dpkginfo_object id=\"o\"><name>x</name></dpkginfo_object>", "<dpkginfo_state id=\"s\"><evr>1</evr><arch>amd64</arch></dpkginfo_state>")]
    public async Task A_package_without_a_name_and_a_state_with_an_architecture_crash_Clair(string thing, string state)
    {
        _server.Replace(Ubuntu + "noble.cve.oval.xml", Encoding.UTF8.GetBytes(
            "<oval_definitions><definitions><definition><criteria><criterion test_ref=\"t\"/></criteria></definition></definitions>"
            + $"<tests><dpkginfo_test id=\"t\"><object object_ref=\"o\"/><state state_ref=\"s\"/></dpkginfo_test></tests><objects>{thing}</objects><states>{state}</states></oval_definitions>"));

        Assert.Equal(ClairOutcome.Crashed, (await _clair.Ubuntu.PollAsync()).Outcome);
    }
}

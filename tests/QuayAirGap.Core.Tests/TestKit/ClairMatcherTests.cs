using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.TestKit;

public sealed class ClairMatcherTests : IAsyncLifetime
{
    private const string Alpine = "secdb.alpinelinux.org";
    private const string Dists = "ftp.debian.org/debian/dists";
    private const string Tracker = "security-tracker.debian.org/tracker/data/json";
    private const string Osv = "osv-vulnerabilities.storage.googleapis.com";
    private const string Vex = "security.access.redhat.com/data/csaf/v2/vex";

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
    public async Task A_run_over_day_1_and_one_over_day_2_end_with_exactly_the_samples_content()
    {
        var first = await _clair.PollAsync();
        Assert.All(first, update => Assert.Equal((null, ClairOutcome.Updated), (update.Error, update.Outcome)));
        AssertHoldsSample(1);

        _time.SetUtcNow(new DateTimeOffset(2026, 1, 13, 15, 0, 0, TimeSpan.Zero));
        _server.SetLayers(SampleUpstream.Day2);
        _clair.Restart();
        var second = await _clair.PollAsync();
        Assert.Equal(
            [
                "alpine-main-v3.8-updater", "ubuntu/updater/noble", "debian/updater", "osv/go", "rhel-vex", "aws-AL2023-updater", "oracle-2026-updater",
                "suse-updater-suse.linux.enterprise.server.15", "clair.cvss",
            ],
            second.Where(u => u.Outcome == ClairOutcome.Updated).Select(u => u.Updater));
        Assert.All(second, update => Assert.Null(update.Error));
        AssertHoldsSample(2);
    }

    [Fact]
    public async Task The_updaters_ask_as_go_does_and_send_back_what_they_were_given()
    {
        await _clair.PollAsync();
        Assert.All(_server.Requests, request =>
        {
            Assert.Equal(
                request.Host is "linux.oracle.com" or "packages.vmware.com" || (request.Host == "ftp.suse.com" && request.HostPath.EndsWith(".xml.gz", StringComparison.Ordinal))
                    ? "claircore/pkg/ovalutil.Fetcher"
                    : "Go-http-client/1.1",
                request.Header("User-Agent"));
            Assert.Null(request.Header("Accept-Encoding"));
        });
        Assert.All(_server.RequestsFor($"{Dists}/*/Release"), request => Assert.Equal("bytes=0-512", request.Header("Range")));
        Assert.All(_server.RequestsFor($"{Osv}/*/all.zip"), request => Assert.Equal("application/zip", request.Header("Accept")));
        Assert.DoesNotContain(_server.Requests, r => r.Header("If-None-Match") is not null || r.Header("If-Modified-Since") is not null);

        _server.ClearRequests();
        await _clair.PollAsync();
        Assert.All(
            _server.Requests.Where(r => r.Host is not ("ftp.debian.org" or "api.launchpad.net" or "nvd.nist.gov")
                && !r.Host.Contains("amazon", StringComparison.Ordinal) && r.Method != "HEAD" && !r.HostPath.EndsWith('/')),
            request => Assert.Equal(304, request.Status));
        Assert.NotNull(_server.RequestsFor(Tracker).Single().Header("If-Modified-Since"));
        Assert.NotNull(_server.RequestsFor($"{Vex}/changes.csv").Single().Header("If-None-Match"));
    }

    [Fact]
    public async Task Alpine_is_discovered_in_clairs_order()
    {
        await _clair.Alpine.PollAsync();
        var expected = new List<string> { "GET last-update" };
        expected.AddRange(Enumerable.Range(3, 7).Select(n => $"HEAD v3.{n}/"));
        expected.Add("HEAD v4.0/");
        foreach (var release in Enumerable.Range(3, 6).Select(n => $"v3.{n}").Append("edge"))
        {
            expected.AddRange([$"HEAD {release}/main.json", $"HEAD {release}/community.json"]);
        }

        var asked = _server.Requests.Select(r => $"{r.Method} {r.Path}").ToArray();
        Assert.Equal(expected, asked.Take(expected.Count));
        Assert.Equal(12, asked.Skip(expected.Count).Count(r => r.StartsWith("GET ", StringComparison.Ordinal)));
        Assert.Equal(expected.Count + 12, asked.Length);
    }

    [Fact]
    public async Task Alpine_without_its_oldest_release_finds_only_edge_and_no_error()
    {
        _server.RemoveFolder($"{Alpine}/v3.3");
        var poll = await _clair.Alpine.PollAsync();
        Assert.Equal(ClairOutcome.Updated, poll.Outcome);
        Assert.Equal(["alpine-main-edge-updater", "alpine-community-edge-updater"], poll.Updates.Select(u => u.Updater));
    }

    [Fact]
    public async Task Alpine_on_a_server_that_forbids_listings_finds_only_edge_and_no_error()
    {
        _server.SetHost(Alpine, new UpstreamHost(Listing: ListingStyle.Forbidden));
        var poll = await _clair.Alpine.PollAsync();
        Assert.Equal(ClairOutcome.Updated, poll.Outcome);
        Assert.Equal(["alpine-main-edge-updater", "alpine-community-edge-updater"], poll.Updates.Select(u => u.Updater));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(403)]
    [InlineData(500)]
    public async Task A_server_that_never_says_404_to_alpine_hangs_clair_and_all_its_updaters(int status)
    {
        _server.AddFault($"{Alpine}/v*/", UpstreamFault.Status(status));
        var run = await _clair.PollAsync();
        Assert.Equal((ClairOutcome.Hung, "alpine"), (run.Single().Outcome, run.Single().Updater));
        Assert.DoesNotContain(_server.Requests, r => r.Host != Alpine);
    }

    [Fact]
    public async Task An_alpine_file_that_fails_keeps_what_was_held_and_the_others_go_on()
    {
        await _clair.Alpine.PollAsync();
        var before = _clair.Alpine.Held["alpine-main-v3.8-updater"];
        _server.SetLayers(SampleUpstream.Day2);
        using (_server.AddFault($"{Alpine}/v3.8/main.json", UpstreamFault.CutOff(100), method: "GET"))
        {
            var poll = await _clair.Alpine.PollAsync();
            Assert.Equal("alpine-main-v3.8-updater", Assert.Single(poll.Updates, u => u.Outcome == ClairOutcome.Failed).Updater);
            Assert.Same(before, poll.Held["alpine-main-v3.8-updater"]);
        }

        Assert.NotSame(before, (await _clair.Alpine.PollAsync()).Held["alpine-main-v3.8-updater"]);
    }

    [Fact]
    public async Task Debian_keeps_only_rows_of_releases_with_a_version_and_asks_for_no_others()
    {
        var poll = await _clair.Debian.PollAsync();
        Assert.Equal(
            new Dictionary<string, int> { ["bookworm"] = 12, ["bullseye"] = 11, ["trixie"] = 13 },
            poll.Held.Releases.OrderBy(r => r.Key).ToDictionary());
        Assert.Equal(
            ["bookworm", "bullseye", "forky", "trixie"],
            _server.RequestsFor($"{Dists}/*/Release").Select(r => r.Path.Split('/')[2]).Order(StringComparer.Ordinal));
        Assert.Contains(new DebianRow("bullseye", "lantern", "CVE-2099-10001", "1.4.1-2+deb11u3", "medium"), poll.Held.Rows);
        Assert.DoesNotContain(poll.Held.Rows, row => row.Codename is "sid" or "buster" or "forky");
        Assert.Equal(6, poll.Held.Rows.Count);
    }

    [Theory]
    [InlineData(ListingStyle.Apache, 3)]
    [InlineData(ListingStyle.Nginx, 3)]
    [InlineData(ListingStyle.Lighttpd, 3)]
    [InlineData(ListingStyle.Iis, 0)]
    public async Task A_listing_that_clair_cannot_read_gives_no_debian_and_no_error(ListingStyle style, int releases)
    {
        _server.Remove($"{Dists}/index.html");
        _server.SetHost("ftp.debian.org", new UpstreamHost(Listing: style));
        var poll = await _clair.Debian.PollAsync();
        Assert.Equal((releases, ClairOutcome.Updated), (poll.Held.Releases.Count, poll.Outcome));
        Assert.Equal(releases == 0, poll.Held.Rows.Count == 0);
    }

    [Fact]
    public async Task A_release_file_whose_first_513_bytes_hold_a_line_that_is_no_field_drops_the_release()
    {
        _server.Replace($"{Dists}/trixie/Release", Encoding.ASCII.GetBytes("Origin: Debian\nVersion: 13.0\nno field\n"));
        _server.Replace($"{Dists}/bullseye/Release", Encoding.ASCII.GetBytes("Version: 11\n"));
        var poll = await _clair.Debian.PollAsync();
        Assert.Equal(["bookworm"], poll.Held.Releases.Keys);
    }

    [Fact]
    public async Task Debians_tracker_is_taken_again_only_when_its_time_changes()
    {
        await _clair.Debian.PollAsync();
        Assert.Equal(ClairOutcome.Unchanged, (await _clair.Debian.PollAsync()).Outcome);
        _server.Replace(Tracker, "{}"u8.ToArray(), SampleUpstream.Day1.Times[Tracker]);
        Assert.Equal(ClairOutcome.Unchanged, (await _clair.Debian.PollAsync()).Outcome);
        _server.SetLastModified(Tracker, SampleUpstream.Day1.Times[Tracker].AddSeconds(1));
        Assert.Empty((await _clair.Debian.PollAsync()).Held.Rows);
    }

    [Fact]
    public async Task Osv_is_frozen_by_an_etag_on_its_list_until_the_process_restarts()
    {
        await _clair.Osv.PollAsync();
        _server.SetLayers(SampleUpstream.Day2);
        var frozen = await _clair.Osv.PollAsync();
        Assert.Empty(frozen.Updates);
        Assert.DoesNotContain("GO-2099-0002", frozen.Held["go"].Keys);
        _clair.Restart();
        Assert.Contains("GO-2099-0002", (await _clair.Osv.PollAsync()).Held["go"].Keys);
    }

    [Fact]
    public async Task Osv_by_path_asks_for_its_list_at_the_root_of_the_host()
    {
        using var clair = new ClairMatcher(ClairConfig.ByPath(_server.Root) with { OsvAllowlist = ["GO", "pypi"] }, _time);
        var missing = await clair.Osv.PollAsync();
        Assert.Equal(("osv", ClairOutcome.Failed), (missing.Updates.Single().Updater, missing.Outcome));
        Assert.Equal("/ecosystems.txt", _server.Requests.Single().Target);

        _server.Replace("127.0.0.1/ecosystems.txt", _server.Content($"{Osv}/ecosystems.txt"));
        Assert.Equal(["osv/go", "osv/pypi"], (await clair.Osv.PollAsync()).Updates.Select(u => u.Updater));
    }

    [Theory]
    [InlineData("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", false)]
    [InlineData("CVSS_V3", "CVSS:3.0/A:H/I:N/C:N/S:U/UI:N/PR:N/AC:L/AV:N", false)]
    [InlineData("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P/RL:O/RC:C", false)]
    [InlineData("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/", false)]
    [InlineData("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N", true)]
    [InlineData("CVSS_V3", "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", true)]
    [InlineData("CVSS_V3", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", true)]
    [InlineData("CVSS_V3", "AV:N/AC:L/Au:N/C:N/I:N/A:C", true)]
    [InlineData("CVSS_V3", "", true)]
    [InlineData("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:C", false)]
    [InlineData("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:C/E:U", false)]
    [InlineData("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:C)", true)]
    [InlineData("CVSS_V2", "(AV:N/AC:L/Au:N/C:N/I:N/A:C)", true)]
    [InlineData("CVSS_V4", "CVSS:4.0/AV:N", false)]
    [InlineData("cvss_v3", "", false)]
    public async Task A_cvss_vector_without_its_base_crashes_clair_490_and_not_main(string type, string vector, bool crashes)
    {
        var advisory = $$$"""
            {"id":"GO-2099-9","severity":[{"type":"{{{type}}}","score":"{{{vector}}}"}],
             "affected":[{"package":{"ecosystem":"Go","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}
            """;
        ReplaceGo(("GO-2099-9.json", advisory));
        var run = await _clair.PollAsync();
        Assert.Equal(crashes, run[^1].Outcome == ClairOutcome.Crashed);
        Assert.Equal(!crashes, _clair.RhelVex.Held.Count > 0);

        using var main = new ClairMatcher(ClairConfig.AsUpstream(_server.Root) with { Release = ClairRelease.Main }, _time);
        Assert.Equal(["GO-2099-9"], (await main.Osv.PollAsync()).Held["go"].Keys);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("")]
    [InlineData("""{"id":7}""")]
    [InlineData("""{"id":"GO-2099-9","modified":"yesterday"}""")]
    [InlineData("""{"id":"GO-2099-9","affected":[{"package":{"ecosystem":"Go"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}""")]
    public async Task One_bad_member_fails_its_ecosystem_and_only_that(string member)
    {
        ReplaceGo(("bad.json", member));
        var poll = await _clair.Osv.PollAsync();
        Assert.Equal("osv/go", Assert.Single(poll.Updates, u => u.Outcome == ClairOutcome.Failed).Updater);
        Assert.Equal(["maven", "npm", "pypi", "rubygems"], poll.Held.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Red_hat_documents_come_from_the_archive_but_for_those_that_changed_since()
    {
        var poll = await _clair.RhelVex.PollAsync();
        Assert.Equal(ClairOutcome.Updated, poll.Outcome);
        Assert.Equal(new RhelVexCost(Requests: 7, DocumentRequests: 2, ArchiveDocuments: 3, Deletions: 1), _clair.RhelVex.LastCost);
        Assert.Equal(
            [
                "archive_latest.txt", "csaf_vex_2026-01-10.tar.zst", "changes.csv", "cve-2099-10005.json", "cve-2099-10002.json",
                "deletions.csv", "csaf_vex_2026-01-10.tar.zst",
            ],
            _server.Requests.Select(r => r.Path.Split('/')[^1]));
        Assert.EndsWith("\\2026-01-12T09:00:00Z\\6", _clair.RhelVex.Fingerprint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_that_reaches_the_mirror_after_its_stamp_is_lost_for_good()
    {
        await _clair.RhelVex.PollAsync();
        _time.SetUtcNow(new DateTimeOffset(2026, 1, 14, 0, 0, 0, TimeSpan.Zero));
        await _clair.RhelVex.PollAsync();
        _server.SetLayers(SampleUpstream.Day2);
        await _clair.RhelVex.PollAsync();
        Assert.Equal(0, _clair.RhelVex.LastCost.DocumentRequests);
        Assert.Equal(Documents(1), _clair.RhelVex.Held);

        // Stamped after Clair's last clock, the same change arrives.
        var late = Encoding.UTF8.GetString(_server.Content($"{Vex}/changes.csv"))
            .Replace("2026-01-13T09:41:00", "2026-01-14T02:00:00", StringComparison.Ordinal);
        _server.Replace($"{Vex}/changes.csv", Encoding.UTF8.GetBytes(late));
        await _clair.RhelVex.PollAsync();
        Assert.Equal(Documents(2)["CVE-2099-10001"], _clair.RhelVex.Held["CVE-2099-10001"]);
        Assert.Equal(1, _clair.RhelVex.LastCost.DocumentRequests);
    }

    [Fact]
    public async Task A_document_that_vanishes_without_a_deletion_stays_for_ever()
    {
        await _clair.RhelVex.PollAsync();
        _time.Advance(TimeSpan.FromDays(2));
        _server.SetLayers(SampleUpstream.Day2);
        _server.Replace($"{Vex}/deletions.csv", []);
        _clair.RhelVex.UpdaterVersion = "7";
        var poll = await _clair.RhelVex.PollAsync();
        Assert.Contains("CVE-2098-20001", poll.Held.Keys);
        Assert.True(_clair.RhelVex.LastCost.ArchiveDocuments > 0);
    }

    [Fact]
    public async Task An_upgraded_clair_restores_what_the_archive_holds_although_the_lists_are_unchanged()
    {
        await _clair.RhelVex.PollAsync();
        _clair.RhelVex.UpdaterVersion = "7";
        var poll = await _clair.RhelVex.PollAsync();
        Assert.NotEqual(Documents(1)["CVE-2099-10002"], poll.Held["CVE-2099-10002"]);
        Assert.Contains("CVE-2099-10004", poll.Held.Keys);
    }

    [Theory]
    [InlineData($"{Vex}/2099/cve-2099-10005.json", 404)]
    [InlineData($"{Vex}/archive_latest.txt", 403)]
    [InlineData($"{Vex}/deletions.csv", 404)]
    [InlineData($"{Vex}/csaf_vex_2026-01-10.tar.zst", 500)]
    public async Task One_missing_file_fails_all_of_red_hat_and_changes_nothing(string path, int status)
    {
        using var fault = _server.AddFault(path, UpstreamFault.Status(status));
        var poll = await _clair.RhelVex.PollAsync();
        Assert.Equal(ClairOutcome.Failed, poll.Outcome);
        Assert.Empty(poll.Held);
        Assert.Empty(_clair.RhelVex.Fingerprint);
    }

    [Fact]
    public async Task A_newline_after_the_archives_name_fails_490_and_not_main()
    {
        _server.Replace($"{Vex}/archive_latest.txt", "csaf_vex_2026-01-10.tar.zst\n"u8.ToArray());
        Assert.Equal(ClairOutcome.Failed, (await _clair.RhelVex.PollAsync()).Outcome);
        using var main = new ClairMatcher(ClairConfig.AsUpstream(_server.Root) with { Release = ClairRelease.Main }, _time);
        Assert.Equal(Documents(1), (await main.RhelVex.PollAsync()).Held);
    }

    [Theory]
    [InlineData("./2099/cve-2099-10003.json", ClairOutcome.Updated)]
    [InlineData("README", ClairOutcome.Failed)]
    [InlineData("vex/2099/cve-2099-10003.json", ClairOutcome.Failed)]
    public async Task Entries_of_the_archive_lie_in_a_year(string entry, ClairOutcome expected)
    {
        var document = _server.Content($"{Vex}/2099/cve-2099-10003.json");
        _server.Replace(
            $"{Vex}/csaf_vex_2026-01-10.tar.zst",
            ArchiveBuilder.TarZst([new ArchiveMember(entry, document, UpstreamLayer.DefaultLastModified)]),
            SampleUpstream.Day1.Times[$"{Vex}/csaf_vex_2026-01-10.tar.zst"]);
        Assert.Equal(expected, (await _clair.RhelVex.PollAsync()).Outcome);
    }

    [Theory]
    [InlineData("\"2099/cve-2099-10003.json\"\n")]
    [InlineData("\"2099/cve-2099-10003.json\",\"2026-01-12 08:30:00\"\n")]
    [InlineData("\"cve-2099-10003.json\",\"2026-01-12T08:30:00+00:00\"\n")]
    [InlineData("2099/cve-2099-\"10003.json,2026-01-12T08:30:00Z\n")]
    public async Task A_row_that_clair_cannot_read_fails_the_poll(string row)
    {
        _server.Replace($"{Vex}/changes.csv", Encoding.ASCII.GetBytes(row));
        Assert.Equal(ClairOutcome.Failed, (await _clair.RhelVex.PollAsync()).Outcome);
    }

    [Fact]
    public async Task A_base_url_without_its_slash_resolves_at_the_parent()
    {
        var config = ClairConfig.AsUpstream(_server.Root);
        using var clair = new ClairMatcher(config with { RhelVexUrl = config.RhelVexUrl.TrimEnd('/') }, _time);
        Assert.Equal(ClairOutcome.Failed, (await clair.RhelVex.PollAsync()).Outcome);
        Assert.Equal("security.access.redhat.com/data/csaf/v2/archive_latest.txt", _server.Requests.Single().HostPath);
    }

    [Fact]
    public async Task An_archive_that_takes_too_long_fails()
    {
        _server.AddFault($"{Vex}/*.tar.zst", UpstreamFault.Stall(100), method: "GET");
        var config = ClairConfig.AsUpstream(_server.Root) with { CompressedFileTimeout = TimeSpan.FromMilliseconds(300) };
        using var clair = new ClairMatcher(config, _time);
        var poll = await clair.RhelVex.PollAsync();
        Assert.Equal(ClairOutcome.Failed, poll.Outcome);
        Assert.Contains("compressed_file_timeout", poll.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_indexer_asks_for_its_mappings_once_a_day_with_gzip_and_keeps_them_through_failures()
    {
        using var indexer = new ClairIndexer(ClairConfig.AsUpstream(_server.Root), _time);
        using (_server.AddFault("*/repository-to-cpe.json", UpstreamFault.Status(500)))
        {
            Assert.Equal(ClairOutcome.Failed, (await indexer.RepositoryToCpe.PollAsync()).Outcome);
        }

        Assert.Equal(ClairOutcome.Unchanged, (await indexer.RepositoryToCpe.PollAsync()).Outcome);
        Assert.Null(indexer.RepositoryToCpe.Held);

        _time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(ClairOutcome.Updated, (await indexer.RepositoryToCpe.PollAsync()).Outcome);
        Assert.Equal(["cpe:/o:redhat:enterprise_linux:9::baseos"], indexer.RepositoryToCpe.Held!["sample-9-for-x86_64-baseos-rpms"]);
        Assert.Equal("gzip", _server.Requests[^1].Header("Accept-Encoding"));
        Assert.True(_server.Requests[^1].BytesSent < _server.Content(_server.Requests[^1].HostPath).Length);

        _time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(ClairOutcome.Unchanged, (await indexer.RepositoryToCpe.PollAsync()).Outcome);
        Assert.Equal(304, _server.Requests[^1].Status);

        Assert.Equal(ClairOutcome.Updated, (await indexer.ContainerNameReposMap.PollAsync()).Outcome);
        Assert.Equal(["sample9/lantern"], indexer.ContainerNameReposMap.Held!["sample/lantern"]);
    }

    private static Dictionary<string, string> Documents(int day) =>
        Directory.EnumerateFiles(Path.Combine(SampleUpstream.Folder(day), Vex), "cve-*.json", SearchOption.AllDirectories)
            .Where(file => !file.Contains("cve-2014-", StringComparison.Ordinal))
            .ToDictionary(
                file => Path.GetFileNameWithoutExtension(file).ToUpperInvariant(),
                file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));

    private static Dictionary<string, string> Advisories(int day, string ecosystem) =>
        SampleUpstream.Archives(day)[$"{Osv}/{ecosystem}/all.zip"]
            .Where(member => member.Path != "PYSEC-2099-2.json")
            .ToDictionary(m => Path.GetFileNameWithoutExtension(m.Path), m => Convert.ToHexStringLower(SHA256.HashData(m.Content)));

    private static HashSet<AlpineFix> Fixes(int day, string release, string repository)
    {
        var path = Path.Combine(SampleUpstream.Folder(day), Alpine, release, repository + ".json");
        using var secdb = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. secdb.RootElement.GetProperty("packages").EnumerateArray()
            .Select(package => package.GetProperty("pkg"))
            .SelectMany(package => package.GetProperty("secfixes").EnumerateObject()
                .SelectMany(fix => fix.Value.EnumerateArray().Select(id => new AlpineFix(
                    release.TrimStart('v'), repository, package.GetProperty("name").GetString()!, fix.Name, id.GetString()!))))];
    }

    private void AssertHoldsSample(int day)
    {
        Assert.Equal(12, _clair.Alpine.Held.Count);
        Assert.All(_clair.Alpine.Held, held =>
        {
            var parts = held.Key.Split('-');
            Assert.True(held.Value.SetEquals(Fixes(day, parts[2], parts[1])), held.Key);
        });
        Assert.Equal(day == 1 ? 6 : 7, _clair.Debian.Held.Rows.Count);
        Assert.Equal(
            day == 1 ? string.Empty : "1.4.2-1+deb12u1",
            _clair.Debian.Held.Rows.Single(r => r is { Codename: "bookworm", Id: "CVE-2099-10002" }).FixedVersion);
        Assert.Equal(["go", "maven", "npm", "pypi", "rubygems"], _clair.Osv.Held.Keys.Order(StringComparer.Ordinal));
        Assert.All(
            new[] { "Go", "Maven", "npm", "PyPI", "RubyGems" },
            ecosystem => Assert.Equal(Advisories(day, ecosystem), _clair.Osv.Held[ecosystem.ToLowerInvariant()]));
        Assert.Equal(Documents(day), _clair.RhelVex.Held);
        Assert.Equal(
            ["aws-AL1-updater=2", "aws-AL2-updater=1", $"aws-AL2023-updater={day + 1}"], _clair.Aws.Held.Select(h => $"{h.Key}={h.Value.Count}"));
        Assert.Contains("1:3.1.0-3.amzn2023.0.2", _clair.Aws.Held["aws-AL2023-updater"].Select(r => r.FixedVersion));
        Assert.Contains("2.2.21-1.18.amzn1", _clair.Aws.Held["aws-AL1-updater"].Select(r => r.FixedVersion));
        Assert.Equal(
            day == 1 ? ["CVE-2099-10001", "CVE-2099-20001"] : ["CVE-2099-10001", "CVE-2099-10006", "CVE-2099-20001"],
            _clair.Cvss.Held.Keys.Order(StringComparer.Ordinal));
        Assert.Contains(day == 1 ? "\"baseScore\":7.5" : "\"baseScore\":9.8", _clair.Cvss.Held["CVE-2099-10001"], StringComparison.Ordinal);
    }

    private void ReplaceGo(params (string Name, string Json)[] members) => _server.Replace(
        $"{Osv}/Go/all.zip",
        ArchiveBuilder.Zip(members.Select(m => new ArchiveMember(m.Name, Encoding.UTF8.GetBytes(m.Json), UpstreamLayer.DefaultLastModified))));
}

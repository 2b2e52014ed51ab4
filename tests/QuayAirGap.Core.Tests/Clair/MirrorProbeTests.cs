using QuayAirGap.Core.Clair;
using QuayAirGap.TestKit.Clair;
using Xunit;
using ClairRelease = QuayAirGap.Core.Clair.ClairRelease;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>A mirror is asked as the updaters ask: a good one passes, and each of its traps is found.</summary>
public sealed class MirrorProbeTests
{
    private const string Osv = "/osv-vulnerabilities.storage.googleapis.com/";
    private const string Vex = "/security.access.redhat.com/data/csaf/v2/vex/";
    private const string Series = """{"entries":[{"active":false,"name":"jammy","version":"22.04"},{"active":false,"name":"noble","version":"24.04"}]}""";
    private const string Dists = "/ftp.debian.org/debian/dists/";

    [Fact]
    public async Task What_a_mirror_serves_is_found_by_asking_it_and_what_is_configured_from_that_passes()
    {
        await using PlainMirror mirror = await GoodAsync();
        ServedFeeds served = await ServedFeeds.AskAsync(mirror.Uri, 2026, TestContext.Current.CancellationToken);
        Assert.Equal(
            ["alpine", "clair.cvss", "debian", "oracle", "osv", "photon", "rhel-vex", "suse", "ubuntu", "container-name-repos-map", "repository-to-cpe"], served.Sources);
        Assert.Equal(Enumerable.Range(2007, 20), served.OracleYears);
        Assert.Equal([1, 2, 3, 4, 5], served.PhotonReleases);
        Assert.Equal(["22.04", "24.04"], served.Ubuntu.Select(u => u.Version));
        Assert.Equal(["go", "maven", "pypi", "rubygems"], served.Ecosystems);
        Assert.All(ClairRelease.All, r => Assert.Empty(Ask(mirror, served, r).Select(f => $"{f.Id}: {f.Where}: {f.What}")));
    }

    [Fact]
    public async Task Each_trap_of_a_mirror_is_found()
    {
        await using PlainMirror mirror = await GoodAsync();
        ServedFeeds served = await ServedFeeds.AskAsync(mirror.Uri, 2026, TestContext.Current.CancellationToken);
        void Finds(string id, string where, Action spoil, Action mend)
        {
            spoil();
            AirGapFinding finding = Assert.Single(Ask(mirror, served, ClairRelease.V490), f => f.Id == id);
            Assert.EndsWith(where, finding.Where, StringComparison.Ordinal);
            Assert.Equal(FindingSeverity.Error, finding.Severity);
            mend();
        }

        void Text(string id, string path, string bad)
        {
            string good = mirror.Texts[path];
            Finds(id, path, () => mirror.Texts[path] = bad, () => mirror.Texts[path] = good);
        }

        void Status(string id, string path, int status) => Finds(id, path, () => mirror.Statuses[path] = status, () => mirror.Statuses.Remove(path));

        Finds("MirrorFreezesOsv", "/ecosystems.txt", () => mirror.Tagged.Add("/ecosystems.txt"), () => mirror.Tagged.Clear());
        Status("MirrorStatus", "/ecosystems.txt", 404);
        Status("MirrorStatus", Osv + "PyPI/all.zip", 404);
        Status("MirrorEndless", "/secdb.alpinelinux.org/v3.999/", 403);
        Status("MirrorStatus", "/secdb.alpinelinux.org/v3.3/", 404);
        Text("MirrorListing", Dists, "<A HREF=\"/debian/dists/bookworm/\">bookworm</A>");
        Text("MirrorListing", "/ftp.suse.com/pub/projects/security/oval/", "<a href=\"opensuse.leap.15.6.xml.gz\"><img></a><a href=\"opensuse.leap.15.6.xml.gz\">x</a>");
        Text("MirrorNewline", Vex + "archive_latest.txt", "vex.tar.zst\n");
        Finds("MirrorStatus", Vex + "vex.tar.zst", () => mirror.Undated.Add(Vex + "vex.tar.zst"), () => mirror.Undated.Clear());
        Text("MirrorContent", ServedFeeds.SeriesPath, Series.Replace("false", "true", StringComparison.Ordinal));
        Text("ForcedReleaseUnknown", ServedFeeds.SeriesPath, Series.Replace("22.04", "22.03", StringComparison.Ordinal));
        Text("MirrorContent", ServedFeeds.CvssPath + "nvdcve-2.0-2026.meta", "sha256:" + new string('A', 64));
        Status("MirrorStatus", ServedFeeds.CvssPath + "nvdcve-2.0-2026.json.gz", 404);
        Status("MirrorStatus", ServedFeeds.OraclePath + "com.oracle.elsa-2013.xml.bz2", 404);
        Status("MirrorStatus", "/security.access.redhat.com/data/metrics/repository-to-cpe.json", 404);
    }

    [Fact]
    public async Task A_mirror_that_is_not_there_is_a_finding_for_each_set_and_not_an_exception()
    {
        PlainMirror mirror = await GoodAsync();
        ServedFeeds served = await ServedFeeds.AskAsync(mirror.Uri, 2026, TestContext.Current.CancellationToken);
        await mirror.DisposeAsync();
        IReadOnlyList<AirGapFinding> found = Ask(mirror, served, ClairRelease.V490);
        Assert.All(found, f => Assert.Equal("MirrorUnreachable", f.Id));
        Assert.Equal(10, found.Count);
    }

    private static IReadOnlyList<AirGapFinding> Ask(PlainMirror mirror, ServedFeeds served, ClairRelease release)
    {
        string text = YamlWriter.Block(AirGapSettings.For(ClairKit.Request(AirGapMode.Mirror) with { MirrorUri = mirror.Uri, Served = served }).ToMapping());
        using var probe = new MirrorProbe(ClairConfiguration.Of([("config.yaml", text)]), release, 2026);
#pragma warning disable VSTHRD002 // a test's own thread
        return probe.AskAsync(_ => { }, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }

    private static async Task<PlainMirror> GoodAsync()
    {
        PlainMirror mirror = await PlainMirror.StartAsync();
        string[] empty =
        [
            "/secdb.alpinelinux.org/last-update", "/secdb.alpinelinux.org/v3.3/", "/secdb.alpinelinux.org/edge/main.json",
            "/security-tracker.debian.org/tracker/data/json", Vex + "changes.csv", Vex + "deletions.csv", Vex + "vex.tar.zst",
            "/security.access.redhat.com/data/metrics/repository-to-cpe.json", "/security.access.redhat.com/data/metrics/container-name-repos-map.json",
            "/ftp.suse.com/pub/projects/security/oval/opensuse.leap.15.6.xml.gz",
            .. Enumerable.Range(2007, 20).Select(y => $"{ServedFeeds.OraclePath}com.oracle.elsa-{y}.xml.bz2"),
            .. Enumerable.Range(1, 5).Select(r => $"{ServedFeeds.PhotonPath}com.vmware.phsa-photon{r}.xml"),
            .. ((string[])["jammy", "noble"]).Select(n => $"{ServedFeeds.UbuntuOvalPath}com.ubuntu.{n}.cve.oval.xml.bz2"),
            .. Enumerable.Range(2002, 25).Select(y => $"{ServedFeeds.CvssPath}nvdcve-2.0-{y}.json.gz"),
            .. ((string[])["Go", "Maven", "PyPI", "RubyGems"]).Select(e => $"{Osv}{e}/all.zip"),
        ];
        foreach (string path in empty)
        {
            mirror.Texts[path] = "";
        }

        foreach (int year in Enumerable.Range(2002, 25))
        {
            mirror.Texts[$"{ServedFeeds.CvssPath}nvdcve-2.0-{year}.meta"] = $"size:1\r\nsha256:{new string('A', 64)}\r\n";
        }

        mirror.Texts["/ecosystems.txt"] = mirror.Texts[Osv + "ecosystems.txt"] = "Go\nMaven\nPyPI\nRubyGems\n";
        mirror.Texts[Vex + "archive_latest.txt"] = "vex.tar.zst";
        mirror.Texts[ServedFeeds.SeriesPath] = Series;
        mirror.Texts[Dists] = "<a href=\"bookworm/\">bookworm/</a>";
        mirror.Texts[ServedFeeds.SusePath] = "<a href=\"opensuse.leap.15.6.xml.gz\">opensuse.leap.15.6.xml.gz</a>";
        return mirror;
    }
}

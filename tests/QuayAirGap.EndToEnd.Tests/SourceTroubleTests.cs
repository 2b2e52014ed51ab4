using QuayAirGap.Core;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>Trouble in one source: it says so, keeps what it had with its true age, and leaves the others alone.</summary>
public sealed class SourceTroubleTests
{
    private static readonly DateTimeOffset s_upstreamTime = new(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);

    private static readonly string s_amazon2 = $"cdn.amazonlinux.com/2/core/2.0/x86_64/{new string('2', 64)}/repodata";

    public static TheoryData<string, string, string> Troubles()
    {
        // One kind for each place: FaultTableTests tries them all, on one side of the gap.
        return new TheoryData<string, string, string>
        {
            { "alpine", "secdb.alpinelinux.org/v3.3/main.json", "html" },
            { "debian", "security-tracker.debian.org/tracker/data/json", "cut" },
            { "debian", "ftp.debian.org/debian/dists/", "403" },
            { "osv", "osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip", "404" },
            { "osv", "osv-vulnerabilities.storage.googleapis.com/ecosystems.txt", "html" },
            { "rhel-vex", "security.access.redhat.com/data/csaf/v2/vex/changes.csv", "stall" },
            { "rhel-vex", "security.access.redhat.com/data/csaf/v2/vex/deletions.csv", "500" },
            { "aws", "repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list", "404" },
            { "aws", $"{s_amazon2}/repomd.xml", "cut" },
            { "aws", $"{s_amazon2}/updateinfo.xml.gz", "html" },
            { "clair.cvss", "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2014.meta", "html" },
            { "clair.cvss", "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2025.json.gz", "403" },
            { "oracle", "linux.oracle.com/security/oval/com.oracle.elsa-2013.xml.bz2", "cut" },
            { "photon", "packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon4.xml", "html" },
            { "suse", "ftp.suse.com/pub/projects/security/oval/opensuse.leap.15.6.xml.gz", "404" },
            { "suse", "ftp.suse.com/pub/projects/security/oval/", "html" },
            { "ubuntu", "security-metadata.canonical.com/oval/com.ubuntu.jammy.cve.oval.xml.bz2", "500" },
            { "ubuntu", "api.launchpad.net/1.0/ubuntu/series", "html" },
            { "repository-to-cpe", "security.access.redhat.com/data/metrics/repository-to-cpe.json", "html" },
            { "container-name-repos-map", "security.access.redhat.com/data/metrics/container-name-repos-map.json", "404" },
        };
    }

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task A_source_in_trouble_fails_visibly_and_alone(string source, string hostPath, string trouble)
    {
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        SaveResult good = await sites.SaveAsync();
        Assert.Empty(good.Incomplete);
        await sites.ImportAsync(good.Path);
        DateTimeOffset captured = Of(good.Snapshot, source).CapturedAt!.Value;
        sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample("day2"), s_upstreamTime.AddDays(1)));
        sites.Upstream.AddFault(hostPath, Fault(trouble));
        if (trouble is "cut" or "stall" && !hostPath.EndsWith('/'))
        {
            // What has not changed has no body that could break off.
            sites.Upstream.Replace(hostPath, [.. sites.Upstream.Content(hostPath), .. "\n\n"u8]);
        }
        else if (trouble == "html")
        {
            sites.Upstream.Replace(hostPath.EndsWith('/') ? hostPath + "index.html" : hostPath, "<html><body>Sign in to continue</body></html>"u8.ToArray());
        }

        sites.Clock.Advance(TimeSpan.FromDays(2));
        SaveResult save = await sites.SaveAsync();
        ImportResult import = await sites.ImportAsync(save.Path);

        SourceSnapshot failed = Assert.Single(save.Incomplete);
        Assert.Equal(source, failed.Name);
        Assert.Equal(CaptureState.Failed, failed.State);
        Assert.NotEmpty(failed.Error!);
        Assert.Equal(captured, failed.CapturedAt);
        Assert.Equal(Of(good.Snapshot, source).Files, failed.Files);
        Assert.All(
            save.Snapshot.Sources.Where(s => s.Name != source && s.State is not (CaptureState.Unsupported or CaptureState.Deselected)),
            s => Assert.Equal((CaptureState.Captured, sites.Clock.GetUtcNow()), (s.State, s.CapturedAt)));

        // Inside, too: published as it was, and said to be old.
        SourceSnapshot published = import.Generation.Sources.Single(s => s.Name == source);
        Assert.Equal(CaptureState.Failed, published.State);
        Assert.Equal(captured, published.CapturedAt);
        Assert.Contains(import.Generation.Entries, e => e.Source == source);
    }

    [Fact]
    public async Task A_source_that_never_worked_travels_as_failed_without_content()
    {
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        sites.Upstream.AddFault("secdb.alpinelinux.org/*", UpstreamFault.Drop());

        ImportResult import = await sites.CarryAsync();

        SourceSnapshot alpine = import.Generation.Sources.Single(s => s.Name == "alpine");
        Assert.Equal((CaptureState.Failed, null), (alpine.State, alpine.CapturedAt));
        Assert.DoesNotContain(import.Generation.Entries, e => e.Source == "alpine");
    }

    [Fact]
    public async Task An_internet_that_is_away_gives_an_error_and_no_bundle()
    {
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        sites.Upstream.AddFault("*", UpstreamFault.Drop());

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => sites.SaveAsync());

        Assert.Equal(ErrorIds.NothingCollected, e.ErrorId);
        Assert.Contains("debian", e.Message);
        Assert.Empty(Directory.GetFiles(sites.Folder, "*.tar*"));
    }

    [Fact]
    public async Task A_second_save_with_nothing_changed_transfers_headers_only()
    {
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        SaveResult first = await sites.SaveAsync();
        sites.Upstream.ClearRequests();

        SaveResult second = await sites.SaveAsync();

        // Servers send the listings that they generate without a validator, and a page with every 404.
        Assert.All(
            sites.Upstream.Requests.Where(r => r.BytesSent > 0), r => Assert.True(r.Status == 404 || (r.Status == 200 && r.HostPath.EndsWith('/')), r.ToString()));
        Assert.True(second.BytesReceived < first.BytesReceived / 20, $"{second.BytesReceived} of {first.BytesReceived} bytes");
        Assert.Equal(Files(first).Select(f => f with { Status = null }), Files(second).Select(f => f with { Status = null }));
        Assert.All(Files(second).Where(f => !f.Url.EndsWith('/')), f => Assert.True(f.Status is null or 304, f.Url));
        Assert.All(Files(first), f => Assert.Equal(200, f.Status));

        // Every request is in the evidence: as a file's status, or as a record of its own.
        var evidence = second.Snapshot.Sources.SelectMany(s => s.Evidence).Select(e => (e.Method, e.Url[sites.Upstream.Root.AbsoluteUri.Length..]))
            .Concat(Files(second).Select(f => ("GET", f.Url[(f.Url.IndexOf("://", StringComparison.Ordinal) + 3)..]))).ToHashSet();
        Assert.All(sites.Upstream.Requests, r => Assert.Contains((r.Method, Uri.UnescapeDataString(r.Target.TrimStart('/'))), evidence));

        static IEnumerable<SnapshotFile> Files(SaveResult save) => save.Snapshot.Sources.SelectMany(s => s.Files);
    }

    [Fact]
    public async Task Sources_that_were_not_asked_for_go_along_with_their_own_age()
    {
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        SaveResult first = await sites.SaveAsync();
        sites.Clock.Advance(TimeSpan.FromDays(1));

        SaveResult second = await sites.SaveAsync("alpine");

        Assert.Equal(sites.Clock.GetUtcNow(), Of(second.Snapshot, "alpine").CapturedAt);
        Assert.Equal(Of(first.Snapshot, "debian").CapturedAt, Of(second.Snapshot, "debian").CapturedAt);
        Assert.Equal(Of(first.Snapshot, "debian").Files, Of(second.Snapshot, "debian").Files);
    }

    private static SourceSnapshot Of(Snapshot snapshot, string name) => snapshot.Sources.Single(s => s.Name == name);

    private static UpstreamFault Fault(string trouble) => trouble switch
    {
        "cut" => UpstreamFault.CutOff(0),
        "stall" => UpstreamFault.Stall(0),
        "html" => UpstreamFault.Delay(TimeSpan.Zero),
        _ => UpstreamFault.Status(int.Parse(trouble)),
    };
}

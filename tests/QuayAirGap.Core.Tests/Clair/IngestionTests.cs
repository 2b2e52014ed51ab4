using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>What a running Clair is known to have, read over its own API and held against generations.</summary>
public sealed class IngestionTests : IDisposable
{
    private const string Key = "c2hvcnQ="; // five bytes: Clair takes keys of any length

    private static readonly DateTimeOffset s_time = new(2026, 11, 20, 6, 30, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly BlobStore _store;

    public IngestionTests() => _store = Site.OpenOrCreate(_folder.Of("site")).Store;

    public static TheoryData<string, string, string> Forms => new()
    {
        { "alpine-main-v3.20-updater", "alpine", "/secdb.alpinelinux.org/v3.20/main.json" },
        { "alpine-community-edge-updater", "alpine", "/secdb.alpinelinux.org/edge/community.json" },
        { "osv/pypi", "osv", "/osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip" },
        { "ubuntu/updater/jammy", "ubuntu", "/security-metadata.canonical.com/oval/com.ubuntu.jammy.cve.oval.xml.bz2" },
        { "oracle-2024-updater", "oracle", "/linux.oracle.com/security/oval/com.oracle.elsa-2024.xml.bz2" },
        { "photon-updater-photon3", "photon", "/packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon3.xml" },
        { "photon-updater-3.0", "photon", "/packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon3.xml" },
        { "suse-updater-opensuse.leap.15.6", "suse", "/ftp.suse.com/pub/projects/security/oval/opensuse.leap.15.6.xml.gz" },
        { "debian/updater", "debian", "/security-tracker.debian.org/tracker/data/json" },
        { "rhel-vex", "rhel-vex", "/security.access.redhat.com/data/csaf/v2/vex/changes.csv" },
        { "clair.cvss", "clair.cvss", "/nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2026.meta" },
        { "aws-AL2023-updater", "aws", "/cdn.amazonlinux.com/al2023/core/guids/0f/x86_64/repodata/repomd.xml" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_fingerprint_proves_the_generation_whose_content_was_read(string updater, string source, string path)
    {
        Generation one = await GenerationAsync(1, (source, path, Content(source, 'a')));
        Generation two = await GenerationAsync(2, (source, path, Content(source, 'b')));
        Generation other = await GenerationAsync(3, ("kev", "/elsewhere/file", "x"));

        Assert.Equal((IngestionState.Current, 2), Judge(updater, Fingerprint(two, updater), two, one));
        Assert.Equal((IngestionState.Older, 1), Judge(updater, Fingerprint(one, updater), two, one));
        Assert.Equal((IngestionState.NotServed, 1), Judge(updater, Fingerprint(one, updater), other, two, one));
        Assert.Equal((IngestionState.Unproven, null), Judge(updater, Fingerprint(one, updater), two));
        Assert.All((string[])["", "\"\"", "null", "{}", "{", "[]", "\\\\\\", "\"x\"", "{\"Etag\":3}"], f => Assert.Equal((IngestionState.Unproven, null), Judge(updater, f, two, one)));
        Assert.Equal(source, IngestionEvaluator.SourceOf(updater));
    }

    [Fact]
    public async Task Cvss_is_current_only_if_every_year_that_Clair_read_is()
    {
        const string Root = "/nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-";
        Generation now = await GenerationAsync(
            1, ("clair.cvss", Root + "2025.meta", Content("clair.cvss", 'a')), ("clair.cvss", Root + "2026.meta", Content("clair.cvss", 'b')),
            ("clair.cvss", Root + "2027.meta", Content("clair.cvss", 'c')));
        string Years(params (int Year, char Digest)[] years) => JsonSerializer.Serialize(years.ToDictionary(y => $"{y.Year}", y => new string(char.ToUpperInvariant(y.Digest), 64)));
        Assert.Equal(IngestionState.Current, Judge("clair.cvss", Years((2025, 'a'), (2026, 'b')), now).State);
        Assert.Equal(IngestionState.Unproven, Judge("clair.cvss", Years((2025, 'a'), (2026, 'a')), now).State);
        Assert.Equal(IngestionState.Unproven, Judge("clair.cvss", Years((2024, 'a'), (2025, 'a'), (2026, 'b')), now).State);
    }

    [Fact]
    public async Task What_Clair_never_ingested_is_listed_and_photons_two_names_are_one()
    {
        Generation now = await GenerationAsync(
            1, ("osv", "/osv-vulnerabilities.storage.googleapis.com/Go/all.zip", "a"), ("photon", ServedFeeds.PhotonPath + "com.vmware.phsa-photon3.xml", "b"));
        now = now with
        {
            Sources =
            [
                new SourceSnapshot { Name = "osv", State = CaptureState.Captured, Updaters = ["osv/go", "osv/maven"] },
                new SourceSnapshot { Name = "photon", State = CaptureState.Captured, Updaters = ["photon-updater-3.0", "photon-updater-4.0"] },
            ],
        };
        IReadOnlyList<Ingestion> found = IngestionEvaluator.Evaluate(
            [new(Guid.NewGuid(), "osv/go", $"\"{now.Entries[0].Sha256}\"", s_time, false), new(Guid.NewGuid(), "photon-updater-photon3", "{}", s_time, false)], now, [], _store, s_time);
        Assert.Equal(["osv/maven", "photon-updater-4.0"], found.Where(f => f.State == IngestionState.Missing).Select(f => f.Updater));
        Assert.DoesNotContain(found, f => f.Updater == "photon-updater-3.0");
        Assert.Contains(found, f => f.Source == "oracle" && f.Updater is null && f.State == IngestionState.NotServed && f.Reason.Contains("look clean", StringComparison.Ordinal));
        Assert.DoesNotContain(found, f => f.Source == "repository-to-cpe");
    }

    [Theory]
    [InlineData("2026-12-31T23:00:00Z", "oracle-2026-updater")]
    [InlineData("2027-01-01T01:00:00Z", "oracle-2026-updater", "oracle-2027-updater")]
    public async Task A_year_of_Oracle_that_has_not_begun_is_not_missed(string at, params string[] missing)
    {
        Generation served = await GenerationAsync(1, ("oracle", ServedFeeds.OraclePath + "com.oracle.elsa-2027.xml.bz2", "a"));
        served = served with
        {
            Sources = [new SourceSnapshot { Name = "oracle", State = CaptureState.Captured, Updaters = ["oracle-2025-updater", "oracle-2026-updater", "oracle-2027-updater"] }],
        };

        IReadOnlyList<Ingestion> found = IngestionEvaluator.Evaluate(
            [new(Guid.NewGuid(), "oracle-2025-updater", "{}", s_time, false)], served, [], _store, DateTimeOffset.Parse(at, CultureInfo.InvariantCulture));

        Assert.Equal(missing, found.Where(f => f.Source == "oracle" && f.State == IngestionState.Missing).Select(f => f.Updater));
    }

    [Fact]
    public async Task A_running_Clair_is_read_in_both_kinds_with_a_token_that_it_accepts()
    {
        await using ClairServer clair = await ClairServer.StartAsync(Key, "quay");
        clair.Operations.Add(new("debian/updater", "old", s_time));
        clair.Operations.Add(new("debian/updater", "new", s_time.AddDays(1)));
        clair.Operations.Add(new("clair.cvss", "{}", s_time, "enrichment"));

        IReadOnlyList<ClairOperation> read = await new ClairClient(clair.Uri, Key, "quay", TimeProvider.System).LatestAsync(TestContext.Current.CancellationToken);

        Assert.Equal([("debian/updater", "new", false), ("clair.cvss", "{}", true)], read.Select(o => (o.Updater, o.Fingerprint, o.IsEnrichment)));
        Assert.Equal(s_time.AddDays(1), read[0].Date);
        Assert.Empty(clair.Refused);
    }

    [Theory]
    [InlineData("b3RoZXI=", "quay", 0, "another key")]
    [InlineData(Key, "somebody", 0, "another issuer")]
    [InlineData(Key, "quay", -10, "expired")]
    [InlineData(Key, "quay", 10, "not yet valid")]
    [InlineData(null, "quay", 0, "no bearer token")]
    public async Task A_refusal_says_what_to_do(string? key, string issuer, int minutes, string reason)
    {
        await using ClairServer clair = await ClairServer.StartAsync(Key, "quay");
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(minutes));
        FeedException error = await Assert.ThrowsAsync<FeedException>(
            () => new ClairClient(clair.Uri, key, issuer, clock).LatestAsync(TestContext.Current.CancellationToken));
        Assert.Equal(ErrorIds.ClairUnauthorized, error.ErrorId);
        Assert.Contains("-Psk", error.Remedy, StringComparison.Ordinal);
        Assert.Equal([reason], clair.Refused);
    }

    [Fact]
    public async Task Something_else_in_Clairs_place_is_an_error()
    {
        await using ClairServer clair = await ClairServer.StartAsync(Key, "quay");
        FeedException error = await Assert.ThrowsAsync<FeedException>(
            () => new ClairClient(new Uri(clair.Uri, "/elsewhere"), Key, "quay", TimeProvider.System).LatestAsync(TestContext.Current.CancellationToken));
        Assert.Equal(ErrorIds.ClairAnswer, error.ErrorId);
        Assert.Equal(
            ErrorIds.ClairUnauthorized,
            (await Assert.ThrowsAsync<FeedException>(() => new ClairClient(clair.Uri, "no base64!", "quay", TimeProvider.System).LatestAsync(TestContext.Current.CancellationToken))).ErrorId);
    }

    public void Dispose() => _folder.Dispose();

    private static string Content(string source, char digest) => source switch
    {
        "clair.cvss" => $"lastModifiedDate:2026-11-20T00:00:00-05:00\r\nsha256:{new string(char.ToUpperInvariant(digest), 64)}\r\n",
        "aws" => $"<repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><data type=\"primary\"><checksum>f</checksum></data><data type=\"updateinfo\"><checksum type=\"sha256\">{digest}{digest}</checksum></data></repomd>",
        _ => $"content {digest}",
    };

    /// <summary>What claircore's updater would have stored after reading this generation (clair.md A.15).</summary>
    private string Fingerprint(Generation generation, string updater)
    {
        GenerationEntry entry = generation.Entries[0];
        string tag = $"\"{entry.Sha256}\"";
        return updater switch
        {
            "debian/updater" => entry.LastModified!.Value.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture),
            "rhel-vex" => $"{tag}\\\"{generation.Entries[1].Sha256}\"\\2026-11-21T00:00:00Z\\6",
            "clair.cvss" => $$"""{"2026":"{{File.ReadAllText(_store.PathOf(entry.Sha256)).Split("sha256:")[1].Trim()}}"}""",
            "aws-AL2023-updater" => File.ReadAllText(_store.PathOf(entry.Sha256)).Split("sha256\">")[1].Split('<')[0],
            _ when updater.StartsWith("oracle", StringComparison.Ordinal) || updater.StartsWith("photon", StringComparison.Ordinal) || updater.StartsWith("suse", StringComparison.Ordinal) =>
                JsonSerializer.Serialize(new Dictionary<string, string> { ["Etag"] = tag, ["Date"] = "Fri, 20 Nov 2026 06:30:00 GMT" }),
            _ => tag,
        };
    }

    private (IngestionState State, int? Generation) Judge(string updater, string fingerprint, Generation current, params Generation[] earlier)
    {
        Ingestion found = IngestionEvaluator.Evaluate(
            [new(Guid.NewGuid(), updater, fingerprint, s_time, false)], current, earlier.Select(g => (Func<Generation>)(() => g)), _store, s_time).Single(f => f.Operation is not null);
        Assert.NotEmpty(found.Reason);
        return (found.State, found.Generation);
    }

    private async Task<Generation> GenerationAsync(int number, params (string Source, string Path, string Content)[] files)
    {
        List<GenerationEntry> entries = [];
        IEnumerable<(string, string, string)> all = files.Any(f => f.Source == "rhel-vex")
            ? files.Append(("rhel-vex", "/security.access.redhat.com/data/csaf/v2/vex/deletions.csv", $"deletions {number}"))
            : files;
        foreach ((string source, string path, string content) in all)
        {
            (string sha256, long size) = await _store.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes(content)), TestContext.Current.CancellationToken);
            entries.Add(new GenerationEntry
            {
                Path = path,
                Source = source,
                Sha256 = sha256,
                Size = size,
                ContentType = "text/plain",
                LastModified = s_time.AddHours(number),
            });
        }

        return new Generation
        {
            Number = number,
            PublishedAt = s_time,
            Stream = Guid.NewGuid(),
            Sequence = number,
            HighestSequence = number,
            NewestSnapshot = s_time,
            SnapshotSha256 = new string('0', 64),
            Sources = [],
            Entries = entries,
        };
    }
}

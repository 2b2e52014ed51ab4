using System.Text;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

public sealed class SnapshotTests : IDisposable
{
    private static readonly Snapshot s_sample = new()
    {
        Stream = BundleKit.Stream,
        Sequence = 12,
        Created = Pki.Now,
        Expires = Pki.Now.AddDays(30),
        Producer = "QuayAirGap 0.1.0",
        Sources =
        [
            new SourceSnapshot
            {
                Name = "alpine",
                State = CaptureState.Failed,
                CapturedAt = Pki.Now.AddDays(-1).AddTicks(1234567),
                UpstreamModified = Pki.Now.AddDays(-2),
                Error = "The upstream answered 503.\nTwice.",
                ErrorId = ErrorIds.UpstreamStatus,
                NewestAdvisory = Pki.Now.AddDays(-3),
                Sample = ["v3.20/main/a CVE-2026-1", "v3.20/main/b CVE-2026-2"],
                Releases = ["v3.20"],
                Evidence =
                [
                    new RequestEvidence("HEAD", "http://cache.example/secdb.alpinelinux.org/v3.21/", 404),
                    new RequestEvidence("GET", "http://cache.example/x?y", 0, "\"t\"", Pki.Now, ErrorIds.UpstreamStalled),
                ],
                Findings =
                [
                    new ContentFindings
                    {
                        Sha256 = File("https://secdb.alpinelinux.org/v3.20/main.json").Sha256,
                        Rules = "test/1",
                        HeldBack = [new HeldBackFinding("CVE-2026-1", "harms", 3), new HeldBackFinding("v3.1", "is dropped")],
                    },
                ],
                EvidenceOmitted = 3,
                TlsPeers = [new TlsPeer("secdb.alpinelinux.org", "CN=secdb", "CN=CA", new string('d', 64), "Tls13")],
                AcceptedRegression = "4 advisories instead of 5",
                Updaters = ["alpine-main-v3.20-updater"],
                AdvisoryCount = 42,
                Deselected = ["v3.3"],
                Directories = ["https://secdb.alpinelinux.org/v3.20/"],
                Files =
                [
                    File("https://secdb.alpinelinux.org/v3.20/%C3%A9"),
                    File("https://secdb.alpinelinux.org/v3.20/main.json") with { Status = 206 },
                ],
                Layer = new LayerDescriptor(new string('c', 64), 100, 2048),
            },
            new SourceSnapshot { Name = "something-of-tomorrow", State = CaptureState.Unsupported },
        ],
    };

    private readonly TempSite _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_snapshot_comes_back_as_it_was_and_is_written_the_same_way_again()
    {
        byte[] bytes = SnapshotDocument.Serialize(s_sample);
        Snapshot read = SnapshotDocument.Parse(bytes);

        Assert.Equal(bytes, SnapshotDocument.Serialize(read));
        Assert.Equivalent(s_sample, read, strict: true);
        Assert.Equal(TimeSpan.Zero, read.Created.Offset);
        string text = Encoding.UTF8.GetString(bytes);
        Assert.Contains("\"state\":\"failed\"", text);
        Assert.Contains("\"created\":\"2026-11-23T12:00:00Z\"", text);
        Assert.Contains("\"capturedAt\":\"2026-11-22T12:00:00.1234567Z\"", text);
        Assert.DoesNotContain("\"base\"", text);
    }

    [Fact]
    public void The_same_moment_in_another_zone_is_written_the_same_way()
    {
        Snapshot elsewhere = s_sample with { Created = s_sample.Created.ToOffset(TimeSpan.FromHours(9)) };
        Assert.Equal(SnapshotDocument.Serialize(s_sample), SnapshotDocument.Serialize(elsewhere));
    }

    [Fact]
    public void Tens_of_thousands_of_files_are_read_without_trouble()
    {
        Snapshot large = s_sample with
        {
            Sources = [s_sample.Sources[0] with { Files = [.. Enumerable.Range(0, 60_000).Select(i => File($"https://x.example/{i:d6}.json"))] }],
        };
        Assert.Equal(60_000, SnapshotDocument.Parse(SnapshotDocument.Serialize(large)).Sources[0].Files.Count);
    }

    public static TheoryData<string, string, string> BadDocuments() => new()
    {
        { ErrorIds.BundleVersion, "\"version\":1", "\"version\":2" },
        { ErrorIds.BundleVersion, "\"version\":1", "\"version\":0" },
        { ErrorIds.BundleVersion, "\"version\":1,", "" },
        { ErrorIds.BundleVersion, "\"version\":1", "\"version\":2,\"volumes\":[{\"a\":1}]" },
        { ErrorIds.BundleInvalid, "\"version\":1", "\"version\":\"1\"" },
        { ErrorIds.BundleInvalid, "\"version\":1", "\"version\":1.5" },
        { ErrorIds.BundleInvalid, "quayairgap.snapshot", "other" },
        { ErrorIds.BundleInvalid, "\"version\":1", "\"version\":1,\"unknown\":1" },
        { ErrorIds.BundleInvalid, "\"version\":1", "\"version\":1,\"version\":1" },
        { ErrorIds.BundleInvalid, "\"sequence\":12", "\"sequence\":12,\"sequence\":13" },
        { ErrorIds.BundleInvalid, "\"sequence\":12", "\"sequence\":12,\"\\u0073equence\":13" },
        { ErrorIds.BundleInvalid, "\"sequence\":12", "\"sequence\":0" },
        { ErrorIds.BundleInvalid, "\"sequence\":12", "\"sequence\":\"12\"" },
        { ErrorIds.BundleInvalid, "\"sequence\":12", "\"sequence\":99999999999999999999" },
        { ErrorIds.BundleInvalid, "\"sequence\":12,", "" },
        { ErrorIds.BundleInvalid, "2026-12-23T12:00:00Z", "2026-11-23T12:00:00Z" },
        { ErrorIds.BundleInvalid, "2026-12-23T12:00:00Z", "2028-12-23T12:00:00Z" },
        { ErrorIds.BundleInvalid, "2026-12-23T12:00:00Z", "2026-12-23T12:00:00+01:00" },
        { ErrorIds.BundleInvalid, "2026-12-23T12:00:00Z", "tomorrow" },
        { ErrorIds.BundleInvalid, "2026-11-22T12:00:00.1234567Z", "2026-11-24T12:00:00Z" },
        { ErrorIds.BundleInvalid, "\"failed\"", "\"Failed\"" },
        { ErrorIds.BundleInvalid, "\"failed\"", "\"failed,captured\"" },
        { ErrorIds.BundleInvalid, "\"failed\"", "1" },
        { ErrorIds.BundleInvalid, "\"failed\"", "null" },
        { ErrorIds.BundleInvalid, "\"failed\"", "\"missing\"" },
        { ErrorIds.BundleInvalid, "something-of-tomorrow", "alpine" },
        { ErrorIds.BundleInvalid, "something-of-tomorrow", "../x" },
        { ErrorIds.BundleInvalid, "something-of-tomorrow", "\\u001b[2J" },
        { ErrorIds.BundleInvalid, "\"producer\":\"QuayAirGap 0.1.0\"", "\"producer\":null" },
        { ErrorIds.BundleInvalid, "\"producer\":\"QuayAirGap 0.1.0\"", "\"producer\":\"\\ud800\"" },
        { ErrorIds.BundleInvalid, "\"deselected\":[\"v3.3\"]", "\"deselected\":[null]" },
        { ErrorIds.BundleInvalid, "\"deselected\":[\"v3.3\"]", "\"deselected\":null" },
        { ErrorIds.BundleInvalid, "\"errorId\":\"UpstreamStatus\"", "\"errorId\":\"Upstream Status\"" },
        { ErrorIds.BundleInvalid, "\"errorId\":\"UpstreamStatus\"", "\"errorId\":\"\"" },
        { ErrorIds.BundleInvalid, "\"newestAdvisory\":\"2026-11-20T12:00:00Z\"", "\"newestAdvisory\":\"soon\"" },
        { ErrorIds.BundleInvalid, "\"sample\":[", "\"sample\":[\"a\\u0007\"," },
        { ErrorIds.BundleInvalid, "\"sample\":[", "\"sample\":[null," },
        { ErrorIds.BundleInvalid, "\"releases\":[\"v3.20\"]", "\"releases\":[\"\"]" },
        { ErrorIds.BundleInvalid, "\"releases\":[\"v3.20\"]", "\"releases\":\"v3.20\"" },
        { ErrorIds.BundleInvalid, "\"4 advisories instead of 5\"", "\"\\u001b[2J\"" },
        { ErrorIds.BundleLimit, "\"sample\":[", "\"sample\":[" + string.Concat(Enumerable.Repeat("\"x\",", 64)) },
        { ErrorIds.BundleInvalid, "\"method\":\"HEAD\"", "\"method\":\"POST\"" },
        { ErrorIds.BundleInvalid, "\"status\":404", "\"status\":1000" },
        { ErrorIds.BundleInvalid, "\"error\":\"UpstreamStalled\"", "\"error\":\"\\u001b\"" },
        { ErrorIds.BundleInvalid, "v3.21/", "\\u001b" },
        { ErrorIds.BundleInvalid, "\"evidence\":[", "\"evidence\":[null," },
        { ErrorIds.BundleInvalid, "\"evidenceOmitted\":3", "\"evidenceOmitted\":-3" },
        { ErrorIds.BundleInvalid, "dddddddd", "DDDDDDDD" },
        { ErrorIds.BundleInvalid, "\"tlsPeers\":[", "\"tlsPeers\":[null," },
        { ErrorIds.BundleInvalid, "\"status\":206", "\"status\":500" },
        { ErrorIds.BundleLimit, "\"evidence\":[", "\"evidence\":[" + string.Concat(Enumerable.Repeat("{\"method\":\"GET\",\"url\":\"x\",\"status\":0},", 1000)) },
        { ErrorIds.BundleInvalid, "\"advisoryCount\":42", "\"advisoryCount\":-1" },
        { ErrorIds.BundleInvalid, "\"size\":5,", "\"size\":-5," },
        { ErrorIds.BundleInvalid, "\"size\":5,", "\"size\":5.5," },
        { ErrorIds.BundleInvalid, "\"size\":100", "\"size\":0" },
        { ErrorIds.BundleInvalid, "\"tarSize\":2048", "\"tarSize\":2047" },
        { ErrorIds.BundleInvalid, "cccccccc", "CCCCCCCC" },
        { ErrorIds.BundleInvalid, "\"version\":1", "\"version\":1,\"base\":\"" + "x\"" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/%20.json" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/%C3%A9" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/a?b=c" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/a#b" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/../b" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/a%2Fb" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/%2e%2e%2fb" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/a%5Cb" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/a%00b" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/%ff" },
        { ErrorIds.BundleInvalid, "v3.20/main.json", "v3.20/a b" },
        { ErrorIds.BundleInvalid, "https://secdb.alpinelinux.org/v3.20/main.json", "https://SECDB.alpinelinux.org/v3.20/main.json" },
        { ErrorIds.BundleInvalid, "https://secdb.alpinelinux.org/v3.20/main.json", "https://secdb.alpinelinux.org:8443/v3.20/main.json" },
        { ErrorIds.BundleInvalid, "https://secdb.alpinelinux.org/v3.20/main.json", "https://a:b@secdb.alpinelinux.org/v3.20/main.json" },
        { ErrorIds.BundleInvalid, "https://secdb.alpinelinux.org/v3.20/main.json", "file:///etc/passwd" },
        { ErrorIds.BundleInvalid, "https://secdb.alpinelinux.org/v3.20/main.json", "/v3.20/main.json" },
        { ErrorIds.BundleInvalid, "\"directories\":[\"https://secdb.alpinelinux.org/v3.20/\"]", "\"directories\":[\"https://secdb.alpinelinux.org/v3.20\"]" },
        { ErrorIds.BundleInvalid, "\"eTag\":\"\\u0022x\\u0022\"", "\"eTag\":\"a\\r\\nSet-Cookie: b\"" },
        { ErrorIds.BundleInvalid, "\"sources\":[", "\"sources\":[null," },
        { ErrorIds.BundleInvalid, "\"files\":[", "\"files\":[null," },
        { ErrorIds.BundleInvalid, "\"format\"", "\"f\":[[[[[[[[[[[[1]]]]]]]]]]]],\"format\"" },
        { ErrorIds.BundleInvalid, "{\"format\"", "[{\"format\"" },
        { ErrorIds.BundleInvalid, "{\"format\"", "// comment\n{\"format\"" },
    };

    [Theory]
    [MemberData(nameof(BadDocuments))]
    public void A_document_that_is_not_exactly_a_snapshot_is_refused(string errorId, string from, string to)
    {
        string good = Encoding.UTF8.GetString(SnapshotDocument.Serialize(s_sample));
        int at = good.IndexOf(from, StringComparison.Ordinal);
        Assert.True(at >= 0, good);
        string bad = good[..at] + to + good[(at + from.Length)..];

        FeedException e = Assert.Throws<FeedException>(() => SnapshotDocument.Parse(Encoding.UTF8.GetBytes(bad)));

        Assert.Equal(errorId, e.ErrorId);
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
    }

    [Fact]
    public void No_cut_or_changed_document_is_read_as_anything_but_a_snapshot_or_an_error()
    {
        byte[] good = SnapshotDocument.Serialize(s_sample);
        for (int i = 0; i < good.Length; i++)
        {
            Assert.Throws<FeedException>(() => SnapshotDocument.Parse(good.AsSpan(0, i)));
            byte[] changed = [.. good];
            changed[i] ^= (byte)(1 << (i % 8));
            try
            {
                // A digit, a letter of a name: still a snapshot, only not the one that was signed.
                SnapshotDocument.Serialize(SnapshotDocument.Parse(changed));
            }
            catch (FeedException)
            {
            }
        }

        Assert.Throws<FeedException>(() => SnapshotDocument.Parse([.. good, (byte)'x']));
        Assert.Equal(ErrorIds.BundleLimit, Assert.Throws<FeedException>(() => SnapshotDocument.Parse(new byte[SnapshotDocument.MaxBytes + 1])).ErrorId);
    }

    [Fact]
    public void What_no_reader_would_take_is_not_written()
    {
        SourceSnapshot source = s_sample.Sources[0];
        ContentFindings findings = source.Findings![0];
        foreach (Snapshot bad in new[]
        {
            s_sample with { Sources = [] },
            s_sample with { Stream = Guid.Empty },
            s_sample with { Sources = [source with { Files = [.. source.Files.Reverse()] }] },
            s_sample with { Sources = [source with { Files = [source.Files[0], source.Files[0]] }] },
            s_sample with { Sources = [source with { Files = [source.Files[0], source.Files[1] with { Size = 6 }] }] },
            s_sample with { Sources = [source with { Files = [] }] },
            s_sample with { Sources = [source with { CapturedAt = null }] },
            s_sample with { Sources = [source with { Findings = [findings with { Sha256 = new string('9', 64) }] }] },
            s_sample with { Sources = [source with { Findings = [findings, findings] }] },
            s_sample with { Sources = [source with { Findings = [findings with { Rules = "" }] }] },
            s_sample with { Sources = [source with { Findings = [findings with { HeldBack = [new HeldBackFinding("a\n", "b")] }] }] },
            s_sample with { Sources = [source with { Findings = [findings with { HeldBack = [new HeldBackFinding("a", "b", -1)] }] }] },
        })
        {
            Assert.Equal(ErrorIds.BundleInvalid, Assert.Throws<FeedException>(() => SnapshotDocument.Serialize(bad)).ErrorId);
        }
    }

    [Fact]
    public void The_store_keeps_documents_and_signatures_byte_for_byte_and_knows_the_newest()
    {
        var store = new SnapshotStore(_temp.Site);
        Assert.Empty(store.List());
        Assert.Null(store.LoadNewest());
        byte[] older = SnapshotDocument.Serialize(s_sample with { Sequence = 9 });
        byte[] newer = SnapshotDocument.Serialize(s_sample with { Sequence = 10_000_000_000 });

        StoredSnapshot second = store.Save(newer, [[1], [2, 3]], 10_000_000_000);
        StoredSnapshot first = store.Save(older, [], 9);
        store.Save(older, [], 9);

        Assert.Equal([first, second], store.List());
        Assert.Equal(10_000_000_000, store.LoadNewest()!.Sequence);
        Assert.Equal(9, store.Load(Sha256Digest.Of(older)).Sequence);
        Assert.Equal(newer, store.ReadBytes(second.Sha256));
        Assert.Equal([[1], [2, 3]], store.ReadSignatures(second.Sha256));
        Assert.EndsWith($"0000000009-{first.Sha256}.json", first.Path);

        store.Remove(second.Sha256);
        store.Remove(second.Sha256);
        Assert.Equal([first.Path], Directory.GetFiles(_temp.Site.SnapshotsFolder));
    }

    [Fact]
    public void A_damaged_or_lost_snapshot_of_the_site_is_said_and_never_used()
    {
        var store = new SnapshotStore(_temp.Site);
        StoredSnapshot stored = store.Save(SnapshotDocument.Serialize(s_sample), [], 12);
        byte[] bytes = System.IO.File.ReadAllBytes(stored.Path);
        bytes[40] ^= 1;
        System.IO.File.WriteAllBytes(stored.Path, bytes);

        Assert.Equal(ErrorIds.SiteDamaged, Assert.Throws<FeedException>(() => store.LoadNewest()).ErrorId);
        Assert.Equal(ErrorIds.SiteDamaged, Assert.Throws<FeedException>(() => store.Load(stored.Sha256)).ErrorId);
        Assert.Equal(ErrorIds.SiteDamaged, Assert.Throws<FeedException>(() => store.Load(new string('a', 64))).ErrorId);
    }

    private static SnapshotFile File(string url) => new()
    {
        Url = url,
        Sha256 = Sha256Digest.Of("hello"u8),
        Size = 5,
        LastModified = Pki.Now.AddDays(-2),
        ETag = "\"x\"",
        ContentType = "application/json",
    };
}

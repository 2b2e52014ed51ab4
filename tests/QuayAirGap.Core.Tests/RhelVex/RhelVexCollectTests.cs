using System.Text;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.RhelVex;

public sealed class RhelVexCollectTests : IDisposable
{
    private const string Lists = "archive_latest.txt changes.csv deletions.csv";
    private static readonly DateTimeOffset s_now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();
    private readonly BlobStore _store;
    private readonly VexUpstream _upstream;

    public RhelVexCollectTests()
    {
        _store = new BlobStore(_folder.Of("store"), _folder.Of("staging"));
        _upstream = new VexUpstream(_store);
        for (int i = 1000; i < 1010; i++)
        {
            _upstream.Put($"2024/cve-2024-{i}.json", 1, s_now.AddDays(-30));
        }

        _upstream.Pack(s_now.AddDays(-2));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_capture_takes_the_lists_then_the_archive_then_what_is_newer()
    {
        _upstream.Put("2024/cve-2024-1001.json", 2, s_now.AddDays(-1));
        _upstream.Put("2024/cve-2024-1002.json", 2, s_now.AddDays(-2));
        _upstream.Put("2026/cve-2026-2000.json", 1, s_now.AddDays(-20));

        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);

        Assert.Equal([.. Lists.Split(' '), _upstream.ArchiveName], _upstream.Requests[..4]);
        Assert.Equal(
            ["2024/cve-2024-1001.json", "2024/cve-2024-1002.json", "2026/cve-2026-2000.json"], Documents(capture));
        Assert.Equal(["changes.csv", "deletions.csv"], _upstream.Requests[^2..]);
        Assert.Equal(11, capture.AdvisoryCount);
        Assert.Equal(["rhel-vex"], capture.Updaters);
        Assert.Equal(s_now.AddDays(-1), capture.UpstreamModified);
    }

    [Fact]
    public async Task The_archive_is_held_against_the_checksum_beside_it_where_upstream_has_one()
    {
        string sum = Sha256Digest.Of(_upstream.Archive);
        _upstream.Checksum = $"{sum.ToUpperInvariant()}  {_upstream.ArchiveName}\n";
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        Assert.Equal(10, capture.AdvisoryCount);
        Assert.DoesNotContain(capture.Files, f => f.Url.EndsWith(".sha256", StringComparison.Ordinal));

        _upstream.Checksum = new string('0', 64) + "\n";
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now));
        Assert.Equal(ErrorIds.UpstreamChanged, e.ErrorId);
        Assert.Contains(sum, e.Message, StringComparison.Ordinal);

        _upstream.Checksum = "<html>Not here</html>";
        Assert.Equal(ErrorIds.UpstreamContent, (await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now))).ErrorId);

        // What was held against it once is the same bytes ever after.
        Assert.Equal(10, (await _upstream.CaptureAsync(s_now.AddDays(1), capture)).AdvisoryCount);
    }

    [Fact]
    public async Task A_document_that_changed_while_the_archive_was_made_is_taken_singly()
    {
        _upstream.Put("2024/cve-2024-1001.json", 2, s_now.AddDays(-2).AddHours(-2));

        Assert.Equal(["2024/cve-2024-1001.json"], Documents(await _upstream.CaptureAsync(s_now)));
    }

    [Fact]
    public async Task Later_captures_take_only_what_changed()
    {
        _upstream.Put("2024/cve-2024-1001.json", 2, s_now.AddDays(-1));
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        _upstream.Put("2024/cve-2024-1003.json", 2, s_now.AddHours(1));
        _upstream.Put("2026/cve-2026-2000.json", 1, s_now.AddHours(1));
        _upstream.Delete("2024/cve-2024-1004.json", s_now.AddHours(1));
        _upstream.Pack(s_now.AddHours(2));
        _upstream.Requests.Clear();

        SourceSnapshot second = await _upstream.CaptureAsync(s_now.AddDays(1), first);

        Assert.Equal(
            [.. Lists.Split(' '), "2024/cve-2024-1003.json", "2026/cve-2026-2000.json", "changes.csv", "deletions.csv"],
            [.. _upstream.Requests[..3], .. _upstream.Requests[3..5].Order(StringComparer.Ordinal), .. _upstream.Requests[5..]]);
        Assert.Equal(["2024/cve-2024-1001.json", "2024/cve-2024-1003.json", "2026/cve-2026-2000.json"], Documents(second));
        Assert.Equal(Archive(first), Archive(second));
        Assert.Equal(10, second.AdvisoryCount);
    }

    [Fact]
    public async Task A_row_with_another_stamp_is_taken_even_where_the_stamp_is_older_than_the_archive()
    {
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        _upstream.Put("2024/cve-2024-1005.json", 2, s_now.AddDays(-20));

        Assert.Equal(["2024/cve-2024-1005.json"], Documents(await _upstream.CaptureAsync(s_now.AddDays(1), first)));
    }

    [Fact]
    public async Task A_document_that_leaves_the_lists_without_a_deletion_stays()
    {
        _upstream.Put("2026/cve-2026-2000.json", 1, s_now.AddHours(-1));
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        _upstream.Documents.Remove("2026/cve-2026-2000.json");
        _upstream.Changes.Remove("2026/cve-2026-2000.json");

        SourceSnapshot second = await _upstream.CaptureAsync(s_now.AddDays(1), first);

        Assert.Equal(["2026/cve-2026-2000.json"], Documents(second));
        Assert.Equal(11, second.AdvisoryCount);
    }

    [Fact]
    public async Task A_newer_archive_is_taken_when_there_is_too_much_to_fetch_singly()
    {
        _upstream.Put("2024/cve-2024-1001.json", 2, s_now.AddDays(-1));
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        for (int i = 0; i <= 2000; i++)
        {
            _upstream.Put($"2025/cve-2025-{1000 + i}.json", 1, s_now.AddHours(1));
        }

        _upstream.Pack(s_now.AddDays(1));
        _upstream.Put("2024/cve-2024-1002.json", 3, s_now.AddDays(1).AddHours(1));
        _upstream.Requests.Clear();

        SourceSnapshot second = await _upstream.CaptureAsync(s_now.AddDays(2), first);

        Assert.Equal(VexUpstream.Base + _upstream.ArchiveName, Archive(second).Url);
        Assert.Equal(["2024/cve-2024-1002.json"], Documents(second));
        Assert.Equal(2011, second.AdvisoryCount);
        Assert.Equal(8, _upstream.Requests.Count); // three lists, HEAD and GET of the archive, one document, two lists
    }

    [Fact]
    public async Task Without_a_newer_archive_everything_is_fetched_singly()
    {
        SourceSnapshot first = await _upstream.CaptureAsync(s_now);
        for (int i = 0; i <= 2000; i++)
        {
            _upstream.Put($"2025/cve-2025-{1000 + i}.json", 1, s_now.AddHours(1));
        }

        SourceSnapshot second = await _upstream.CaptureAsync(s_now.AddDays(1), first);

        Assert.Equal(2001, Documents(second).Count);
        Assert.Equal(Archive(first), Archive(second));
    }

    [Fact]
    public async Task What_changes_while_documents_are_fetched_is_taken_too()
    {
        _upstream.Put("2024/cve-2024-1001.json", 2, s_now.AddHours(-1));
        bool done = false;
        _upstream.Before = name =>
        {
            if (!done && name == "2024/cve-2024-1001.json")
            {
                done = true;
                _upstream.Put("2024/cve-2024-1002.json", 7, s_now);
                _upstream.Delete("2024/cve-2024-1003.json", s_now);
            }
        };

        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);

        Assert.Equal(["2024/cve-2024-1001.json", "2024/cve-2024-1002.json"], Documents(capture));
        Assert.Equal(9, capture.AdvisoryCount);
        SnapshotFile changes = capture.Files.Single(f => f.Url.EndsWith("changes.csv", StringComparison.Ordinal));
        Assert.Equal(Sha256Digest.Of(VexUpstream.Rows(_upstream.Changes)), changes.Sha256);
    }

    [Fact]
    public async Task An_upstream_that_never_stands_still_is_not_captured()
    {
        int version = 1;
        _upstream.Before = name =>
        {
            if (name == "changes.csv")
            {
                _upstream.Put("2024/cve-2024-1002.json", ++version, s_now.AddSeconds(version));
            }
        };

        Assert.Equal(ErrorIds.UpstreamChanged, (await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now))).ErrorId);
    }

    [Fact]
    public async Task A_listed_document_that_is_not_there_fails_the_source()
    {
        _upstream.Put("2026/cve-2026-2000.json", 1, s_now.AddHours(-1));
        _upstream.Documents.Remove("2026/cve-2026-2000.json");

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now));

        Assert.Equal(ErrorIds.UpstreamIncomplete, e.ErrorId);
        Assert.Equal(VexUpstream.Base + "2026/cve-2026-2000.json", e.Target);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_document_withdrawn_between_the_list_and_its_turn_is_no_error(bool withDeletionRow)
    {
        const string Path = "2026/cve-2026-2000.json";
        _upstream.Put(Path, 1, s_now.AddHours(-1));
        _upstream.Before = name =>
        {
            if (name == Path)
            {
                _upstream.Delete(Path, s_now);
                if (!withDeletionRow)
                {
                    _upstream.Deletions.Remove(Path);
                }
            }
        };

        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);

        Assert.Empty(Documents(capture));
        Assert.Equal(10, capture.AdvisoryCount);
    }

    [Theory]
    [InlineData("<html>Please log in</html>")]
    [InlineData("")]
    [InlineData("{\"document\":{\"tracking\":{\"id\":\"CVE-2026-2000\"}}")]
    [InlineData("{\"document\":{\"tracking\":{\"id\":\"CVE-2026-2000\"}}}{}")]
    [InlineData("{\"document\":{\"tracking\":{\"id\":\"CVE-2026-2001\"}}}")]
    [InlineData("{\"document\":{\"tracking\":{\"id\":7}}}")]
    [InlineData("{\"document\":{\"other\":{\"tracking\":{\"id\":\"CVE-2026-2000\"}},\"id\":\"CVE-2026-2000\"}}")]
    [InlineData("{\"document\":{},\"tracking\":{\"id\":\"CVE-2026-2000\"}}")]
    [InlineData("[{\"document\":{\"tracking\":{\"id\":\"CVE-2026-2000\"}}}]")]
    [InlineData("{\"id\":\"CVE-2026-2000\"}")]
    public async Task A_document_that_is_not_the_one_asked_for_fails_the_source(string content)
    {
        _upstream.Put("2026/cve-2026-2000.json", 1, s_now.AddHours(-1));
        _upstream.Documents["2026/cve-2026-2000.json"] = content;

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now));

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.Equal(VexUpstream.Base + "2026/cve-2026-2000.json", e.Target);
    }

    [Fact]
    public async Task A_large_document_is_read_in_pieces()
    {
        const string Path = "2026/cve-2026-2000.json";
        var content = new StringBuilder("{\"product_tree\":{\"branches\":[");
        for (int i = 0; i < 60_000; i++)
        {
            content.Append(i % 2 == 0 ? "{\"id\":\"x\",\"document\":{\"tracking\":{\"id\":\"no\"}}}," : "[\"" + new string('y', i % 50) + "\"],");
        }

        content.Append('"').Append('z', 400_000)
            .Append("\"]},\"document\":{\"notes\":[{\"tracking\":{\"id\":\"no\"}}],\"tracking\":{\"generator\":{\"id\":\"no\"},\"id\":\"CVE-2026-2000\"}}}");
        _upstream.Put(Path, 1, s_now.AddHours(-1));
        _upstream.Documents[Path] = content.ToString();

        Assert.Equal([Path], Documents(await _upstream.CaptureAsync(s_now)));
    }

    [Fact]
    public async Task An_archive_with_a_document_that_is_not_JSON_fails_the_source()
    {
        _upstream.Archive = VexUpstream.MakeArchive(("2024/cve-2024-1000.json", "{}"), ("2024/cve-2024-1001.json", "{"));

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _upstream.CaptureAsync(s_now));

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.Contains("2024/cve-2024-1001.json", e.Message);
    }

    [Theory]
    [InlineData("../../etc/passwd.tar.zst")]
    [InlineData("https://evil.example/a.tar.zst")]
    [InlineData("//evil.example/a.tar.zst")]
    [InlineData("a.tar.zst?x")]
    [InlineData("csaf_vex_2025-02-01.tar.gz")]
    [InlineData("<html>")]
    [InlineData("")]
    public async Task A_latest_archive_that_is_not_a_file_beside_it_fails_the_source(string name)
    {
        var upstream = new VexUpstream(_store);
        upstream.Pack(s_now);
        typeof(VexUpstream).GetProperty(nameof(VexUpstream.ArchiveName))!.SetValue(upstream, name);

        Assert.Equal(ErrorIds.UpstreamContent, (await Assert.ThrowsAsync<FeedException>(() => upstream.CaptureAsync(s_now))).ErrorId);
    }

    [Fact]
    public async Task Documents_that_Clair_does_not_read_are_not_fetched()
    {
        _upstream.Put("2014/cve-2014-0001.json", 1, s_now.AddHours(-1));

        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);

        Assert.Empty(Documents(capture));
        Assert.Equal(10, capture.AdvisoryCount);
    }

    private static List<string> Documents(SourceSnapshot capture) =>
        [.. capture.Files.Select(f => f.Url[VexUpstream.Base.Length..]).Where(n => n.Contains('/')).Order(StringComparer.Ordinal)];

    private static SnapshotFile Archive(SourceSnapshot capture) =>
        capture.Files.Single(f => f.Url.EndsWith(".tar.zst", StringComparison.Ordinal));
}

using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.RhelVex;

public sealed class RhelVexPublishTests : IDisposable
{
    private const string Old = "2024/cve-2024-1000.json";
    private const string Recent = "2024/cve-2024-1001.json";
    private const string New = "2026/cve-2026-2000.json";
    private static readonly DateTimeOffset s_now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan s_margin = TimeSpan.FromHours(4);

    private readonly TempFolder _folder = new();
    private readonly BlobStore _store;
    private readonly VexUpstream _upstream;
    private readonly VexMirror _mirror;

    public RhelVexPublishTests()
    {
        _store = new BlobStore(_folder.Of("store"), _folder.Of("staging"));
        _upstream = new VexUpstream(_store);
        _mirror = new VexMirror(_store, _folder.Of("state"));
        _upstream.Put(Old, 1, s_now.AddDays(-60));
        _upstream.Put(Recent, 1, s_now.AddDays(-10));
        _upstream.Pack(s_now.AddDays(-5));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_publication_dates_recent_rows_anew_and_leaves_old_ones()
    {
        _upstream.Put(New, 1, s_now.AddDays(-1));
        await PublishAsync(s_now);

        Dictionary<string, DateTimeOffset> changes = _mirror.Rows("changes.csv");
        Assert.Equal(s_now.AddDays(-60), changes[Old]);
        Assert.Equal(s_now + s_margin, changes[Recent]);
        Assert.Equal(s_now + s_margin, changes[New]);
    }

    [Fact]
    public async Task The_first_publication_upon_an_old_archive_dates_anew_whatever_is_not_older_than_it()
    {
        _upstream.Pack(s_now.AddDays(-100));
        await PublishAsync(s_now);

        Assert.All(_mirror.Rows("changes.csv").Values, stamp => Assert.Equal(s_now + s_margin, stamp));
    }

    [Fact]
    public async Task Only_what_changed_is_dated_anew()
    {
        SourceSnapshot first = await PublishAsync(s_now);
        _upstream.Put(Recent, 2, s_now.AddHours(1));
        _upstream.Put(New, 1, s_now.AddHours(1));
        DateTimeOffset later = s_now.AddDays(3);
        await PublishAsync(later, first);

        Dictionary<string, DateTimeOffset> changes = _mirror.Rows("changes.csv");
        Assert.Equal(s_now.AddDays(-60), changes[Old]);
        Assert.Equal(later + s_margin, changes[Recent]);
        Assert.Equal(later + s_margin, changes[New]);
        Assert.Equal(later + s_margin + TimeSpan.FromSeconds(1), _mirror.Entry(_mirror.Text("archive_latest.txt"))!.LastModified);
    }

    [Fact]
    public async Task A_new_stamp_without_new_content_changes_nothing()
    {
        SourceSnapshot first = await PublishAsync(s_now);
        Generation before = _mirror.Current!;
        _upstream.Changes[Recent] = s_now.AddHours(1);
        await PublishAsync(s_now.AddDays(1), first);

        Assert.Equal(before.Entries, _mirror.Current!.Entries);
        Assert.Same(before.Archives[0], _mirror.Current.Archives[0]);
    }

    [Fact]
    public async Task A_document_that_goes_is_deleted_until_it_returns()
    {
        SourceSnapshot first = await PublishAsync(s_now);
        _upstream.Put(New, 1, s_now.AddHours(1));
        SourceSnapshot second = await PublishAsync(s_now.AddDays(1), first);
        await _mirror.PublishAsync(first, s_now.AddDays(2));

        Assert.Equal(s_now.AddDays(2) + s_margin + TimeSpan.FromSeconds(2), _mirror.Rows("deletions.csv")[New]);
        Assert.Null(_mirror.Get(New));

        await _mirror.PublishAsync(second, s_now.AddDays(3));
        Assert.Empty(_mirror.Rows("deletions.csv"));
        Assert.Equal(s_now.AddDays(3) + s_margin, _mirror.Rows("changes.csv")[New]);
    }

    [Fact]
    public async Task Upstreams_deletions_are_carried_but_none_that_stops_Clair()
    {
        _upstream.Delete(Recent, s_now.AddDays(-1));
        _upstream.Deletions["2020/cve-2020-9999.json"] = s_now.AddYears(-3);
        _upstream.Deletions["2020/readme.json"] = s_now.AddYears(-3);
        _upstream.Deletions["2020/CVE-2020-1.json"] = s_now.AddYears(-3);
        await PublishAsync(s_now);

        Assert.Equal(["2020/cve-2020-9999.json", Recent], _mirror.Rows("deletions.csv").Keys.Order(StringComparer.Ordinal));
        Assert.Equal([Old], _mirror.Rows("changes.csv").Keys);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_makes_no_stamp_go_backwards()
    {
        SourceSnapshot first = await PublishAsync(s_now.AddDays(30));
        _upstream.Put(Recent, 2, s_now.AddHours(1));
        await PublishAsync(s_now.AddDays(1), first);

        Assert.Equal(s_now.AddDays(30) + s_margin + TimeSpan.FromSeconds(3), _mirror.Rows("changes.csv")[Recent]);
    }

    [Fact]
    public async Task A_clock_that_is_behind_the_collectors_is_not_believed()
    {
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        await _mirror.PublishAsync(capture, s_now.AddYears(-1));

        Assert.Equal(s_now + s_margin, _mirror.Rows("changes.csv")[Recent]);
    }

    [Fact]
    public async Task The_margin_grows_with_the_time_that_a_whole_fetch_can_take()
    {
        SourceSnapshot first = await PublishAsync(s_now);
        for (int i = 0; i < 500; i++)
        {
            _upstream.Put($"2025/cve-2025-{1000 + i}.json", 1, s_now.AddHours(1));
        }

        await PublishAsync(s_now.AddDays(1), first);

        Assert.Equal(s_now.AddDays(1) + s_margin + TimeSpan.FromSeconds(50), _mirror.Rows("changes.csv").Values.Max());
    }

    [Fact]
    public async Task Documents_that_Clair_does_not_read_are_not_published()
    {
        _upstream.Put("2014/cve-2014-0001.json", 1, s_now.AddDays(-20));
        _upstream.Pack(s_now.AddDays(-5));
        await PublishAsync(s_now);

        Assert.Equal([Old, Recent], _mirror.Documents().Keys);
        Assert.Null(_mirror.Get("2014/cve-2014-0001.json"));
    }

    [Fact]
    public async Task A_document_that_Clair_could_never_delete_is_held_back_visibly()
    {
        _upstream.Put("2024/notice.json", 1, s_now.AddDays(-1));
        _upstream.Documents["2024/notice.json"] = """{"document":{"tracking":{"id":"NOTICE"}}}""";
        await PublishAsync(s_now);

        Assert.Equal("2024/notice.json", Assert.Single(_mirror.HeldBack).Item);
        Assert.Equal([Old, Recent], _mirror.Documents().Keys);
    }

    [Fact]
    public async Task A_bundle_that_lacks_a_listed_document_is_not_published()
    {
        _upstream.Put(New, 1, s_now.AddDays(-1));
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        capture = capture with { Files = [.. capture.Files.Where(f => !f.Url.EndsWith(New, StringComparison.Ordinal))] };

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _mirror.PublishAsync(capture, s_now));

        Assert.Equal(ErrorIds.PublicationFailed, e.ErrorId);
    }

    [Theory]
    [InlineData("changes.csv")]
    [InlineData("deletions.csv")]
    [InlineData(".tar.zst")]
    public async Task A_bundle_that_lacks_one_of_the_files_is_not_published(string name)
    {
        SourceSnapshot capture = await _upstream.CaptureAsync(s_now);
        capture = capture with { Files = [.. capture.Files.Where(f => !f.Url.EndsWith(name, StringComparison.Ordinal))] };

        Assert.Equal(ErrorIds.PublicationFailed, (await Assert.ThrowsAsync<FeedException>(() => _mirror.PublishAsync(capture, s_now))).ErrorId);
    }

    [Fact]
    public async Task An_earlier_archive_that_was_damaged_or_lost_is_not_built_upon()
    {
        SourceSnapshot first = await PublishAsync(s_now);
        foreach (bool lost in new[] { false, true })
        {
            string path = _store.PathOf(_mirror.Current!.Archives[0].ArchiveSha256);
            byte[] archive = await File.ReadAllBytesAsync(path);
            archive[archive.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(path, archive);
            if (lost)
            {
                File.Delete(path);
            }

            _upstream.Put(New, lost ? 2 : 1, s_now.AddHours(lost ? 2 : 1));
            first = await PublishAsync(s_now.AddDays(lost ? 2 : 1), first);

            Assert.Equal(_upstream.Documents, _mirror.Documents());
        }
    }

    [Fact]
    public async Task What_the_last_publication_left_is_not_guessed_at_when_it_is_broken()
    {
        SourceSnapshot first = await PublishAsync(s_now);
        string state = _folder.Of("state", "1", "rhel-vex", "stamps.txt");
        await File.WriteAllTextAsync(state, (await File.ReadAllTextAsync(state)).Replace('\t', ' '));

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => _mirror.PublishAsync(first, s_now.AddDays(1)));

        Assert.Equal(ErrorIds.GenerationDamaged, e.ErrorId);
    }

    [Fact]
    public async Task Documents_are_the_upstreams_bytes_and_everything_else_says_where_it_is_from()
    {
        _upstream.Put(New, 1, s_now.AddDays(-1));
        SourceSnapshot first = await PublishAsync(s_now);
        _upstream.Put(New, 2, s_now.AddHours(1));
        await PublishAsync(s_now.AddDays(1), first);

        Assert.All(_upstream.Documents, d => Assert.Equal(Encoding.UTF8.GetBytes(d.Value), _mirror.Get(d.Key)!.Value.Content));
        Assert.All(_mirror.Current!.Entries, e => Assert.StartsWith("rhel-vex.", e.Derivation!.Rule, StringComparison.Ordinal));
        Assert.Contains("generation 1", _mirror.Entry("changes.csv")!.Derivation!.Inputs);
        Assert.All(_mirror.Current.Entries, e => Assert.True(e.Validators));
    }

    [Fact]
    public async Task A_fresh_Clair_asks_for_no_single_document()
    {
        _upstream.Put(New, 1, s_now.AddDays(-1));
        _upstream.Deletions["2020/cve-2020-9999.json"] = s_now.AddDays(-1);
        await PublishAsync(s_now);
        var clair = new ClairModel();

        Assert.True(await clair.PollAsync(name => Task.FromResult(_mirror.Get(name)), () => s_now));

        Assert.Equal(0, clair.Singles);
        Assert.Equal(3, clair.Database.Count);
    }

    [Fact]
    public async Task A_Clair_that_comes_from_upstream_gets_what_a_plain_mirror_would_lose()
    {
        // It polled upstream an hour before the change, then was cut off; the mirror was set up a week later.
        var clair = new ClairModel();
        await PublishAsync(s_now);
        await clair.PollAsync(name => Task.FromResult(_mirror.Get(name)), () => s_now);
        _upstream.Put(Recent, 2, s_now.AddHours(-1));
        var mirror = new VexMirror(_store, _folder.Of("other"));
        await mirror.PublishAsync(await _upstream.CaptureAsync(s_now.AddDays(6)), s_now.AddDays(7));

        Assert.True(await clair.PollAsync(name => Task.FromResult(mirror.Get(name)), () => s_now.AddDays(8)));

        Assert.Equal(_upstream.Documents.Values.Order(StringComparer.Ordinal), clair.Database.Values.Order(StringComparer.Ordinal));
    }

    private async Task<SourceSnapshot> PublishAsync(DateTimeOffset at, SourceSnapshot? previous = null)
    {
        SourceSnapshot capture = await _upstream.CaptureAsync(at > s_now.AddDays(20) ? s_now : at, previous);
        await _mirror.PublishAsync(capture, at);
        return capture;
    }
}

using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Bundles;
using Xunit;

namespace QuayAirGap.Core.Tests.Delta;

/// <summary>Deltas from one site to the other: what they carry, who can take them, and what keeps a base.</summary>
public sealed class DeltaTests : IDisposable
{
    private readonly DeltaKit _kit = new();

    public DeltaTests()
    {
        for (int i = 0; i < 6; i++)
        {
            _kit.With($"one/doc-{(char)('a' + i)}.json", Content.Text(200_000, (uint)i));
        }

        _kit.With("one/feed.xml.gz", RecipeTests.Gzip(Content.Text(300_000, 50), 9, 2, "feed.xml"));
        _kit.With("two/same.json", Content.Text(100_000, 70));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _kit.Dispose();

    [Fact]
    public async Task A_delta_carries_what_changed_and_the_site_has_everything_afterwards()
    {
        WrittenBundle full = await _kit.FullAsync();
        await _kit.ImportAsync(full.Path);
        Change(1);
        _kit.With("one/new.json", Content.Text(5_000, 90)).Without("one/doc-f.json");
        WrittenBundle delta = await _kit.DeltaAsync(full);

        Assert.InRange(delta.Size, 1, full.Size / 20);
        Assert.Equal(full.SnapshotSha256, delta.Snapshot.Base);
        Assert.Equal(1, delta.Snapshot.BaseSequence);
        SourceSnapshot one = delta.Snapshot.Sources.Single(s => s.Name == "one");
        Assert.Single(one.Delta!.Whole);
        Assert.Equal([RecipeMethod.Gzip, RecipeMethod.Patch], one.Delta.Recipes.Select(r => r.Method).Order().Reverse());
        SourceSnapshot two = delta.Snapshot.Sources.Single(s => s.Name == "two");
        Assert.Null(two.Layer);
        Assert.Null(two.Delta);
        Assert.Single(two.Files);

        ImportResult result = await _kit.ImportAsync(delta.Path);
        Assert.True(result.Changed);
        Assert.Equal(2, result.Generation.Sequence);
        _kit.AssertHas(delta.Snapshot);
        Assert.All(delta.Snapshot.Sources.SelectMany(s => s.Delta?.Recipes ?? []), r => Assert.False(_kit.Inside.Store.Contains(r.Patch, r.PatchSize)));
        Assert.Empty(Directory.GetFileSystemEntries(_kit.Inside.StagingFolder));
        LedgerEntry line = _kit.Ledger.Read().Last();
        Assert.Equal("delta", line.Details["kind"]!.GetValue<string>());
        Assert.Equal(full.SnapshotSha256, line.Details["base"]!.GetValue<string>());
        Assert.False((await _kit.ImportAsync(delta.Path)).Changed);
    }

    [Fact]
    public async Task Equal_captures_and_bases_give_equal_deltas_but_for_the_signatures()
    {
        WrittenBundle full = await _kit.FullAsync();
        Change(1);
        Snapshot capture = await _kit.CaptureAsync();
        var written = new List<WrittenBundle>();
        for (int i = 0; i < 2; i++)
        {
            using var maker = new DeltaMaker(_kit.Outside, DeltaKit.BaseOf(full), null);
            written.Add(await _kit.WriteAsync(await maker.MakeAsync(capture, Token), maker.OpenRead, $"{i}.tar"));
        }

        Assert.Equal(written[0].SnapshotSha256, written[1].SnapshotSha256);
    }

    [Fact]
    public async Task A_delta_in_which_nothing_changed_carries_no_layer_at_all()
    {
        WrittenBundle full = await _kit.FullAsync();
        await _kit.ImportAsync(full.Path);
        WrittenBundle delta = await _kit.DeltaAsync(full);

        Assert.All(delta.Snapshot.Sources, s => Assert.Null(s.Layer));
        Assert.InRange(delta.Size, 1, 20_000);
        Assert.True((await _kit.ImportAsync(delta.Path)).Changed);
        _kit.AssertHas(delta.Snapshot);
    }

    [Fact]
    public async Task One_cumulative_delta_serves_every_site_between_its_base_and_now()
    {
        WrittenBundle first = await _kit.FullAsync();
        await _kit.ImportAsync(first.Path);
        Change(1);
        WrittenBundle second = await _kit.DeltaAsync(first);
        await _kit.ImportAsync(second.Path);
        Change(2);

        // Of the first again, not of what the site has now: and something is back as it was.
        _kit.With("two/same.json", Content.Text(100_000, 71));
        WrittenBundle third = await _kit.DeltaAsync(first);
        Assert.Equal(first.SnapshotSha256, third.Snapshot.Base);
        await _kit.ImportAsync(third.Path);
        _kit.AssertHas(third.Snapshot);
    }

    [Fact]
    public async Task A_site_that_got_the_base_in_another_bundle_takes_the_delta_too()
    {
        WrittenBundle full = await _kit.FullAsync();
        Change(1);
        WrittenBundle delta = await _kit.DeltaAsync(full);
        Change(2);
        WrittenBundle last = await _kit.DeltaAsync(delta);
        await _kit.ImportAsync(full.Path);
        await _kit.ImportAsync(delta.Path);
        await _kit.ImportAsync(last.Path);
        _kit.AssertHas(last.Snapshot);
    }

    [Fact]
    public async Task A_site_without_the_base_is_told_which_bundle_it_needs()
    {
        WrittenBundle full = await _kit.FullAsync();
        Change(1);
        WrittenBundle delta = await _kit.DeltaAsync(full);

        FeedException e = await _kit.RefusedAsync(ErrorIds.BundleBase, delta.Path);
        Assert.Contains("number 1 of the stream " + BundleKit.Stream, e.Message);
        Assert.Contains("2026-11-13 13:00Z", e.Message);
        Assert.Contains(full.SnapshotSha256, e.Message);
        Assert.Contains("number 1", e.Remedy);
        await _kit.ImportAsync(full.Path);
        await _kit.ImportAsync(delta.Path);
    }

    [Fact]
    public async Task A_base_is_found_by_its_bundle_its_digest_and_its_sequence()
    {
        WrittenBundle full = await _kit.FullAsync();
        new SnapshotStore(_kit.Outside).Save(full.SnapshotBytes, full.Signatures, 1);
        foreach (string since in new[] { full.Path, full.SnapshotSha256, "1", "000001" })
        {
            Assert.Equal(full.SnapshotSha256, DeltaBase.Find(_kit.Outside, since, BundleKit.Stream).Sha256);
        }

        Assert.Equal(ErrorIds.BaseNotFound, Assert.Throws<FeedException>(() => DeltaBase.Find(_kit.Outside, "2", BundleKit.Stream)).ErrorId);
        Assert.Equal(ErrorIds.BaseNotFound, Assert.Throws<FeedException>(() => DeltaBase.Find(_kit.Outside, new string('a', 64), BundleKit.Stream)).ErrorId);
        Assert.Equal(ErrorIds.BaseInvalid, Assert.Throws<FeedException>(() => DeltaBase.Find(_kit.Outside, full.Path, Guid.NewGuid())).ErrorId);
        Assert.Equal(ErrorIds.BundleNotFound, Assert.Throws<FeedException>(() => DeltaBase.Find(_kit.Outside, _kit.PathOf("none.tar"), BundleKit.Stream)).ErrorId);
        Assert.Null(DeltaBase.FindLast(_kit.Outside, Guid.NewGuid()));
        Assert.Equal(full.SnapshotSha256, DeltaBase.FindLast(_kit.Outside, BundleKit.Stream)?.Sha256);
    }

    [Fact]
    public async Task A_store_that_lost_the_old_content_takes_it_from_the_full_bundle_that_is_named()
    {
        WrittenBundle full = await _kit.FullAsync();
        byte[] old = _kit["one/doc-a.json"];
        Change(1);
        _kit.Outside.Store.Remove(Core.Store.Sha256Digest.Of(old));

        WrittenBundle withFile = await _kit.DeltaAsync(full, fromFile: true);
        Assert.Empty(withFile.Snapshot.Sources[0].Delta!.Whole);
        WrittenBundle without = await _kit.DeltaAsync(full);
        Assert.Single(without.Snapshot.Sources[0].Delta!.Whole);
        await _kit.ImportAsync(full.Path);
        await _kit.ImportAsync(withFile.Path);
        _kit.AssertHas(withFile.Snapshot);
    }

    [Fact]
    public async Task The_base_of_a_kept_snapshot_is_kept_for_the_next_delta_on_it()
    {
        File.AppendAllText(_kit.Inside.SettingsFile, "\nkeepGenerations: 2\n");
        WrittenBundle full = await _kit.FullAsync();
        await _kit.ImportAsync(full.Path);
        for (uint day = 1; day <= 5; day++)
        {
            Change(day);
            await _kit.ImportAsync((await _kit.DeltaAsync(full)).Path);
        }

        IReadOnlyList<StoredSnapshot> kept = new SnapshotStore(_kit.Inside).List();
        Assert.Equal([1, 5, 6], kept.Select(s => s.Sequence));
        Assert.Equal(2, new GenerationStore(_kit.Inside).Numbers().Count);

        // A new full bundle, and the old base goes as soon as nothing kept was built on it.
        for (int i = 0; i < 3; i++)
        {
            await _kit.ImportAsync((await _kit.FullAsync()).Path);
        }

        Assert.DoesNotContain(new SnapshotStore(_kit.Inside).List(), s => s.Sequence == 1);
        Assert.False(_kit.Inside.Store.Contains(full.Snapshot.Sources[0].Files[0].Sha256, full.Snapshot.Sources[0].Files[0].Size));
    }

    private void Change(uint day)
    {
        _kit.With("one/doc-a.json", Content.Edited(Content.Text(200_000, 0), day, 5));
        _kit.With("one/feed.xml.gz", RecipeTests.Gzip(Content.Edited(Content.Text(300_000, 50), day, 5), 9, 2, "feed.xml"));
    }
}

using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Publishing.Dropping;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Bundles;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Dropping;

/// <summary>What a scheduled job takes out of a folder that others put things into.</summary>
public sealed class DropFolderTests : IAsyncLifetime
{
    private readonly TempFolder _temp = new();
    private BundleKit _kit = null!;
    private string _drop = "";

    public async ValueTask InitializeAsync()
    {
        _kit = await BundleKit.SmallAsync();
        _drop = _temp.Of("drop");
        Directory.CreateDirectory(_drop);
    }

    public ValueTask DisposeAsync()
    {
        _kit.Dispose();
        _temp.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Bundles_are_imported_in_the_order_of_their_sequence_and_put_away()
    {
        await DropAsync("a-third.tar", 9);
        await DropAsync("b-first.tar", 7);
        await DropAsync("c-second.tar", 8);

        IReadOnlyList<DropOutcome> outcomes = await RunAsync();

        Assert.Equal(["b-first.tar", "c-second.tar", "a-third.tar"], outcomes.Select(o => o.Item.Name));
        Assert.Equal([1, 2, 3], outcomes.Select(o => o.Result!.Generation.Number));
        Assert.Equal(["done/a-third.tar", "done/b-first.tar", "done/c-second.tar"], Left());
        Assert.Equal(
            ["b-first.tar", "c-second.tar", "a-third.tar"],
            new Ledger(_kit.Inside, _kit.Clock).Read().Where(e => e.Event == LedgerEvents.FeedImported).Select(e => (string)e.Details["bundle"]!));
        Assert.Empty(await RunAsync());
    }

    [Fact]
    public async Task What_is_refused_is_put_aside_with_its_reason_and_stops_nothing()
    {
        await DropAsync("good.tar", 8);
        await DropAsync("expired.tar", 9, s => s with { Expires = Pki.Now.AddHours(-1) });
        File.WriteAllText(In("letter.tar"), new string('x', 5000));
        File.SetLastWriteTimeUtc(In("letter.tar"), Pki.Now.AddDays(-2).UtcDateTime);

        IReadOnlyList<DropOutcome> outcomes = await RunAsync();

        Assert.Equal(ErrorIds.BundleExpired, outcomes.Single(o => o.Item.Name == "expired.tar").Error!.ErrorId);
        Assert.Equal(
            ["done/good.tar", "refused/expired.tar", "refused/expired.tar.reason.txt", "refused/letter.tar", "refused/letter.tar.reason.txt"], Left());
        string reason = File.ReadAllText(In("refused/expired.tar.reason.txt"));
        Assert.Contains(ErrorIds.BundleExpired, reason, StringComparison.Ordinal);
        Assert.Contains("Carry over a newer bundle.", reason, StringComparison.Ordinal);
        Assert.Equal(
            [ErrorIds.BundleExpired, outcomes.Single(o => o.Item.Name == "letter.tar").Error!.ErrorId],
            new Ledger(_kit.Inside, _kit.Clock).Read().Where(e => e.Event == LedgerEvents.BundleRefused).Select(e => (string)e.Details["error"]!));
    }

    [Fact]
    public async Task An_older_bundle_and_one_of_the_same_name_lose_nothing()
    {
        await DropAsync("feed.tar", 8);
        await RunAsync();
        await DropAsync("feed.tar", 9);
        await RunAsync();
        await DropAsync("feed.tar", 9); // brought twice
        Assert.False((await RunAsync()).Single().Result!.Changed);
        await DropAsync("feed.tar", 8);
        Assert.Equal(ErrorIds.BundleSequence, (await RunAsync()).Single().Error!.ErrorId);
        Assert.Equal(["done/feed.2.tar", "done/feed.3.tar", "done/feed.tar", "refused/feed.tar", "refused/feed.tar.reason.txt"], Left());
    }

    [Fact]
    public async Task What_is_not_all_there_waits_and_is_not_held_against_anybody()
    {
        await DropAsync("whole.tar", 8);
        byte[] bytes = File.ReadAllBytes(In("whole.tar"));
        File.WriteAllBytes(In("half.tar"), bytes[..(bytes.Length / 2)]);
        File.SetLastWriteTimeUtc(In("half.tar"), Pki.Now.AddMinutes(-30).UtcDateTime); // a copy that pauses
        File.WriteAllBytes(In("next.tar.part"), bytes);
        File.WriteAllBytes(In(".hidden.tar"), bytes);
        File.WriteAllText(In("readme.txt"), "not a bundle");
        if (!OperatingSystem.IsWindows())
        {
            File.CreateSymbolicLink(In("link.tar"), In("whole.tar"));
        }

        Directory.CreateDirectory(In("folder"));
        IReadOnlyList<DropOutcome> outcomes = await RunAsync();

        Assert.Equal(["whole.tar", "half.tar"], outcomes.Select(o => o.Item.Name));
        Assert.Equal((true, ErrorIds.BundleTruncated), (outcomes[1].Item.IsWaiting, outcomes[1].Error!.ErrorId));
        Assert.Contains("half.tar", Left());
        Assert.DoesNotContain(new Ledger(_kit.Inside, _kit.Clock).Read(), e => e.Event == LedgerEvents.BundleRefused);

        _kit.Clock.Advance(TimeSpan.FromHours(1));
        Assert.False((await RunAsync()).Single().Item.IsWaiting); // nobody goes on with it
        Assert.Contains("refused/half.tar", Left());
        Assert.True(File.Exists(In("next.tar.part")));
    }

    [Fact]
    public async Task A_file_that_grows_between_two_looks_is_left_alone()
    {
        await DropAsync("growing.tar", 8);
        byte[] bytes = File.ReadAllBytes(In("growing.tar"));
        File.WriteAllBytes(In("growing.tar"), bytes[..512]);
        Task<IReadOnlyList<DropItem>> looking = Folder().LookAsync(TimeSpan.FromMilliseconds(400), TestContext.Current.CancellationToken);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        File.WriteAllBytes(In("growing.tar"), bytes);
        DropItem item = Assert.Single(await looking);
        Assert.True(item.IsWaiting);
        Assert.Contains("still being written", item.Problem!.Message, StringComparison.Ordinal);
        Assert.NotNull((await RunAsync()).Single().Result);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_costs_no_bundle()
    {
        await DropAsync("tomorrow.tar", 8, s => s with { Created = Pki.Now.AddDays(1) });
        DropOutcome waits = (await RunAsync()).Single();
        Assert.Equal((true, ErrorIds.BundleFromFuture), (waits.Item.IsWaiting, waits.Error!.ErrorId));
        Assert.Equal(["tomorrow.tar"], Left());
        _kit.Clock.Advance(TimeSpan.FromDays(1));
        Assert.NotNull((await RunAsync()).Single().Result);
    }

    [Fact]
    public async Task A_site_without_trust_refuses_nothing_for_good()
    {
        await DropAsync("good.tar", 8);
        using var bare = new TempSite();
        var folder = new DropFolder(bare.Site, _drop, _kit.Clock);
        DropItem item = (await folder.LookAsync(TimeSpan.Zero, TestContext.Current.CancellationToken)).Single();
        Assert.Equal(ErrorIds.TrustEmpty, Assert.Throws<FeedException>(() => folder.Judge(item)).ErrorId);
        Assert.Equal(["good.tar"], Left());
    }

    [Fact]
    public async Task Imported_bundles_can_be_deleted_and_folders_are_bundles_too()
    {
        await DropAsync("folder.tar", 8);
        Directory.CreateDirectory(In("layout"));
        System.Formats.Tar.TarFile.ExtractToDirectory(In("folder.tar"), In("layout"), overwriteFiles: false);
        File.Delete(In("folder.tar"));
        DropOutcome outcome = (await RunAsync(delete: true)).Single();
        Assert.Equal(("layout", null, 1), (outcome.Item.Name, outcome.MovedTo, outcome.Result!.Generation.Number));
        Assert.Empty(Left());
    }

    [Fact]
    public async Task Volumes_are_one_bundle_that_waits_until_its_last_medium_was_copied()
    {
        string[] eight = await DropVolumesAsync("eight", 8);
        string[] nine = await DropVolumesAsync("nine", 9);
        Assert.True(eight.Length > 2 && nine.Length > 2);
        string late = _temp.Of("late");
        File.Move(In(nine[1]), late);

        IReadOnlyList<DropOutcome> outcomes = await RunAsync();
        Assert.Equal([eight[0], nine[0]], outcomes.Select(o => o.Item.Name));
        Assert.Equal(8, outcomes[0].Result!.Generation.Sequence);
        Assert.Equal((true, ErrorIds.BundleVolumeMissing), (outcomes[1].Item.IsWaiting, outcomes[1].Error!.ErrorId));
        Assert.Contains("2 is missing", outcomes[1].Error!.Message, StringComparison.Ordinal);
        Assert.Equal([.. eight.Select(n => "done/" + n), .. nine.Where(n => n != nine[1])], Left());
        Assert.False(Directory.Exists(_kit.Inside.VolumesFolder)); // they lie in the folder: no second copy

        File.Move(late, In(nine[1]));
        Assert.Equal(9, (await RunAsync(delete: true)).Single().Result!.Generation.Sequence);
        Assert.Equal(eight.Select(n => "done/" + n), Left());
    }

    [Fact]
    public async Task Of_volumes_only_the_damaged_one_is_refused_and_carried_over_again()
    {
        string[] names = await DropVolumesAsync("feed", 8);
        byte[] good = File.ReadAllBytes(In(names[1]));
        byte[] bad = [.. good];
        bad[^2000] ^= 1;
        File.WriteAllBytes(In(names[1]), bad);

        DropOutcome outcome = (await RunAsync()).Single();
        Assert.Equal(ErrorIds.BundleVolumeAltered, outcome.Error!.ErrorId);
        Assert.Equal([names[0], .. names[2..], $"refused/{names[1]}", $"refused/{names[1]}.reason.txt"], Left());
        Assert.Equal(ErrorIds.BundleVolumeMissing, (await RunAsync()).Single().Error!.ErrorId);

        File.WriteAllBytes(In(names[1]), good);
        Assert.Equal(8, (await RunAsync()).Single().Result!.Generation.Sequence);
        Assert.DoesNotContain(Left(), n => !n.Contains('/', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Volumes_left_behind_by_a_run_that_was_killed_while_it_put_them_away_follow_the_others()
    {
        string[] names = await DropVolumesAsync("feed", 8);
        Assert.NotNull((await RunAsync()).Single().Result);
        File.Move(In("done/" + names[^1]), In(names[^1]));
        DropOutcome outcome = (await RunAsync()).Single();
        Assert.False(outcome.Result!.Changed);
        Assert.Equal(names.Select(n => "done/" + n), Left());
    }

    [Fact]
    public async Task A_folder_of_volumes_is_a_bundle()
    {
        string[] names = await DropVolumesAsync("feed", 8);
        Directory.CreateDirectory(In("disc"));
        foreach (string name in names)
        {
            File.Move(In(name), In("disc/" + name));
        }

        Assert.Equal(("disc", 8L), (await RunAsync()) is [var only] ? (only.Item.Name, only.Result!.Generation.Sequence) : default);
        Assert.Equal(names.Select(n => "done/disc/" + n), Left());
    }

    [Fact]
    public async Task A_volume_that_grows_between_two_looks_keeps_its_bundle_waiting()
    {
        string[] names = await DropVolumesAsync("feed", 8);
        byte[] bytes = File.ReadAllBytes(In(names[1]));
        byte[] hole = [.. bytes];
        Array.Clear(hole, bytes.Length / 2, bytes.Length / 4); // room was made for it before it was filled
        File.WriteAllBytes(In(names[1]), hole);
        Task<IReadOnlyList<DropItem>> looking = Folder().LookAsync(TimeSpan.FromMilliseconds(400), TestContext.Current.CancellationToken);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        File.WriteAllBytes(In(names[1]), bytes);
        IReadOnlyList<DropItem> items = await looking;
        Assert.Equal(2, items.Count);
        Assert.All(items, i => Assert.True(i.IsWaiting));
        Assert.NotNull((await RunAsync()).Single().Result);
    }

    [Fact]
    public void A_folder_that_is_none_or_cannot_be_written_is_said_before_anything_is_done()
    {
        Assert.Equal(ErrorIds.DropFolderInvalid, Assert.Throws<FeedException>(() => new DropFolder(_kit.Inside, In("none"), _kit.Clock)).ErrorId);
        File.WriteAllText(In(DropAside.DoneName), "");
        FeedException error = Assert.Throws<FeedException>(Folder().ThrowIfReadOnly);
        Assert.Equal(ErrorIds.DropFolderInvalid, error.ErrorId);
        Assert.Contains("done", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_does_not_overlap_itself_and_outlives_one_that_was_killed()
    {
        using (JobLock.Take(_kit.Inside, "import", _kit.Clock))
        {
            FeedException error = Assert.Throws<FeedException>(() => JobLock.Take(_kit.Inside, "import", _kit.Clock));
            Assert.Equal(ErrorIds.JobRunning, error.ErrorId);
            Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", error.Message, StringComparison.Ordinal);
            JobLock.Take(_kit.Inside, "save", _kit.Clock).Dispose();
        }

        File.WriteAllText(Path.Combine(_kit.Inside.Root, ".job-import.running"), "process 1 of a killed run");
        JobLock.Take(_kit.Inside, "import", _kit.Clock).Dispose();
        Assert.False(File.Exists(Path.Combine(_kit.Inside.Root, ".job-import.running")));
    }

    private string In(string name) => Path.Combine(_drop, name);

    private DropFolder Folder() => new(_kit.Inside, _drop, _kit.Clock);

    private IEnumerable<string> Left() => Directory.EnumerateFiles(_drop, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(_drop, f).Replace('\\', '/')).Order(StringComparer.Ordinal);

    private async Task DropAsync(string name, long sequence, Func<Snapshots.Snapshot, Snapshots.Snapshot>? change = null)
    {
        Snapshots.Snapshot snapshot = _kit.Snapshot with { Sequence = sequence };
        await _kit.WriteAsync(name, change?.Invoke(snapshot) ?? snapshot);
        File.Move(_kit.PathOf(name), In(name));
        File.SetLastWriteTimeUtc(In(name), _kit.Clock.GetUtcNow().AddMinutes(-30).UtcDateTime);
    }

    private async Task<string[]> DropVolumesAsync(string name, long sequence)
    {
        await _kit.WriteAsync(name + ".tar", _kit.Snapshot with { Sequence = sequence });
        Bundle bundle = Bundle.Open(_kit.PathOf(name + ".tar"));
        VolumeSet parts = await VolumeWriter.SplitAsync(
            bundle, _drop, name, (bundle.Size / 4) + 8192, overwrite: false, null, TestContext.Current.CancellationToken);
        foreach (VolumePart part in parts.Parts)
        {
            File.SetLastWriteTimeUtc(part.Path, _kit.Clock.GetUtcNow().AddMinutes(-30).UtcDateTime);
        }

        return [.. parts.Parts.Select(p => Path.GetFileName(p.Path))];
    }

    private async Task<IReadOnlyList<DropOutcome>> RunAsync(bool delete = false)
    {
        DropFolder folder = Folder();
        folder.ThrowIfReadOnly();
        List<DropOutcome> outcomes = [];
        foreach (DropItem item in await folder.LookAsync(TimeSpan.FromMilliseconds(10), TestContext.Current.CancellationToken))
        {
            outcomes.Add(await folder.TakeAsync(folder.Judge(item), delete, null, TestContext.Current.CancellationToken));
        }

        return outcomes;
    }
}

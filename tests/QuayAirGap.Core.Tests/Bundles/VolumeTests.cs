using System.Diagnostics;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>Bundles in parts: split to a size, read over their limits, and imported from media that come one after another.</summary>
public sealed class VolumeTests : IAsyncLifetime
{
    private const int PartSize = 100_000;

    private AttackRig _rig = null!;
    private string _whole = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Site Inside => _rig.Kit.Inside;

    private FeedImporter Importer => new(Inside, SiteSettings.Load(Inside), _rig.Kit.Clock);

    public async ValueTask InitializeAsync()
    {
        _rig = await AttackRig.StartAsync();
        await _rig.Kit.WithAsync("debian", ("noise", Noise()));
        _whole = _rig.Write(_rig.Next());
    }

    public ValueTask DisposeAsync()
    {
        _rig.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Parts_have_the_size_that_was_asked_for_say_what_they_are_and_make_the_bundle_again_without_us()
    {
        VolumeSet set = await SplitAsync();

        Assert.True(set.Count is >= 4 and <= 6, $"{set.Count} parts");
        Assert.Equal(Enumerable.Range(1, set.Count), set.Parts.Select(p => p.Number));
        Assert.All(set.Parts, p => Assert.True(p.FileSize <= PartSize && p.FileSize == new FileInfo(p.Path).Length));
        Assert.All(set.Parts, p => Assert.Equal($"feed.vol{p.Number:D3}of{set.Count:D3}.qagvol", Path.GetFileName(p.Path)));
        Assert.Equal(set.Parts.Take(set.Count - 1).Select(p => p.FileSize).Max(), set.Parts.First().FileSize);
        Assert.Equal(new FileInfo(_whole).Length, set.Parts.Sum(p => p.Size));
        Assert.Equal(set.Parts.Sum(p => p.Size), set.Parts.Last().Offset + set.Parts.Last().Size);
        Bundle bundle = Bundle.Open(_whole);
        foreach (VolumePart part in set.Parts)
        {
            part.Verify(null, null, Token);
            VolumeOpening opening = VolumePart.Read(part.Path).ReadOpening();
            Assert.Equal(bundle.SnapshotBytes.ToArray(), opening.Document);
            Assert.Equal(bundle.Signatures, opening.Signatures);
            Assert.Equal((8L, BundleKit.Stream, bundle.SnapshotSha256), (part.Sequence, part.Stream, part.SnapshotSha256));
        }

        // tar and cat, where nobody has this program: each part is an archive with a piece in it.
        string joined = _rig.Kit.PathOf("joined.tar");
        await using (FileStream output = File.Create(joined))
        {
            foreach (VolumePart part in set.Parts)
            {
                await using FileStream file = File.OpenRead(part.Path);
                await using var tar = new System.Formats.Tar.TarReader(file);
                while (await tar.GetNextEntryAsync(cancellationToken: Token) is { } entry)
                {
                    if (entry.Name.StartsWith("part-", StringComparison.Ordinal))
                    {
                        await entry.DataStream!.CopyToAsync(output, Token);
                    }
                }
            }
        }

        Assert.Equal(await File.ReadAllBytesAsync(_whole, Token), await File.ReadAllBytesAsync(joined, Token));
    }

    [Fact]
    public async Task A_folder_with_all_parts_is_imported_as_the_file_is_and_nothing_is_copied()
    {
        VolumeSet set = await SplitAsync();
        Bundle whole = Bundle.Open(_whole);
        string folder = Path.GetDirectoryName(set.Parts.First().Path)!;
        File.WriteAllText(Path.Combine(folder, "autorun.inf"), "whatever else lies on a medium");
        foreach (string path in new[] { folder, set.Parts.Last().Path })
        {
            Bundle bundle = Bundle.Open(path);
            Assert.True(bundle.IsWhole);
            Assert.Equal((whole.SnapshotSha256, whole.Size), (bundle.SnapshotSha256, bundle.Size));
            await _rig.Kit.Verifier.VerifyContentAsync(bundle, null, null, Token);
        }

        ImportPlan plan = Importer.Plan(folder);
        Assert.Empty(plan.MissingVolumes);
        ImportResult result = await _rig.ImportAsync(folder);
        Assert.Equal(8, result.Generation.Sequence);
        Assert.False(Directory.Exists(Inside.VolumesFolder));
        Assert.Equal(350_000, new FileInfo(Inside.Store.PathOf(Sha("debian"))).Length);
        Assert.False((await _rig.ImportAsync(set.Parts.First().Path)).Changed);
    }

    [Fact]
    public async Task Media_come_one_after_another_in_any_order_and_what_is_missing_is_said_each_time()
    {
        VolumeSet set = await SplitAsync();
        int[] order = [3, 1, .. Enumerable.Range(4, set.Count - 3), 2];
        for (int i = 0; i < order.Length - 1; i++)
        {
            string medium = Medium(set, order[i]);
            int[] missing = [.. order[(i + 1)..].Order()];
            Assert.Equal(missing, Importer.Plan(medium).MissingVolumes);
            FeedException e = await _rig.RefusedAsync(ErrorIds.BundleVolumeMissing, medium, keepsParts: true);
            Assert.Contains(VolumeSet.Numbers(missing) + (missing.Length == 1 ? " is missing" : " are missing"), e.Message);
            Assert.Contains("the site keeps " + VolumeSet.Numbers(order[..(i + 1)].Order()), e.Message);
            Assert.Equal(i + 1, Directory.GetFiles(Inside.VolumesFolder, "*", SearchOption.AllDirectories).Length);
            Directory.Delete(medium, recursive: true); // the medium is out of the drive
        }

        ImportResult result = await _rig.ImportAsync(Medium(set, order[^1]));
        Assert.Equal(8, result.Generation.Sequence);
        Assert.False(Directory.Exists(Inside.VolumesFolder));
        Assert.Null(new Ledger(Inside, _rig.Kit.Clock).VerifyChain());
    }

    [Fact]
    public async Task A_part_that_is_bad_on_its_medium_is_named_and_the_others_of_that_medium_are_kept()
    {
        VolumeSet set = await SplitAsync();
        string medium = Medium(set, 1, 2);
        Damage(Path.Combine(medium, Path.GetFileName(set.Parts.ElementAt(1).Path)));
        FeedException e = await _rig.RefusedAsync(ErrorIds.BundleVolumeAltered, medium, keepsParts: true);
        Assert.Contains("part 2 of", e.Message);
        e = await _rig.RefusedAsync(ErrorIds.BundleVolumeMissing, Medium(set, [.. Enumerable.Range(3, set.Count - 2)]), keepsParts: true);
        Assert.Contains(" 2 is missing", e.Message);
        Assert.True((await _rig.ImportAsync(Medium(set, 2))).Changed);
    }

    [Fact]
    public async Task A_kept_part_that_the_disk_has_damaged_is_asked_for_again()
    {
        VolumeSet set = await SplitAsync();
        await _rig.RefusedAsync(ErrorIds.BundleVolumeMissing, Medium(set, [.. Enumerable.Range(2, set.Count - 1)]), keepsParts: true);
        Damage(Directory.GetFiles(Inside.VolumesFolder, "part-003.qagvol", SearchOption.AllDirectories).Single());
        FeedException e = await _rig.RefusedAsync(ErrorIds.BundleVolumeAltered, Medium(set, 1), keepsParts: true);
        Assert.Contains(" 3 was altered or damaged", e.Message);
        e = await _rig.RefusedAsync(ErrorIds.BundleVolumeMissing, Medium(set, 1), keepsParts: true);
        Assert.Contains(" 3 is missing", e.Message);
        Assert.True((await _rig.ImportAsync(Medium(set, 3))).Changed);
    }

    [Fact]
    public async Task What_waits_for_its_other_parts_goes_when_no_import_would_want_it()
    {
        var sets = new List<VolumeSet>();
        for (int i = 0; i <= VolumeShelf.MaxSets; i++)
        {
            int minutes = i;
            sets.Add(await SplitAsync(_rig.Write(_rig.Next(s => s with { Sequence = 8 + minutes, Created = s.Created.AddMinutes(minutes) })), $"set{i}"));
            await _rig.RefusedAsync(ErrorIds.BundleVolumeMissing, Medium(sets[i], 1), keepsParts: true);
            Directory.SetLastWriteTimeUtc(Path.Combine(Inside.VolumesFolder, sets[i].SetId), DateTime.UtcNow.AddHours(i - 10));
        }

        // The oldest makes room.
        Assert.Equal(sets.Skip(1).Select(s => s.SetId).Order(), Directory.GetDirectories(Inside.VolumesFolder).Select(Path.GetFileName).Order());

        // A newer bundle is imported: what waits below it is of no use any more. What a kill left goes too.
        string dead = Path.Combine(Inside.VolumesFolder, sets[1].SetId, "part-002.qagvol.partial");
        File.WriteAllBytes(dead, [1]);
        await _rig.ImportAsync(_rig.Write(_rig.Next(s => s with { Sequence = 9, Created = s.Created.AddMinutes(1) })));
        Assert.Equal([sets[2].SetId], Directory.GetDirectories(Inside.VolumesFolder).Select(Path.GetFileName));

        _rig.Kit.Clock.Advance(TimeSpan.FromDays(60));
        Assert.Equal(ErrorIds.BundleExpired, (await Assert.ThrowsAsync<FeedException>(() => _rig.ImportAsync(_whole))).ErrorId);
        Assert.False(Directory.Exists(Inside.VolumesFolder));
    }

    [Fact]
    public async Task What_else_lies_beside_a_named_part_is_not_meant()
    {
        VolumeSet set = await SplitAsync();
        VolumeSet other = await SplitAsync(_rig.Write(_rig.Next(s => s with { Sequence = 9, Created = s.Created.AddMinutes(1) })), "other");
        string medium = Medium(set, [.. Enumerable.Range(1, set.Count)]);
        foreach (VolumePart part in other.Parts)
        {
            File.Copy(part.Path, Path.Combine(medium, Path.GetFileName(part.Path)));
        }

        File.WriteAllText(Path.Combine(medium, "broken.qagvol"), "no part of anything");
        await _rig.RefusedAsync(ErrorIds.BundleVolumeMixed, medium);
        Assert.Equal(8, (await _rig.ImportAsync(Path.Combine(medium, Path.GetFileName(set.Parts.First().Path)))).Generation.Sequence);
        Assert.Equal(9, (await _rig.ImportAsync(Path.Combine(medium, Path.GetFileName(other.Parts.Last().Path)))).Generation.Sequence);
    }

    [Fact]
    public async Task Splitting_refuses_what_cannot_be_and_leaves_nothing_behind()
    {
        string folder = _rig.NewFolder();
        Bundle bundle = Bundle.Open(_whole);
        Assert.Equal(ErrorIds.VolumeSizeInvalid, await Refused(bundle, folder, 3000));
        Assert.Equal(ErrorIds.VolumeSizeInvalid, await Refused(bundle, folder, -5));
        Assert.Equal(ErrorIds.DestinationInvalid, await Refused(bundle, Path.Combine(folder, "absent"), PartSize));
        await VolumeWriter.SplitAsync(bundle, folder, "feed", PartSize, overwrite: false, null, Token);
        Assert.Equal(ErrorIds.DestinationInvalid, await Refused(bundle, folder, PartSize));
        await VolumeWriter.SplitAsync(bundle, folder, "feed", PartSize, overwrite: true, null, Token);

        // What a killed run left goes with the next split; what is somebody else's stays.
        string dead = Path.Combine(folder, "dead.vol001of002.qagvol.partial");
        byte[] begun = new byte[2000];
        UstarHeader.Format(begun, "volume.json", 700);
        File.WriteAllBytes(dead, begun);
        string foreign = Path.Combine(folder, "foreign.qagvol.partial");
        File.WriteAllText(foreign, "a file of somebody else");
        await VolumeWriter.SplitAsync(bundle, folder, "again", PartSize * 10, overwrite: false, null, Token);
        Assert.False(File.Exists(dead));
        Assert.True(File.Exists(foreign));
        Assert.Single(Directory.GetFiles(folder, "again*"));

        string damaged = _rig.Write(File.ReadAllBytes(_whole));
        Damage(damaged);
        Assert.StartsWith("Bundle", (await Assert.ThrowsAsync<FeedException>(() =>
            VolumeWriter.SplitAsync(Bundle.Open(damaged), folder, "damaged", PartSize, false, null, Token, verify: true))).ErrorId);
        Assert.Empty(Directory.GetFiles(folder, "damaged*"));
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => VolumeWriter.SplitAsync(bundle, folder, "stopped", PartSize, false, null, stopped.Token));
        Assert.Empty(Directory.GetFiles(folder, "stopped*"));

        async Task<string> Refused(Bundle what, string where, long size) =>
            (await Assert.ThrowsAsync<FeedException>(() => VolumeWriter.SplitAsync(what, where, "feed", size, overwrite: false, null, Token))).ErrorId;
    }

    [Fact]
    public async Task A_split_bundle_can_be_split_again_to_another_size()
    {
        VolumeSet set = await SplitAsync();
        Bundle bundle = Bundle.Open(set.Path);
        VolumeSet larger = await VolumeWriter.SplitAsync(bundle, _rig.NewFolder(), "larger", PartSize * 2, overwrite: false, null, Token, verify: true);
        Assert.True(larger.Count < set.Count);
        Assert.NotEqual(set.SetId, larger.SetId);
        Assert.Equal(bundle.SnapshotSha256, Bundle.Open(larger.Path).SnapshotSha256);
    }

    [Fact]
    public async Task The_real_tar_reads_a_part()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/tar") || File.Exists("/bin/tar"), "tar is not installed");
        VolumeSet set = await SplitAsync();
        using Process tar = Process.Start(new ProcessStartInfo("tar", ["-tf", set.Parts.ElementAt(1).Path]) { RedirectStandardOutput = true })!;
        string names = await tar.StandardOutput.ReadToEndAsync(Token);
        await tar.WaitForExitAsync(Token);
        Assert.Equal(0, tar.ExitCode);
        Assert.Equal(["volume.json", "snapshot.json.zst", "snapshot.1.p7s", "part-002"], names.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static byte[] Noise()
    {
        byte[] noise = new byte[350_000];
        new Random(5).NextBytes(noise);
        return noise;
    }

    private Task<VolumeSet> SplitAsync(string? bundle = null, string name = "feed") =>
        VolumeWriter.SplitAsync(Bundle.Open(bundle ?? _whole), _rig.NewFolder(), name, PartSize, overwrite: false, null, Token);

    private string Medium(VolumeSet set, params int[] numbers)
    {
        string folder = _rig.NewFolder();
        foreach (VolumePart part in set.Parts.Where(p => numbers.Contains(p.Number)))
        {
            File.Copy(part.Path, Path.Combine(folder, Path.GetFileName(part.Path)));
        }

        return folder;
    }

    private string Sha(string source) => _rig.Kit.Snapshot.Sources.Single(s => s.Name == source).Files[0].Sha256;

    private static void Damage(string path)
    {
        byte[] content = File.ReadAllBytes(path);
        content[content.Length / 2] ^= 1;
        File.WriteAllBytes(path, content);
    }
}

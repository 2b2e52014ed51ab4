using System.Diagnostics;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

public sealed class BundleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bundle_carries_every_content_into_the_other_site()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        WrittenBundle written = await kit.WriteAsync();
        Bundle bundle = Bundle.Open(written.Path);
        var progress = new List<FeedProgress>();

        BundlePolicy policy = kit.Verifier.CheckPolicy(bundle, null);
        using (var stage = new BlobStage(kit.Inside))
        {
            await kit.Verifier.VerifyContentAsync(bundle, stage, new Collector(progress), Token);
            Assert.Equal(4, stage.Count);
            Assert.Empty(kit.Inside.Store.List());
            stage.Commit();
        }

        Assert.Equal(kit.Signer.Thumbprint, Assert.Single(policy.Signers).Thumbprint);
        Assert.False(policy.AlreadyImported);
        Assert.Equal(new FileInfo(written.Path).Length, written.Size);
        Assert.Equal(written.Size, bundle.Size);
        Assert.Equal(written.SnapshotSha256, bundle.SnapshotSha256);
        Assert.Equal(["CN=Collector"], bundle.SignerSubjects);
        Assert.Equal(kit.Snapshot.Sequence, bundle.Snapshot.Sequence);
        foreach (SnapshotFile file in bundle.Snapshot.Sources.SelectMany(s => s.Files))
        {
            Assert.Equal(File.ReadAllBytes(kit.Outside.Store.PathOf(file.Sha256)), File.ReadAllBytes(kit.Inside.Store.PathOf(file.Sha256)));
        }

        Assert.Equal(["alpine", "osv"], progress.Where(p => p.Completed).Select(p => p.Source));
        Assert.Empty(Directory.GetDirectories(kit.Inside.StagingFolder));
    }

    [Fact]
    public async Task What_the_store_has_already_is_not_written_again_and_what_is_not_committed_leaves_nothing()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        WrittenBundle written = await kit.WriteAsync();
        await kit.Inside.Store.AddAsync(new MemoryStream(Encoding.UTF8.GetBytes("the same content under two names")), Token);

        using (var stage = new BlobStage(kit.Inside))
        {
            await kit.ExamineAsync(written.Path, null, stage);
            Assert.Equal(3, stage.Count);
        }

        Assert.Single(kit.Inside.Store.List());
        Assert.Empty(Directory.GetDirectories(kit.Inside.StagingFolder));
    }

    [Fact]
    public async Task Equal_snapshots_and_content_give_equal_bundles_but_for_the_signatures()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        byte[] big = new byte[5_000_000];
        new Random(5).NextBytes(big.AsSpan(0, 2_000_000));
        await kit.WithAsync("debian", ("big", big));

        WrittenBundle one = await kit.WriteAsync("one.tar");
        WrittenBundle two = await kit.WriteAsync("two.tar");

        Assert.Equal(one.SnapshotSha256, two.SnapshotSha256);
        Assert.True(one.SnapshotBytes.Span.SequenceEqual(two.SnapshotBytes.Span));
        Assert.Equal(EntriesWithout(one), EntriesWithout(two));
        await kit.ExamineAsync(two.Path);

        // The manifest and the index name the signatures; everything else is the same, in the same place.
        static string[] EntriesWithout(WrittenBundle bundle)
        {
            using var reader = new TarReader(File.OpenRead(bundle.Path));
            var entries = new List<string>();
            while (reader.GetNextEntry(copyData: true) is { } entry)
            {
                entries.Add(entry.Name == "index.json" || bundle.Signatures.Any(s => entry.Name.EndsWith(Sha256Digest.Of(s), StringComparison.Ordinal))
                    ? "(varies)" : $"{entry.Name} {entry.Length} {entry.ModificationTime:O} {entry.Mode}");
            }

            return [.. entries.Take(entries.Count - 2)];
        }
    }

    [Fact]
    public async Task Sources_with_the_same_content_share_a_layer()
    {
        using var kit = new BundleKit();
        await kit.WithAsync("alpine", ("same", [1, 2, 3]));
        await kit.WithAsync("debian", ("same", [1, 2, 3]));
        WrittenBundle written = await kit.WriteAsync();

        Assert.Single(Bundle.Open(written.Path).Layers);
        await kit.ExamineAsync(written.Path);
    }

    [Fact]
    public async Task A_bundle_without_any_content_is_still_a_bundle()
    {
        using var kit = new BundleKit();
        await kit.ExamineAsync((await kit.WriteAsync()).Path);
    }

    [Fact]
    public async Task The_same_bundle_is_read_from_a_folder_and_from_other_tar_programs()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        WrittenBundle written = await kit.WriteAsync();
        string folder = kit.PathOf("folder");
        Directory.CreateDirectory(folder);
        TarFile.ExtractToDirectory(written.Path, folder, overwriteFiles: false);
        await kit.ExamineAsync(folder);

        foreach (TarEntryFormat format in new[] { TarEntryFormat.Ustar, TarEntryFormat.Gnu, TarEntryFormat.Pax })
        {
            string packed = kit.PathOf($"{format}.tar");
            using (var writer = new TarWriter(File.Create(packed), format, leaveOpen: false))
            {
                foreach (string path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                {
                    writer.WriteEntry(path, "./" + Path.GetRelativePath(folder, path));
                }
            }

            Assert.Equal(written.SnapshotSha256, Bundle.Open(packed).SnapshotSha256);
            await kit.ExamineAsync(packed);
        }
    }

    [Fact]
    public async Task Skopeo_carries_a_bundle_from_file_to_folder_and_back()
    {
        Assert.SkipUnless(OnPath("skopeo"), "skopeo is not installed");
        using BundleKit kit = await BundleKit.SmallAsync();
        WrittenBundle written = await kit.WriteAsync();
        string folder = kit.PathOf("carried");
        string archive = kit.PathOf("carried.tar");

        await RunAsync("skopeo", "copy", "--insecure-policy", $"oci-archive:{written.Path}", $"oci:{folder}");
        Assert.Equal(written.SnapshotSha256, Bundle.Open(folder).SnapshotSha256);
        await kit.ExamineAsync(folder);

        await RunAsync("skopeo", "copy", "--insecure-policy", $"oci:{folder}", $"oci-archive:{archive}");
        Assert.Equal(written.SnapshotSha256, Bundle.Open(archive).SnapshotSha256);
        await kit.ExamineAsync(archive);
    }

    [Fact]
    public async Task A_bundle_never_replaces_a_file_and_a_failed_one_leaves_nothing()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        string taken = kit.Write("taken.tar", [1, 2, 3]);
        FeedException e = await Assert.ThrowsAsync<FeedException>(() =>
            BundleWriter.WriteAsync(taken, kit.Snapshot, kit.Outside.Store, [kit.Signer], null, Token));
        Assert.Equal(ErrorIds.DestinationInvalid, e.ErrorId);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(taken));

        e = await Assert.ThrowsAsync<FeedException>(() => kit.WriteAsync("no/such/folder.tar"));
        Assert.Equal(ErrorIds.DestinationInvalid, e.ErrorId);

        // A blob that is lost, one that is cut short, one whose bytes have changed: none of them is ever signed for.
        SnapshotFile file = kit.Snapshot.Sources[^1].Files[0];
        string blob = kit.Outside.Store.PathOf(file.Sha256);
        byte[] content = File.ReadAllBytes(blob);
        foreach ((byte[]? damaged, string errorId) in new[]
        {
            (null, ErrorIds.BlobMissing), (content[..^1], ErrorIds.BlobDamaged), ((byte[])[.. content[..^1], 0xAA], ErrorIds.BlobDamaged),
        })
        {
            File.Delete(blob);
            if (damaged is not null)
            {
                File.WriteAllBytes(blob, damaged);
            }

            e = await Assert.ThrowsAsync<FeedException>(() => kit.WriteAsync("failed.tar"));
            Assert.Equal(errorId, e.ErrorId);
            Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(kit.PathOf("x"))!, "failed*"));
        }
    }

    [Fact]
    public async Task A_killed_writer_leaves_only_a_partial_file_which_the_next_run_removes()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        WrittenBundle whole = await kit.WriteAsync("whole.tar");
        byte[] bytes = File.ReadAllBytes(whole.Path);
        string left = kit.Write("killed.tar.partial", bytes[..2000]);
        string theirs = kit.Write("download.partial", [1, 2, 3]);
        string alive = kit.Write("alive.tar.partial", bytes[..2000]);
        using var held = new FileStream(alive, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        await kit.WriteAsync("next.tar");

        Assert.False(File.Exists(left));
        Assert.True(File.Exists(theirs));
        Assert.True(File.Exists(alive));
        Assert.False(File.Exists(kit.PathOf("next.tar.partial")));
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => kit.WriteAsync("alive.tar"));
        Assert.Equal(ErrorIds.DestinationInvalid, e.ErrorId);
        Assert.Equal(2000, held.Length);
    }

    [Fact]
    public async Task Cancelling_stops_writing_and_verifying_and_leaves_nothing()
    {
        using var kit = new BundleKit();
        byte[] big = RandomNumberGenerator.GetBytes(8_000_000);
        await kit.WithAsync("debian", ("big", big));
        WrittenBundle written = await kit.WriteAsync();

        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BundleWriter.WriteAsync(
            kit.PathOf("stopped.tar"), kit.Snapshot, kit.Outside.Store, [kit.Signer], new Canceller(stop), stop.Token));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(written.Path)!, "stopped*"));

        using var stopAgain = new CancellationTokenSource();
        using (var stage = new BlobStage(kit.Inside))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                kit.Verifier.VerifyContentAsync(Bundle.Open(written.Path), stage, new Canceller(stopAgain), stopAgain.Token));
            Assert.Equal(0, stage.Count);
        }

        Assert.Empty(kit.Inside.Store.List());
    }

    [Fact]
    public async Task A_full_disk_is_said_and_stops_at_once()
    {
        using var kit = new BundleKit();
        await kit.WithAsync("debian", ("big", RandomNumberGenerator.GetBytes(8_000_000)));
        WrittenBundle written = await kit.WriteAsync();

        FeedException e = await Assert.ThrowsAsync<FeedException>(() =>
            kit.Verifier.VerifyContentAsync(Bundle.Open(written.Path), new FullSink(), null, Token));

        Assert.Equal(ErrorIds.DiskFull, e.ErrorId);
    }

    [Fact]
    public async Task The_site_holds_a_bundle_to_time_stream_and_sequence()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        WrittenBundle written = await kit.WriteAsync();
        Snapshot snapshot = kit.Snapshot;
        Generation same = BundleKit.GenerationOf(snapshot, written.SnapshotSha256);
        Generation other = same with { SnapshotSha256 = new string('a', 64) };

        Assert.True((await kit.ExamineAsync(written.Path, same)).AlreadyImported);
        Assert.False((await kit.ExamineAsync(written.Path, other with { HighestSequence = 6 })).AlreadyImported);
        Assert.False((await kit.ExamineAsync(written.Path, other with { HighestSequence = 99, Stream = Guid.NewGuid() })).AlreadyImported);
        await RefusedAsync(kit, ErrorIds.BundleSequence, written.Path, other);
        await RefusedAsync(kit, ErrorIds.BundleSequence, written.Path, other with { HighestSequence = 8, Sequence = 3 });

        kit.Trust.SetStream(snapshot.Stream);
        await kit.ExamineAsync(written.Path);
        kit.Trust.SetStream(Guid.NewGuid());
        await RefusedAsync(kit, ErrorIds.BundleStream, written.Path);
        kit.Trust.SetStream(snapshot.Stream);

        kit.Clock.SetUtcNow(snapshot.Expires.AddSeconds(-1));
        await kit.ExamineAsync(written.Path);

        // A clock that was put back brings nothing to life again.
        await RefusedAsync(kit, ErrorIds.BundleExpired, written.Path, same with { NewestSnapshot = snapshot.Expires.AddDays(1) });
        kit.Clock.SetUtcNow(snapshot.Expires);
        await RefusedAsync(kit, ErrorIds.BundleExpired, written.Path);
    }

    [Fact]
    public async Task A_bundle_from_the_future_is_refused_beyond_what_clocks_differ()
    {
        using BundleKit kit = await BundleKit.SmallAsync();
        Snapshot Made(TimeSpan ahead) => kit.Snapshot with { Created = Pki.Now + ahead };

        await kit.ExamineAsync((await kit.WriteAsync("near.tar", Made(TimeSpan.FromMinutes(10)))).Path);
        await RefusedAsync(kit, ErrorIds.BundleFromFuture, (await kit.WriteAsync("far.tar", Made(TimeSpan.FromMinutes(11)))).Path);
        await RefusedAsync(kit, ErrorIds.BundleFromFuture, (await kit.WriteAsync("days.tar", Made(TimeSpan.FromDays(20)))).Path);
    }

    [Fact]
    public void What_is_not_there_or_not_a_bundle_is_said()
    {
        using var kit = new BundleKit();
        Directory.CreateDirectory(kit.PathOf("empty"));
        Refused(ErrorIds.BundleNotFound, kit.PathOf("missing.tar"));
        Refused(ErrorIds.BundleInvalid, kit.PathOf("empty"));
        Refused(ErrorIds.BundleTruncated, kit.Write("nothing.tar", []));
        Refused(ErrorIds.BundleTruncated, kit.Write("short.tar", [1, 2, 3]));
        Refused(ErrorIds.BundleInvalid, kit.Write("text.tar", Encoding.UTF8.GetBytes(new string('x', 5000))));
        Refused(ErrorIds.BundleInvalid, kit.Write("zeros.tar", new byte[5120]));
    }

    private static void Refused(string errorId, string path)
    {
        FeedException e = Assert.Throws<FeedException>(() => Bundle.Open(path));
        Assert.Equal(errorId, e.ErrorId);
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
    }

    private static async Task RefusedAsync(BundleKit kit, string errorId, string path, Generation? newest = null)
    {
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => kit.ExamineAsync(path, newest));
        Assert.Equal(errorId, e.ErrorId);
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => p.Length > 0 && File.Exists(Path.Combine(p, program)));

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Token);
        string error = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {error}{await output}");
    }

    private sealed class Collector(List<FeedProgress> into) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value)
        {
            lock (into)
            {
                into.Add(value);
            }
        }
    }

    private sealed class Canceller(CancellationTokenSource stop) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value) => stop.Cancel();
    }

    private sealed class FullSink : IBlobSink
    {
        public Stream? Open(string sha256, long size) => new FullStream();

        public void Accept(string sha256, long size) => Assert.Fail("nothing was written");
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device", 28);
    }
}

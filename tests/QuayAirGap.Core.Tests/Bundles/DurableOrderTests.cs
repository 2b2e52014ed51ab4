using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>
/// The order in which commands make state real, recorded while they run: what a power cut may leave follows from it (the argument is in Durable). A
/// machine without power cannot be had in a test; its disk's contents are some prefix of this order.
/// </summary>
public sealed class DurableOrderTests : IAsyncLifetime
{
    private readonly List<string> _trace = [];
    private AttackRig _rig = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Site Inside => _rig.Kit.Inside;

    public async ValueTask InitializeAsync()
    {
        _rig = await AttackRig.StartAsync();
        byte[] noise = new byte[200_000];
        new Random(5).NextBytes(noise);
        await _rig.Kit.WithAsync("debian", ("noise", noise));
    }

    public ValueTask DisposeAsync()
    {
        _rig.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_import_puts_content_on_disk_before_its_name_and_names_before_what_refers_to_them()
    {
        string bundle = _rig.Write(_rig.Next());
        await RecordAsync(() => _rig.ImportAsync(bundle));

        string store = Path.Combine(Inside.Root, "store");
        int[] blobs = [.. At(t => t.StartsWith("rename|", StringComparison.Ordinal) && Target(t).StartsWith(store, StringComparison.Ordinal))];
        Assert.NotEmpty(blobs);
        int firstBarrier = _trace.IndexOf("barrier");
        Assert.True(firstBarrier < blobs.Where(b => _trace[b].Contains("bundle-", StringComparison.Ordinal)).Min(), "staged content is named before it is on disk");

        int generation = Assert.Single(At(t => t.StartsWith("rename|", StringComparison.Ordinal) && Target(t) == new GenerationStore(Inside).FolderOf(2)));
        int lastBarrier = _trace.FindLastIndex(generation, t => t == "barrier");
        Assert.True(lastBarrier > blobs.Max(), "a generation is named before the names of its contents are on disk");
        int document = Assert.Single(At(t => t.StartsWith("rename|", StringComparison.Ordinal) && Target(t).EndsWith(".json", StringComparison.Ordinal) && Target(t).StartsWith(Inside.SnapshotsFolder, StringComparison.Ordinal)));
        int signature = Assert.Single(At(t => t.StartsWith("rename|", StringComparison.Ordinal) && Target(t).EndsWith(".p7s", StringComparison.Ordinal)));
        Assert.True(signature < document && document < lastBarrier, "a generation is named before its snapshot");

        int flushed = _trace.FindIndex(generation, t => t == "folder|" + Inside.GenerationsFolder);
        int current = Assert.Single(At(t => t.StartsWith("rename|", StringComparison.Ordinal) && Target(t) == Inside.CurrentFile));
        Assert.True(generation < flushed && flushed < current, "a generation is served before its name is on disk");
        AssertReplacedFilesAreFlushedFirst();
    }

    [Fact]
    public async Task Bundles_and_parts_have_their_names_only_when_their_last_byte_is_on_disk()
    {
        string folder = _rig.NewFolder();
        string whole = Path.Combine(folder, "whole.tar");
        await RecordAsync(async () =>
        {
            await BundleWriter.WriteAsync(whole, _rig.Kit.Snapshot, _rig.Kit.Outside.Store, [_rig.Kit.Signer], null, Token);
            await VolumeWriter.SplitAsync(Bundle.Open(whole), folder, "part", 80_000, overwrite: false, null, Token);
        });
        Assert.True(AssertReplacedFilesAreFlushedFirst() >= 4);

        // All of them are on disk before the first has its name: of half a split nothing is left but names that no reader takes.
        int first = At(t => t.StartsWith("rename|", StringComparison.Ordinal) && Target(t).Contains("part.vol", StringComparison.Ordinal)).Min();
        int last = At(t => t.StartsWith("flush|", StringComparison.Ordinal) && t.Contains("part.vol", StringComparison.Ordinal)).Max();
        Assert.True(last < first);
        Assert.Contains("folder|" + folder, _trace.Skip(first));
    }

    [Fact]
    public async Task Kept_parts_are_on_disk_before_their_names_and_go_after_the_generation_is_served()
    {
        string folder = _rig.NewFolder();
        VolumeSet set = await VolumeWriter.SplitAsync(Bundle.Open(_rig.Write(_rig.Next())), folder, "part", 80_000, overwrite: false, null, Token);
        string last = _rig.NewFolder();
        File.Move(set.Parts.Last().Path, Path.Combine(last, "last.qagvol"));
        await RecordAsync(() => Assert.ThrowsAsync<FeedException>(() => _rig.ImportAsync(folder)));
        Assert.True(AssertReplacedFilesAreFlushedFirst() >= set.Count - 1);
        Assert.Equal(set.Count - 1, Directory.GetFiles(Inside.VolumesFolder, "*", SearchOption.AllDirectories).Length);

        string watched = Directory.GetFiles(Inside.VolumesFolder, "*", SearchOption.AllDirectories)[0];
        var seen = new Watcher(_trace, () => File.Exists(watched));
        Durable.Trace.Value = seen;
        await _rig.ImportAsync(last);
        Durable.Trace.Value = null;
        Assert.True(seen.Held.Count > 5 && seen.Held.TakeWhile(h => h).Count() > seen.Operations.FindIndex(t => t.EndsWith(Inside.CurrentFile, StringComparison.Ordinal)));
        Assert.False(File.Exists(watched));
    }

    private async Task RecordAsync(Func<Task> work)
    {
        _trace.Clear();
        Durable.Trace.Value = _trace;
        await work();
        Durable.Trace.Value = null;
    }

    /// <summary>Of every single file that gets its name: flushed under the name before, and the folder flushed behind it.</summary>
    /// <returns>How many there were.</returns>
    private int AssertReplacedFilesAreFlushedFirst()
    {
        int checkedFiles = 0;
        foreach (int rename in At(t => t.StartsWith("rename|", StringComparison.Ordinal) && (t.Contains(".new|", StringComparison.Ordinal) || t.Contains(".partial|", StringComparison.Ordinal))).ToList())
        {
            string[] words = _trace[rename].Split('|');
            Assert.True(_trace.IndexOf("flush|" + words[1]) is >= 0 and var flush && flush < rename, words[2] + " has its name before its content is on disk");
            Assert.True(_trace.FindIndex(rename, t => t == "folder|" + Path.GetDirectoryName(words[2])) > rename, words[2] + " is never flushed as a name");
            checkedFiles++;
        }

        return checkedFiles;
    }

    private IEnumerable<int> At(Func<string, bool> wanted) => Enumerable.Range(0, _trace.Count).Where(i => wanted(_trace[i]));

    private static string Target(string operation) => operation.Split('|')[^1];

    /// <summary>Looks at something at each operation.</summary>
    private sealed class Watcher(List<string> operations, Func<bool> look) : System.Collections.ObjectModel.Collection<string>(operations)
    {
        public List<bool> Held { get; } = [];

        public List<string> Operations { get; } = [];

        protected override void InsertItem(int index, string item)
        {
            Held.Add(look());
            Operations.Add(item);
            base.InsertItem(index, item);
        }
    }
}

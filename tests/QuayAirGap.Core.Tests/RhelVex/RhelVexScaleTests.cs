using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

[CollectionDefinition(nameof(RhelVexScaleTests), DisableParallelization = true)]
public sealed class RhelVexScaleCollection;

/// <summary>
/// 10,000 documents. Their size is 12 KiB each, so that a test run stays short; QUAYAIRGAP_VEX_KB sets another (124 makes the 1.27 GB that
/// real documents would have).
/// </summary>
[Collection(nameof(RhelVexScaleTests))]
public sealed class RhelVexScaleTests(ITestOutputHelper output) : IDisposable
{
    private const int Count = 10_000;
    private static readonly DateTimeOffset s_now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ten_thousand_documents_need_neither_memory_nor_minutes()
    {
        int kilobytes = int.Parse(Environment.GetEnvironmentVariable("QUAYAIRGAP_VEX_KB") ?? "12", CultureInfo.InvariantCulture);
        var store = new BlobStore(_folder.Of("store"), _folder.Of("staging"));
        var upstream = new VexUpstream(store);
        for (int i = 0; i < Count; i++)
        {
            upstream.Put($"20{15 + (i % 11)}/cve-20{15 + (i % 11)}-{10_000 + i}.json", 1, s_now.AddDays(-30));
        }

        upstream.Pack(s_now.AddDays(-5));
        upstream.Archive = Pack(upstream.Documents.Keys, kilobytes);
        var mirror = new VexMirror(store, _folder.Of("state"));

        (SourceSnapshot first, _) = await MeasureAsync("first capture", () => upstream.CaptureAsync(s_now));
        upstream.Archive = [];
        (Generation full, long peak) = await MeasureAsync("first publication", () => mirror.PublishAsync(first, s_now));
        Assert.True(peak < 150 << 20, $"{peak >> 20} MiB of managed memory");

        foreach (string path in upstream.Documents.Keys.Where((_, i) => i % 100 == 7).ToArray())
        {
            upstream.Put(path, 2, s_now.AddHours(1));
        }

        (SourceSnapshot second, _) = await MeasureAsync("second capture, 1 % changed", () => upstream.CaptureAsync(s_now.AddDays(1), first));
        (Generation delta, peak) = await MeasureAsync("second publication, 1 % changed", () => mirror.PublishAsync(second, s_now.AddDays(1)));
        Assert.True(peak < 150 << 20, $"{peak >> 20} MiB of managed memory");
        (_, _) = await MeasureAsync("third publication, nothing changed", () => mirror.PublishAsync(second, s_now.AddDays(2)));
        (string scratch, _) = await MeasureAsync("the second anew, from nothing", () => mirror.ArchiveFromScratchAsync(second, s_now.AddDays(1)));

        Assert.Equal(Count, full.Archives[0].Members.Count);
        Assert.Equal(scratch, delta.Archives[0].ArchiveSha256);
        int frames = delta.Archives[0].Members.Select(m => m.FrameOffset).Distinct().Count();
        output.WriteLine($"archive {new FileInfo(store.PathOf(scratch)).Length >> 10} KiB in {frames} frames");

        using FileStream archive = store.OpenRead(scratch);
        var clock = Stopwatch.StartNew();
        foreach (ArchiveMember member in delta.Archives[0].Members.Where((_, i) => i % 50 == 0))
        {
            Assert.Equal(member.Size, SeekableArchive.ReadMember(archive, member).Length);
        }

        output.WriteLine($"one document served: {clock.Elapsed.TotalMilliseconds / 200:F2} ms");
    }

    private async Task<(T Result, long Peak)> MeasureAsync<T>(string what, Func<Task<T>> work)
    {
        GC.Collect();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long peak = 0;
        using var process = Process.GetCurrentProcess();
        using var stop = new CancellationTokenSource();
        Task watch = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                peak = Math.Max(peak, GC.GetTotalMemory(false) - before);
                await Task.Delay(5);
            }
        });
        var clock = Stopwatch.StartNew();
        T result = await work();
        clock.Stop();
        await stop.CancelAsync();
        await watch;
        process.Refresh();
        output.WriteLine(
            $"{what}: {clock.Elapsed.TotalSeconds:F2} s, {peak >> 20} MiB managed, "
            + $"{process.PrivateMemorySize64 >> 20} MiB private, {process.WorkingSet64 >> 20} MiB resident");
        return (result, peak);
    }

    /// <summary>Documents as repetitive as real ones, each with a part of its own.</summary>
    private static byte[] Pack(IEnumerable<string> paths, int kilobytes)
    {
        using var packed = new MemoryStream();
        using (var zstd = new CompressionStream(packed, 3))
        using (var tar = new TarWriter(zstd, TarEntryFormat.Ustar))
        {
            var random = new Random(1);
            foreach (string path in paths)
            {
                var content = new StringBuilder(VexUpstream.Content(path, 1)[..^1]).Append(",\"product_tree\":[");
                while (content.Length < kilobytes << 10)
                {
                    content.Append("{\"category\":\"product_version\",\"name\":\"kernel-").Append(random.Next(500))
                        .Append(".el9\",\"product\":{\"product_id\":\"AppStream-9:kernel-").Append(random.Next(100)).Append("\"}},");
                }

                content.Append("null]}");
                var bytes = new MemoryStream(Encoding.UTF8.GetBytes(content.ToString()));
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { DataStream = bytes });
            }
        }

        return packed.ToArray();
    }
}

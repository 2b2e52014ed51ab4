using System.Diagnostics;
using System.IO.Compression;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Osv;
using QuayAirGap.Core.Sources.Osv.Zip;
using QuayAirGap.Core.Store;
using Xunit;

namespace QuayAirGap.Core.Tests.Osv;

/// <summary>On real captures, where there are any.</summary>
public sealed class OsvRealFeedTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset s_now = new(2025, 2, 14, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("day0", "Go")]
    [InlineData("day0", "Maven")]
    [InlineData("day0", "RubyGems")]
    [InlineData("day0", "crates.io")]
    [InlineData("day1", "Go")]
    [InlineData("day1", "Maven")]
    [InlineData("small", "PyPI")]
    [InlineData("small-next", "PyPI")]
    [InlineData("small-next", "npm")]
    public void A_real_archive_is_read_to_its_end_and_nothing_of_it_is_held_back_without_need(string capture, string ecosystem)
    {
        byte[] zip = File.ReadAllBytes(Path.Combine(Feeds(capture), OsvLab.Host, ecosystem, "all.zip"));
        using var independent = new ZipArchive(new MemoryStream(zip));
        var watch = Stopwatch.StartNew();

        OsvArchive archive = OsvArchive.Read(new MemoryStream(zip), s_now, ZipLimits.Default, default);

        output.WriteLine($"{capture}/{ecosystem}: {archive.AdvisoryCount} advisories in {zip.Length} bytes, {watch.ElapsedMilliseconds} ms");
        Assert.Equal(independent.Entries.Count, archive.AdvisoryCount);
        Assert.Empty(archive.Unsafe);
    }

    [Fact]
    public async Task A_real_archive_without_some_members_is_a_sound_archive_of_the_others()
    {
        byte[] zip = File.ReadAllBytes(Path.Combine(Feeds("day0"), OsvLab.Host, "Maven", "all.zip"));
        var index = ZipIndex.Read(new MemoryStream(zip), ZipLimits.Default);
        var random = new Random(1);
        HashSet<int> leftOut = [0, index.Members.Count - 1, .. Enumerable.Range(0, 50).Select(_ => random.Next(index.Members.Count))];
        using var copy = new MemoryStream();

        await ZipSubset.WriteAsync(new MemoryStream(zip), index, leftOut, copy, TestContext.Current.CancellationToken);

        using var before = new ZipArchive(new MemoryStream(zip));
        using var after = new ZipArchive(copy);
        Assert.Equal(
            before.Entries.Where((_, i) => !leftOut.Contains(i)).Select(e => (e.FullName, e.Crc32, e.LastWriteTime)),
            after.Entries.Select(e => (e.FullName, e.Crc32, e.LastWriteTime)));
        OsvArchive read = OsvArchive.Read(new MemoryStream(copy.ToArray()), s_now, ZipLimits.Default, default);
        Assert.Equal(index.Members.Count - leftOut.Count, read.AdvisoryCount);
    }

    [Fact]
    public async Task A_real_capture_is_collected_and_published_to_the_byte()
    {
        await using OsvLab lab = await OsvLab.StartAsync(layers: [Feeds("small")]);
        SourceSnapshot captured = await lab.CaptureAsync();
        Generation first = await lab.PublishAsync(captured);
        lab.Upstream.SetLayers(Feeds("small-next"));

        Generation second = await lab.CaptureAndPublishAsync(captured);

        Assert.Equal(["NuGet", "Packagist", "crates.io", "npm"], captured.Deselected);
        foreach ((Generation generation, string capture) in new[] { (first, "small"), (second, "small-next") })
        {
            Assert.Equal(CaptureState.Captured, generation.Sources.Single().State);
            Assert.Empty(generation.HeldBack);
            Assert.All(
                generation.Entries.Where(e => e.Derivation is null),
                e => Assert.Equal(Sha256Digest.Of(File.ReadAllBytes(Path.Combine(Feeds(capture), e.Path[1..]))), e.Sha256));
            Assert.Equal(4, generation.Entries.Count(e => e.Derivation is null));
        }
    }

    private static string Feeds(string capture)
    {
        string? root = Environment.GetEnvironmentVariable("QUAYAIRGAP_FEEDS");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); root is null && folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "QuayAirGap.sln")))
            {
                root = Path.Combine(folder.Parent!.FullName, "shared", "feeds");
            }
        }

        Assert.SkipUnless(Directory.Exists(root), "There are no captures of real feeds here.");
        return Path.Combine(root!, capture);
    }
}

using System.IO.Compression;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Samples;
using Xunit;

namespace QuayAirGap.Core.Tests.Delta;

/// <summary>Deflate as classic zlib writes it, to the bit.</summary>
public sealed class ClassicDeflateTests
{
    // Made with zlib 1.2.13, raw deflate, memory level 8.
    [Theory]
    [InlineData("empty", 6, 2, "9b4fb24edd6d1d8830e272398263cdbf026b97392cc35387b991dc0248a628f9")]
    [InlineData("empty", 9, 2, "9b4fb24edd6d1d8830e272398263cdbf026b97392cc35387b991dc0248a628f9")]
    [InlineData("one", 6, 3, "f5b976feaac71fd875e2850ce8a0f229ad2fe83beab9d1284fe2a75f1e172a56")]
    [InlineData("one", 9, 3, "f5b976feaac71fd875e2850ce8a0f229ad2fe83beab9d1284fe2a75f1e172a56")]
    [InlineData("short", 6, 10, "ecbeb577b4efc0838791464adb8800d3ac432a00aa4a005bae35f7b1b488640a")]
    [InlineData("short", 9, 10, "ecbeb577b4efc0838791464adb8800d3ac432a00aa4a005bae35f7b1b488640a")]
    [InlineData("runs", 6, 331, "bb3b51e4407e1e2bb464809327bb79d7e15f45d37e48da4352eb0b416944dcb7")]
    [InlineData("runs", 9, 331, "bb3b51e4407e1e2bb464809327bb79d7e15f45d37e48da4352eb0b416944dcb7")]
    [InlineData("text", 6, 147256, "c7c6f9133753b956d83058589f672c075b3ef4193ebac94177f7ab2c4840a1ea")]
    [InlineData("text", 9, 144142, "79a81834190236ed62fd95470182560468dd9881ccf20379327724f817d9765a")]
    [InlineData("noise", 6, 200065, "beb69befecd394a32e24a5ed7ece7fa113f122c455b6b1600fd68c6bc74fca11")]
    [InlineData("noise", 9, 200065, "beb69befecd394a32e24a5ed7ece7fa113f122c455b6b1600fd68c6bc74fca11")]
    [InlineData("copies", 6, 21682, "c73e3e43e5912e1d803007f04101285e717242c032ff9f0af4cc4a7177c05ecd")]
    [InlineData("copies", 9, 21259, "1f9d7394dc56f22f145bbd8cc5d5dd3a89aa28f3588e1bc359c0004ec94a14f7")]
    [InlineData("mixed", 6, 115199, "e63dbd622e4bcae5a10ac96876670a606737c2edf2c2e67b26e735acf8c11735")]
    [InlineData("mixed", 9, 114705, "9a71e9405feaa8db768e9ac05a7e934ce879f5f549503d20f2d68c84f66d1aae")]
    public void It_writes_what_classic_zlib_writes(string what, int level, int length, string sha256)
    {
        byte[] content = what switch
        {
            "empty" => [],
            "one" => "x"u8.ToArray(),
            "short" => "hello hello hello hello"u8.ToArray(),
            "runs" => [.. Enumerable.Repeat((byte)'a', 200000), .. Enumerable.Range(0, 120000).Select(i => (byte)(i % 2 == 0 ? 'a' : 'b'))],
            "text" => Content.Text(700000, 1),
            "noise" => Content.Noise(200000, 2),
            "copies" => Content.Copies(400000, 3),
            _ => [.. Content.Text(100000, 4), .. Content.Noise(70000, 5), .. new byte[90000], .. Content.Text(100000, 4), .. Content.Noise(40, 6)],
        };
        byte[] packed = Pack(content, level);
        using var unpacked = new MemoryStream();
        using (var inflate = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress))
        {
            inflate.CopyTo(unpacked);
        }

        Assert.Equal(content, unpacked.ToArray());
        Assert.Equal(length, packed.Length);
        Assert.Equal(sha256, Sha256Digest.Of(packed));
    }

    /// <summary>Going by an older stream is a short cut, and no other way: edits of every kind, at the beginning, at the end, close together and far apart.</summary>
    [Theory]
    [InlineData(6)]
    [InlineData(9)]
    public void What_goes_by_an_older_stream_is_what_is_made_without(int level)
    {
        byte[] old = [.. Content.Text(300_000, 1), .. Content.Copies(150_000, 2), .. Content.Noise(70_000, 3), .. Content.Text(200_000, 4), .. new byte[100_000], .. Content.Text(90_000, 5)];
        byte[] packedOld = Pack(old, level);
        byte[][] contents =
        [
            old,
            [.. old, .. Content.Text(50_000, 6)],
            [.. Content.Text(777, 7), .. old],
            old[..^50_001],
            old[100_003..],
            [.. old[..200_000], .. old[200_001..]],
            [.. old[..150_000], (byte)'!', .. old[150_001..]],
            [.. old[..400_000], .. old[..300_000]],
            [.. old[300_000..], .. old[..300_000]],
            Content.Edited(old, 8, 3),
            Content.Edited(old, 9, 40),
            Content.Text(120_000, 10),
            [],
        ];
        foreach (byte[] content in contents)
        {
            using var packed = new MemoryStream();
            ClassicDeflate.Pack(content, level, old, packedOld, packed, TestContext.Current.CancellationToken);
            Assert.Equal(Pack(content, level), packed.ToArray());
        }
    }

    /// <summary>
    /// A stream that does not belong to the older content, or is no stream, gives the same outcome or another of a bounded size, and never an error: callers compare
    /// it, and pack again without the stream.
    /// </summary>
    [Fact]
    public void A_damaged_older_stream_never_fails_in_another_way_than_by_its_outcome()
    {
        byte[] old = Content.Text(200_000, 1);
        byte[] packedOld = Pack(old, 6);
        byte[] content = Content.Edited(old, 2, 2);
        byte[] right = Pack(content, 6);
        var random = new Random(20261126);
        (int same, int other) = (0, 0);
        for (int round = 0; round < 200; round++)
        {
            byte[] damaged = packedOld[..(round % 2 == 0 ? packedOld.Length : random.Next(packedOld.Length))];
            for (int i = 0; i < 3 && damaged.Length > 0; i++)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            using var packed = new MemoryStream();
            ClassicDeflate.Pack(content, 6, old, damaged, packed, TestContext.Current.CancellationToken);
            Assert.InRange(packed.Length, 1, content.Length + 1000);
            (same, other) = packed.ToArray().AsSpan().SequenceEqual(right) ? (same + 1, other) : (same, other + 1);
        }

        Assert.True(same > 0 && other > 50, $"{same} the same, {other} others");
    }

    [Fact]
    public void The_long_stretches_of_two_contents_are_found_in_their_order()
    {
        byte[] old = Content.Text(500_000, 1);
        byte[] content = [.. old[..100_000], .. "new"u8, .. old[100_000..300_000], .. old[300_010..310_000], .. "!"u8, .. old[310_000..500_000]];
        List<CommonRun> runs = CommonRuns.Find(old, content, 40_000, TestContext.Current.CancellationToken);
        Assert.Equal(3, runs.Count);
        int end = 0;
        foreach (CommonRun run in runs)
        {
            Assert.True(run.New >= end);
            Assert.InRange(run.Length, 40_000, 200_010);
            Assert.True(old.AsSpan(run.Old, run.Length).SequenceEqual(content.AsSpan(run.New, run.Length)));
            end = run.End;
        }

        Assert.InRange(runs.Sum(r => r.Length), 489_000, content.Length);
        Assert.Empty(CommonRuns.Find(old, Content.Text(300_000, 2), 40_000, TestContext.Current.CancellationToken));
        Assert.Empty(CommonRuns.Find([], content, 40_000, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_level_whose_choices_are_not_known_is_refused() => Assert.Throws<InvalidDataException>(() => Pack([1, 2, 3], 5));

    [Fact]
    public void Every_gzip_file_of_the_real_feeds_that_zlib_made_is_made_again()
    {
        string? feeds = RepositoryFolders.RealFeeds;
        Assert.SkipWhen(feeds is null, "There is no real feed data beside the checkout.");
        using var folder = new TempFolder();
        string[] files = Directory.GetFiles(feeds, "*.gz", SearchOption.AllDirectories)
            .Where(f => f.Contains("day0", StringComparison.Ordinal) || f.Contains("day1", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            string form = folder.Of(Guid.NewGuid().ToString("N"));
            Assert.True(new GzipForm().TryUnpack(file, form, TestContext.Current.CancellationToken), file);
        }
    }

    private static byte[] Pack(byte[] content, int level)
    {
        using var packed = new MemoryStream();
        ClassicDeflate.Pack(content, level, packed, TestContext.Current.CancellationToken);
        return packed.ToArray();
    }
}

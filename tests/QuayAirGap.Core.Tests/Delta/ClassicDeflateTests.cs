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

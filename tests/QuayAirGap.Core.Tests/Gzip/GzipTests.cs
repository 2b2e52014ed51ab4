using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Sources.Gzip;
using QuayAirGap.Core.Sources.Json;
using QuayAirGap.TestKit.Samples;
using Xunit;

namespace QuayAirGap.Core.Tests.Gzip;

public sealed class GzipTests
{
    [Fact]
    public void A_stored_file_is_what_any_decoder_unpacks()
    {
        var random = new Random(1);
        foreach (int length in new[] { 0, 1, 180, 65_535 })
        {
            byte[] content = new byte[length];
            random.NextBytes(content);

            byte[] packed = StoredGzip.Pack(content);

            Assert.Equal(content, GzipFeeds.Unpack(packed));
            using var ours = new GunzipStream(new MemoryStream(packed), GzipLimits.Default, HashAlgorithmName.SHA256);
            Assert.Equal(SHA256.HashData(content), ours.Hash());
            Assert.Equal(length, ours.Length);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => StoredGzip.Pack(new byte[65_536]));
    }

    [Fact]
    public void A_file_cut_short_anywhere_or_with_more_behind_it_or_a_flipped_bit_is_refused()
    {
        byte[] packed = GzipFeeds.Pack(Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(0, 500))));
        for (int length = 0; length < packed.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => Hash(packed[..length]));
        }

        Assert.Throws<InvalidDataException>(() => Hash([.. packed, .. "garbage!"u8]));

        // Of the header only the magic number, the method and the flags mean anything.
        for (int i = 10; i < packed.Length; i++)
        {
            byte[] flipped = [.. packed];
            flipped[i] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => Hash(flipped));
        }
    }

    [Fact]
    public void More_than_the_limits_is_refused_before_it_is_all_unpacked()
    {
        byte[] bomb = GzipFeeds.Pack(new byte[4 << 20]);
        var limits = new GzipLimits(Size: 100_000, Ratio: 1000, FreeSize: 1000);
        using var stream = new GunzipStream(new MemoryStream(bomb), limits, HashAlgorithmName.SHA256);
        Assert.Throws<InvalidDataException>(() => stream.Hash());
        Assert.True(stream.Length < 300_000);

        using var ratio = new GunzipStream(new MemoryStream(bomb), limits with { Size = long.MaxValue, Ratio = 100 }, HashAlgorithmName.SHA256);
        Assert.Throws<InvalidDataException>(() => ratio.Hash());
    }

    [Fact]
    public void Records_are_the_same_however_the_bytes_arrive()
    {
        string[] records = [.. Enumerable.Range(0, 40).Select(i => $"{{\"id\":\"CVE-{i}\",\"more\":[{{\"]\":\"}}\\\"{new string('x', i * 7)}\"}}]}}")];
        string document = "{ \"a\" : {\"vulnerabilities\":[1]}, \"total\":40,\n\"Vulnerabilities\":[" + string.Join(" ,\n", records) + "], \"b\":[null] } \n";
        foreach (int size in new[] { 1, 2, 7, 64, 100_000 })
        {
            List<string> found = [];
            string? total = null;
            using var slow = new SlowStream(Encoding.UTF8.GetBytes(document), size);
            JsonRecordReader.Read(
                slow, "vulnerabilities", r => found.Add(Encoding.UTF8.GetString(r)),
                new Dictionary<string, JsonValueVisitor> { ["TOTAL"] = v => total = Encoding.UTF8.GetString(v) }, CancellationToken.None);

            Assert.Equal(records, found);
            Assert.Equal("40", total);
        }

        for (int length = 0; length < document.TrimEnd().Length; length++)
        {
            using var cut = new SlowStream(Encoding.UTF8.GetBytes(document[..length]), 50);
            Assert.ThrowsAny<JsonException>(() => JsonRecordReader.Read(
                cut, "vulnerabilities", _ => { }, new Dictionary<string, JsonValueVisitor>(), CancellationToken.None));
        }
    }

    private static byte[] Hash(byte[] packed)
    {
        using var stream = new GunzipStream(new MemoryStream(packed), GzipLimits.Default, HashAlgorithmName.SHA256);
        return stream.Hash();
    }

    private sealed class SlowStream(byte[] content, int size) : MemoryStream(content)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(size, buffer.Length)]);
    }
}

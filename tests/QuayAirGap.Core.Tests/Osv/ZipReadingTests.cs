using QuayAirGap.Core.Sources.Osv;
using QuayAirGap.Core.Sources.Osv.Zip;
using Xunit;

namespace QuayAirGap.Core.Tests.Osv;

public sealed class ZipReadingTests
{
    private static readonly DateTimeOffset s_now = new(2025, 2, 7, 0, 0, 0, TimeSpan.Zero);

    // Small, as every bit of each archive is tried.
    private static readonly (string Name, string Content)[] s_documents =
        [.. Enumerable.Range(1, 3).Select(i => ($"GHSA-{i}.json", $$"""{"id":"GHSA-{{i}}","summary":"aaaaaaaaaaaaaaaaaaaaaaa"}"""))];

    public static TheoryData<string> Kinds { get; } = [.. ZipForge.Sound(s_documents).Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_way_of_writing_a_sound_archive_is_read_to_its_end(string kind)
    {
        OsvArchive archive = Read(Sound(kind));

        Assert.Equal(3, archive.AdvisoryCount);
        Assert.Empty(archive.Unsafe);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_archive_cut_short_anywhere_is_refused(string kind)
    {
        byte[] zip = Sound(kind);
        for (int length = 0; length < zip.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => Read(zip[..length]));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Bytes_after_the_end_are_refused(string kind) =>
        Assert.Throws<InvalidDataException>(() => Read([.. Sound(kind), 0]));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_flipped_bit_yields_other_content_than_was_packed(string kind)
    {
        byte[] zip = Sound(kind);
        string[] expected = [.. s_documents.Select(d => d.Content)];
        int refused = 0;
        for (int bit = 0; bit < zip.Length * 8; bit++)
        {
            byte[] flipped = [.. zip];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var index = ZipIndex.Read(new MemoryStream(flipped), ZipLimits.Default);
                using var reader = new ZipMemberReader(index, new MemoryStream(flipped));
                Assert.Equal(s_documents.Length, index.Members.Count);
                foreach (ZipMember member in index.Members)
                {
                    if (reader.Read(member) is { } content)
                    {
                        Assert.Contains(System.Text.Encoding.UTF8.GetString(content.Span), expected);
                    }
                }
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.True(refused > zip.Length, $"Only {refused} of {zip.Length * 8} flipped bits were noticed.");
    }

    [Fact]
    public void Random_bytes_between_true_signatures_never_hang_or_crash()
    {
        var random = new Random(20250206);
        byte[] zip = Sound("Zip64 throughout");
        for (int round = 0; round < 5_000; round++)
        {
            byte[] broken = [.. zip];
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                int at = random.Next(2) == 0 ? random.Next(broken.Length) : broken.Length - 1 - random.Next(300);
                byte[] value = [0, 1, 0x7F, 0x80, 0xFF, (byte)random.Next(256)];
                broken.AsSpan(at, Math.Min(random.Next(1, 9), broken.Length - at)).Fill(value[random.Next(value.Length)]);
            }

            try
            {
                Read(broken);
            }
            catch (InvalidDataException)
            {
                // the only way out besides success
            }
        }
    }

    [Fact]
    public void Two_entries_over_one_record_are_refused() => Refused(
        "overlap",
        new ForgedMember("a.json", Advisories.Sound("GHSA-1")),
        new ForgedMember("b.json", Advisories.Sound("GHSA-1")) { SharesRecordOf = 0 });

    [Fact]
    public void A_member_that_unpacks_to_more_than_it_declares_is_refused() => Refused(
        "does not unpack to the size", new ForgedMember("a.json", new byte[1 << 20]) { Size = 1000 });

    [Fact]
    public void A_member_that_unpacks_to_less_than_it_declares_is_refused() => Refused(
        "does not unpack to the size", new ForgedMember("a.json", new byte[1000]) { Size = 1 << 20 });

    [Fact]
    public void A_member_with_another_checksum_is_refused_by_name() => Refused(
        "'GHSA-1.json'", new ForgedMember("GHSA-1.json", Advisories.Sound("GHSA-1")) { Crc = 1 });

    [Fact]
    public void A_member_above_the_limit_is_refused_before_it_is_unpacked() => Refused(
        "no advisory is that large", new ForgedMember("a.json", "{}") { Size = int.MaxValue });

    [Fact]
    public void An_archive_that_shrinks_beyond_belief_is_refused()
    {
        byte[] zip = ZipForge.Make([.. Enumerable.Range(0, 8).Select(i => new ForgedMember($"{i}.json", new byte[1 << 20]))]);

        InvalidDataException e = Assert.Throws<InvalidDataException>(
            () => OsvArchive.Read(new MemoryStream(zip), s_now, ZipLimits.Default with { FreeSize = 1 << 20 }, default));

        Assert.Contains("no feed shrinks that well", e.Message);
    }

    [Fact]
    public void More_members_than_the_limit_are_refused()
    {
        byte[] zip = ZipForge.Make([.. Enumerable.Range(0, 11).Select(i => new ForgedMember($"{i}.json", "{}"))]);

        Assert.Throws<InvalidDataException>(
            () => OsvArchive.Read(new MemoryStream(zip), s_now, ZipLimits.Default with { Members = 10 }, default));
    }

    [Fact]
    public void A_directory_that_claims_millions_of_members_costs_no_memory()
    {
        byte[] zip = ZipForge.Make([new ForgedMember("a.json", "{}")], wideEnd: true);
        BitConverter.TryWriteBytes(zip.AsSpan(zip.Length - 22 - 20 - 56 + 24), 400_000L);
        BitConverter.TryWriteBytes(zip.AsSpan(zip.Length - 22 - 20 - 56 + 32), 400_000L);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<InvalidDataException>(() => Read(zip));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Bytes_before_the_first_member_are_refused()
    {
        // Offsets that were right without the prefix, as of a self-extracting archive, and offsets that count it.
        byte[] zip = Sound("deflated");
        Assert.Throws<InvalidDataException>(() => Read([.. "#!/bin/sh\n"u8, .. zip]));
    }

    [Fact]
    public void A_stopped_reading_stops()
    {
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => OsvArchive.Read(new MemoryStream(Sound("deflated")), s_now, ZipLimits.Default, stopped.Token));
    }

    [Fact]
    public void Names_that_lead_elsewhere_come_twice_or_say_nothing_are_no_matter_as_Clair_does_not_use_them()
    {
        OsvArchive archive = Read(ZipForge.Make(
        [
            new ForgedMember("../../etc/passwd", Advisories.Sound("GHSA-1")),
            new ForgedMember("/absolute.json", Advisories.Sound("GHSA-2")),
            new ForgedMember("twice.json", Advisories.Sound("GHSA-3")),
            new ForgedMember("twice.json", Advisories.Sound("GHSA-4")),
            new ForgedMember("", Advisories.Sound("GHSA-5")),
            new ForgedMember("back\\slash\0\u001b[31m", Advisories.Sound("GHSA-6")),
        ]));

        Assert.Equal(6, archive.AdvisoryCount);
        Assert.Empty(archive.Unsafe);
    }

    [Fact]
    public void What_Clair_cannot_read_as_an_advisory_is_harmful_and_named()
    {
        OsvArchive archive = Read(ZipForge.Make(
        [
            new ForgedMember("GHSA-1.json", Advisories.Sound("GHSA-1")),
            new ForgedMember("folder/", ""),
            new ForgedMember("empty.json", ""),
            new ForgedMember("README.md", "# Not JSON"),
            new ForgedMember("locked.json", Advisories.Sound("GHSA-2")) { Flags = 1 },
            new ForgedMember("zstd.json", Advisories.Sound("GHSA-3")) { Method = 93 },
            new ForgedMember("new\nline.json", "["),
            new ForgedMember("GHSA-4.json", Advisories.Crashing("GHSA-4")),
        ]));

        Assert.Equal(2, archive.AdvisoryCount);
        Assert.Equal(
            ["folder/", "empty.json", "README.md", "locked.json", "zstd.json", "new�line.json", "GHSA-4"], archive.Unsafe.Select(u => u.Item));
        Assert.All(archive.Unsafe, u => Assert.DoesNotContain('\n', u.Reason));
    }

    private static byte[] Sound(string kind) => ZipForge.Sound(s_documents).Single(k => k.Name == kind).Zip;

    private static OsvArchive Read(byte[] zip) => OsvArchive.Read(new MemoryStream(zip), s_now, ZipLimits.Default, default);

    private static void Refused(string why, params ForgedMember[] members) =>
        Assert.Contains(why, Assert.Throws<InvalidDataException>(() => Read(ZipForge.Make(members))).Message);
}

using System.IO.Compression;
using QuayAirGap.Core.Sources.Osv.Zip;
using Xunit;

namespace QuayAirGap.Core.Tests.Osv;

public sealed class ZipSubsetTests
{
    private static readonly (string Name, string Content)[] s_documents = Advisories.Many(6);

    public static TheoryData<string> Kinds { get; } = [.. ZipForge.Sound(s_documents).Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_nothing_left_out_the_copy_is_the_original(string kind)
    {
        byte[] zip = Sound(kind);

        Assert.Equal(zip, await WithoutAsync(zip));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_is_kept_is_kept_to_the_byte_and_in_its_order(string kind)
    {
        byte[] zip = Sound(kind);
        int[] leftOut = [0, 3, 5];

        byte[] copy = await WithoutAsync(zip, leftOut);

        ZipIndex before = Index(zip);
        ZipIndex after = Index(copy);
        ZipMember[] kept = [.. before.Members.Where((_, i) => !leftOut.Contains(i))];
        Assert.Equal(kept.Length, after.Members.Count);
        for (int i = 0; i < kept.Length; i++)
        {
            Assert.Equal(Record(zip, kept[i]), Record(copy, after.Members[i]));
            Assert.Equal(Header(before, kept[i]), Header(after, after.Members[i]));
        }

        Assert.Equal(kept.OrderBy(m => m.Offset).Select(m => before.Name(m)), after.Members.OrderBy(m => m.Offset).Select(m => after.Name(m)));
        Assert.Equal(before.End[20..], after.End[20..]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Another_reader_finds_exactly_the_kept_documents(string kind)
    {
        byte[] zip = Sound(kind);
        for (int left = 0; left < s_documents.Length; left++)
        {
            byte[] copy = await WithoutAsync(zip, left);

            string missing = Index(zip).Name(Index(zip).Members[left]);
            using var archive = new ZipArchive(new MemoryStream(copy));
            Assert.Equal(
                s_documents.Where(d => d.Name != missing).OrderBy(d => d.Name),
                archive.Entries.Select(e => (e.Name, Text(e))).OrderBy(d => d.Name));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_same_members_left_out_of_the_same_archive_give_the_same_bytes(string kind)
    {
        byte[] zip = Sound(kind);

        Assert.Equal(await WithoutAsync(zip, 1, 4), await WithoutAsync(zip, 4, 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Without_any_member_a_valid_empty_archive_is_left(string kind)
    {
        byte[] copy = await WithoutAsync(Sound(kind), 0, 1, 2, 3, 4, 5);

        using var archive = new ZipArchive(new MemoryStream(copy));
        Assert.Empty(archive.Entries);
        Assert.Empty(Index(copy).Members);
    }

    private static byte[] Sound(string kind) => ZipForge.Sound(s_documents).Single(k => k.Name == kind).Zip;

    private static ZipIndex Index(byte[] zip) => ZipIndex.Read(new MemoryStream(zip), ZipLimits.Default);

    private static async Task<byte[]> WithoutAsync(byte[] zip, params int[] leftOut)
    {
        using var copy = new MemoryStream();
        await ZipSubset.WriteAsync(new MemoryStream(zip), Index(zip), leftOut.ToHashSet(), copy, TestContext.Current.CancellationToken);
        return copy.ToArray();
    }

    private static byte[] Record(byte[] zip, ZipMember member) => zip[(int)member.Offset..(int)(member.Offset + member.RecordLength)];

    private static byte[] Header(ZipIndex index, ZipMember member)
    {
        byte[] header = index.Directory[member.HeaderStart..(member.HeaderStart + member.HeaderLength)];
        Array.Clear(header, member.OffsetField - member.HeaderStart, member.OffsetIsLong ? 8 : 4);
        return header;
    }

    private static string Text(ZipArchiveEntry entry)
    {
        using var reader = new StreamReader(entry.Open());
        string text = reader.ReadToEnd();
        Assert.Equal(entry.Crc32, Crc32.Of(System.Text.Encoding.UTF8.GetBytes(text)));
        return text;
    }
}

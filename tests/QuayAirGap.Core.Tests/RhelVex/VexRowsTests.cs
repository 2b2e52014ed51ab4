using System.Text;
using QuayAirGap.Core.Sources.RhelVex;
using Xunit;

namespace QuayAirGap.Core.Tests.RhelVex;

public sealed class VexRowsTests
{
    [Theory]
    [InlineData("\"2024/cve-2024-1234.json\",\"2024-05-06T07:08:09+00:00\"\n")]
    [InlineData("2024/cve-2024-1234.json,2024-05-06T07:08:09Z")]
    [InlineData("\r\n\"2024/cve-2024-1234.json\",2024-05-06T09:08:09+02:00\r\n\r\n")]
    [InlineData("2024/cve-2024-1234.json,\"2024-05-06T07:08:09.000000000Z\"\n")]
    [InlineData("2024/cve-2024-1234.json,2020-05-06T07:08:09Z\n2024/cve-2024-1234.json,2024-05-06T07:08:09Z\n2024/cve-2024-1234.json,2021-05-06T07:08:09Z\n")]
    public void Rows_are_read_in_every_form_that_Clair_reads(string csv)
    {
        KeyValuePair<string, DateTimeOffset> row = Assert.Single(Read(csv));

        Assert.Equal("2024/cve-2024-1234.json", row.Key);
        Assert.Equal(new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero), row.Value);
    }

    [Fact]
    public void Two_stamps_within_one_second_differ() => Assert.NotEqual(
        Read("2024/a.json,2024-05-06T07:08:09.123456Z").Single().Value, Read("2024/a.json,2024-05-06T07:08:09.123457Z").Single().Value);

    [Theory]
    [InlineData("")]
    [InlineData("\n\r\n\n")]
    public void An_empty_list_has_no_rows(string csv) => Assert.Empty(Read(csv));

    [Theory]
    [InlineData("2024/cve-2024-1234.json")]
    [InlineData("2024/cve-2024-1234.json,2024-05-06T07:08:09Z,more")]
    [InlineData("\"2024/cve-2024-1234.json,2024-05-06T07:08:09Z")]
    [InlineData("\"2024/cve-2024-1234.json\"x,2024-05-06T07:08:09Z")]
    [InlineData("2024/cve\"-1.json,2024-05-06T07:08:09Z")]
    [InlineData("2024/cve-2024-1234.json,yesterday")]
    [InlineData("2024/cve-2024-1234.json,2024-05-06T07:08:09")]
    [InlineData("2024/cve-2024-1234.json,2024-05-06 07:08:09Z")]
    [InlineData("2024/cve-2024-1234.json,2024-13-06T07:08:09Z")]
    [InlineData("2024/cve-2024-1234.json,2024-05-06T07:08:09.Z")]
    [InlineData("2024/cve-2024-1234.json,")]
    [InlineData("../../etc/passwd,2024-05-06T07:08:09Z")]
    [InlineData("2024/../../x.json,2024-05-06T07:08:09Z")]
    [InlineData("https://evil.example/2024/x.json,2024-05-06T07:08:09Z")]
    [InlineData("//evil.example/x.json,2024-05-06T07:08:09Z")]
    [InlineData("2024/x.json?y=.json,2024-05-06T07:08:09Z")]
    [InlineData("2024/\"\"x\"\".json,2024-05-06T07:08:09Z")]
    [InlineData("\"2024/a\nb.json\",2024-05-06T07:08:09Z")]
    [InlineData("<!DOCTYPE html><html>,x")]
    public void Anything_else_fails_the_source(string csv)
    {
        FeedException e = Assert.Throws<FeedException>(() => Read(csv));

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        Assert.Equal("https://host/changes.csv", e.Target);
    }

    [Fact]
    public void Bytes_that_are_not_text_and_endless_fields_fail_the_source()
    {
        Assert.Throws<FeedException>(() => VexRows.Read(new MemoryStream([0xFF, 0xFE, 0x00]), "https://host/changes.csv"));
        Assert.Throws<FeedException>(() => Read("\"" + new string('a', 100_000)));
        Assert.Throws<FeedException>(() => Read("2024/" + new string('a', 300) + ".json,2024-05-06T07:08:09Z"));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var writer = new StringWriter();
        VexRows.Write(writer, "2024/cve-2024-1234.json", new DateTimeOffset(2026, 11, 23, 22, 33, 32, TimeSpan.FromHours(1)));

        Assert.Equal("\"2024/cve-2024-1234.json\",\"2026-11-23T21:33:32+00:00\"\n", writer.ToString());
        Assert.Single(Read(writer.ToString()));
    }

    [Fact]
    public void A_later_deletion_counts_and_a_tie_keeps_the_document()
    {
        var early = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var lists = new VexLists(
            new() { ["back"] = early.AddSeconds(1), ["tie"] = early, ["gone"] = early },
            new() { ["back"] = early, ["tie"] = early, ["gone"] = early.AddSeconds(1), ["only"] = early });

        Assert.False(lists.IsDeleted("back"));
        Assert.False(lists.IsDeleted("tie"));
        Assert.True(lists.IsDeleted("gone"));
        Assert.True(lists.IsDeleted("only"));
        Assert.False(lists.IsDeleted("unheard of"));
    }

    private static Dictionary<string, DateTimeOffset> Read(string csv) =>
        VexRows.Read(new MemoryStream(Encoding.UTF8.GetBytes(csv)), "https://host/changes.csv");
}

using System.Text;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Sources.Oval;
using QuayAirGap.TestKit.Samples;
using Xunit;

namespace QuayAirGap.Core.Tests.Oval;

public sealed class OvalReaderTests
{
    private static readonly OvalLimits s_small = new(Unpacked: 8 << 20, Ratio: 50, Free: 512 << 10, Node: 256 << 10, Depth: 20);

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    public void Definitions_are_counted_with_their_ids_and_the_newest_date(string packing)
    {
        string document = "<oval_definitions><definitions>"
            + "<definition class=\"inventory\" id=\"installed\"/>"
            + "<definition id=\"a\"><metadata><advisory><issued date=\"2025-03-01\"/><updated date=\"2026-02-03\"/></advisory></metadata></definition>"
            + "<definition id=\"b\"><metadata><advisory><public_date>2026-01-16 04:15:00 UTC</public_date></advisory></metadata></definition>"
            + "<definition id=\"c\"/></definitions></oval_definitions>";
        var census = new AdvisoryCensus();

        long count = Read(Pack(OvalText.Bytes(document), packing), packing, census);

        Assert.Equal((3, 3), (count, census.Count));
        Assert.Equal(["a", "b", "c"], census.Sample.Order(StringComparer.Ordinal));
        Assert.Equal(new DateTimeOffset(2026, 2, 3, 0, 0, 0, TimeSpan.Zero), census.Newest);
    }

    [Theory]
    [InlineData("<issued date=\"\"/>")]
    [InlineData("<issued date=\"\">unknown</issued>")]
    [InlineData("<issued>2026-01-02</issued>")]
    [InlineData("<public_date>2026-01-16 04:15:00 UTC</public_date>")]
    [InlineData("<public_date>2026-01-16 04:15:00 CEST</public_date>")]
    [InlineData("<public_date>2026-01-16 04:15:00</public_date>")]
    [InlineData("<public_date>2026-01-16T04:15:00.5Z</public_date>")]
    [InlineData("<public_date>Fri, 16 Jan 2026 04:15:00 GMT</public_date>")]
    public void Every_form_of_date_that_Clair_reads_is_read(string date) => Assert.Equal(1, Read(OvalText.Bytes(OvalText.WithAdvisory(date)), "none"));

    [Theory]
    [InlineData("<public_date>unknown</public_date>", "unknown")]
    [InlineData("<public_date/>", "''")]
    [InlineData("<issued date=\"2026-13-01\"/>", "2026-13-01")]
    [InlineData("<updated date=\"2026-01-02\">soon</updated>", "soon")]
    public void A_date_at_which_Clair_gives_up_the_document_is_refused(string date, string named)
    {
        var e = Assert.Throws<InvalidDataException>(() => Read(OvalText.Bytes(OvalText.WithAdvisory(date)), "none"));

        Assert.Contains(named, e.Message);
        Assert.Contains("'a'", e.Message);
    }

    [Theory]
    [InlineData("<objects><l:dpkginfo_object xmlns:l=\"l\" id=\"obj:1\"/></objects>", "obj:1")]
    [InlineData("<objects><dpkginfo_object id=\"obj:1\"><version/></dpkginfo_object></objects>", "obj:1")]
    [InlineData("<states><dpkginfo_state id=\"ste:1\"><evr>1</evr><arch>amd64</arch></dpkginfo_state></states>", "ste:1")]
    public void What_crashes_Clair_is_refused(string section, string named)
    {
        var e = Assert.Throws<InvalidDataException>(() => Read(OvalText.Bytes($"<oval_definitions>{section}</oval_definitions>"), "none"));

        Assert.Contains(named, e.Message);
        Assert.Contains("Clair crashes", e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>Sign in</body></html>")]
    [InlineData("<!DOCTYPE html><html><br></html>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><oval_definitions>&b;</oval_definitions>")]
    [InlineData("<oval_definitions><definitions><definition id=\"a\"/></definitions>")]
    [InlineData("<oval_definitions><definitions><definition id=\"a\"/></definitions></oval_definitions><more/>")]
    [InlineData("<oval_definitions><definitions><definition id=\"\"/></definitions></oval_definitions>")]
    [InlineData("{}")]
    public void What_is_no_such_document_to_its_end_is_refused(string content) =>
        Assert.Throws<InvalidDataException>(() => Read(OvalText.Bytes(content), "none"));

    [Theory]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    public void A_packed_document_that_ends_early_anywhere_is_refused(string packing)
    {
        byte[] packed = Pack(OvalText.Bytes(OvalText.With([.. Enumerable.Range(0, 400).Select(i => $"{i * 7919 % 1000}")])), packing);
        var random = new Random(20261124);

        int[] lengths = [.. Enumerable.Range(0, 40).Select(_ => random.Next(packed.Length)), packed.Length - 1, packed.Length - 4, 0, 4, 10];
        Assert.All(lengths, length => Assert.Throws<InvalidDataException>(() => Read(packed[..length], packing)));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("bzip2")]
    public void A_flipped_bit_never_changes_what_is_read(string packing)
    {
        byte[] packed = Pack(OvalText.Bytes(OvalText.With([.. Enumerable.Range(0, 400).Select(i => $"{i * 7919 % 1000}")])), packing);
        var whole = new AdvisoryCensus();
        Read(packed, packing, whole);
        var random = new Random(20261124);
        int refused = 0;
        for (int i = 0; i < 60; i++)
        {
            byte[] damaged = [.. packed];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            var census = new AdvisoryCensus();
            try
            {
                Read(damaged, packing, census);
            }
            catch (InvalidDataException)
            {
                refused++;
                continue;
            }

            // Not every bit means something: when and on what it was packed, tables that nothing uses.
            Assert.Equal((whole.Count, whole.Newest), (census.Count, census.Newest));
            Assert.Equal(whole.Sample, census.Sample);
        }

        Assert.True(refused > 42, $"Only {refused} of 60 were refused.");
    }

    [Fact]
    public void Several_packed_streams_in_a_row_are_one_document_and_anything_else_after_one_is_refused()
    {
        byte[] text = OvalText.Bytes(OvalText.With("1", "2", "3"));
        byte[] first = ArchiveBuilder.Bzip2(text[..90]);
        byte[] second = ArchiveBuilder.Bzip2(text[90..]);

        Assert.Equal(3, Read([.. first, .. second], "bzip2"));
        Assert.Throws<InvalidDataException>(() => Read([.. first, .. second, .. "<html>"u8], "bzip2"));
        Assert.Throws<InvalidDataException>(() => Read([.. ArchiveBuilder.Gzip(text), .. "<html>"u8], "gzip"));
    }

    [Theory]
    [InlineData("gzip", "MiB")]
    [InlineData("bzip2", "MiB")]
    public void A_bomb_is_refused_before_it_goes_off(string packing, string named)
    {
        // 2 MB of definitions from a few kB.
        string definitions = string.Concat(Enumerable.Repeat("<definition id=\"a\"/>", 100_000));
        byte[] packed = Pack(OvalText.Bytes($"<oval_definitions><definitions>{definitions}</definitions></oval_definitions>"), packing);
        var census = new AdvisoryCensus();

        var e = Assert.Throws<InvalidDataException>(() => Read(packed, packing, census));

        Assert.Contains(named, e.Message);
        Assert.True(census.Count < 60_000, $"{census.Count} definitions were read.");
    }

    [Theory]
    [InlineData("<oval_definitions x=\"{0}\"/>")]
    [InlineData("<oval_definitions>{0}</oval_definitions>")]
    [InlineData("<oval_definitions><!--{0}--></oval_definitions>")]
    public void One_endless_tag_or_text_is_refused(string form)
    {
        byte[] document = OvalText.Bytes(form.Replace("{0}", new string('x', 900 << 10), StringComparison.Ordinal));

        Assert.Contains("tag or text", Assert.Throws<InvalidDataException>(() => Read(document, "none")).Message);
    }

    [Fact]
    public void Elements_too_deep_are_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("<criteria>", 5000));

        Assert.Contains("levels", Assert.Throws<InvalidDataException>(() => Read(OvalText.Bytes("<oval_definitions>" + deep), "none")).Message);
    }

    [Fact]
    public void Reading_stops_when_told()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => OvalReader.Read(
            new MemoryStream(OvalText.Bytes(OvalText.With("1"))), OvalPacking.None, s_small, new AdvisoryCensus(), source.Token));
    }

    private static long Read(byte[] content, string packing, AdvisoryCensus? census = null) => OvalReader.Read(
        new MemoryStream(content), Enum.Parse<OvalPacking>(packing, ignoreCase: true), s_small, census ?? new AdvisoryCensus(), CancellationToken.None);

    private static byte[] Pack(byte[] content, string packing) => packing switch
    {
        "gzip" => ArchiveBuilder.Gzip(content),
        "bzip2" => ArchiveBuilder.Bzip2(content),
        _ => content,
    };
}

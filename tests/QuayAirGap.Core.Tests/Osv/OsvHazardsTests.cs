using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Sources.Osv;
using Xunit;

namespace QuayAirGap.Core.Tests.Osv;

/// <summary>Documents that Clair takes, passes over, or fails at; the expectations come from claircore's decoder and its osv.go.</summary>
public sealed class OsvHazardsTests
{
    private static readonly DateTimeOffset s_now = new(2025, 2, 7, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("1")]
    [InlineData("true")]
    [InlineData("{\"id\":\"a-b\",}")]
    [InlineData("{'id':\"a-b\"}")]
    [InlineData("{\"x\":01}")]
    [InlineData("{\"x\":NaN}")]
    [InlineData("{\"x\":\"a\tb\"}")]
    [InlineData("\uFEFF{}")]
    [InlineData("// comment\n{}")]
    [InlineData("{\"id\":1}")]
    [InlineData("{\"ID\":1}")]
    [InlineData("{\"\\u0069d\":1}")]
    [InlineData("{\"\u017Fummary\":1}")]
    [InlineData("{\"schema_version\":1.3}")]
    [InlineData("{\"details\":{}}")]
    [InlineData("{\"modified\":1}")]
    [InlineData("{\"modified\":\"\"}")]
    [InlineData("{\"modified\":\"2020-01-01\"}")]
    [InlineData("{\"modified\":\"2024-02-21T5:23:17Z\"}")]
    [InlineData("{\"published\":\"2020-02-30T00:00:00Z\"}")]
    [InlineData("{\"published\":\"2020-02-29T00:00:60Z\"}")]
    [InlineData("{\"published\":\"2020-02-29t00:00:00Z\"}")]
    [InlineData("{\"published\":\"2020-02-29T00:00:00,5Z\"}")]
    [InlineData("{\"published\":\"2020-02-29T00:00:00+24:00\"}")]
    [InlineData("{\"withdrawn\":\"yes\"}")]
    [InlineData("{\"aliases\":\"CVE-1\"}")]
    [InlineData("{\"related\":[1]}")]
    [InlineData("{\"severity\":\"HIGH\"}")]
    [InlineData("{\"severity\":[\"HIGH\"]}")]
    [InlineData("{\"severity\":[{\"type\":\"CVSS_V3\",\"score\":7.5}]}")]
    [InlineData("{\"affected\":{}}")]
    [InlineData("{\"affected\":[[]]}")]
    [InlineData("{\"affected\":[{\"package\":[]}]}")]
    [InlineData("{\"affected\":[{\"versions\":[1]}]}")]
    [InlineData("{\"affected\":[{\"ranges\":[{\"type\":5}]}]}")]
    [InlineData("{\"affected\":[{\"ranges\":[{\"events\":[{\"introduced\":0}]}]}]}")]
    [InlineData("{\"references\":[{\"url\":null},{\"url\":3}]}")]
    [InlineData("{\"credits\":[{\"contact\":\"b\"}]}")]
    public void What_Clairs_decoder_refuses_is_harmful(string json) =>
        Assert.ThrowsAny<JsonException>(() => OsvAdvisoryReader.Read(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{} and more")]
    [InlineData("{}{")]
    [InlineData("{\"id\":null,\"affected\":null,\"modified\":null,\"severity\":null,\"aliases\":[null]}")]
    [InlineData("{\"id\":\"a-1\",\"affected\":[null,{\"package\":null,\"ranges\":[null,{\"events\":[null]}],\"versions\":null}]}")]
    [InlineData("{\"withdrawn\":\"2020-02-29T00:00:00.123456789+05:30\"}")]
    [InlineData("{\"withdrawn\":\"0000-02-29T00:00:00Z\"}")]
    [InlineData("{\"database_specific\":7,\"affected\":[{\"ecosystem_specific\":[1],\"database_specific\":\"x\"}]}")]
    [InlineData("{\"database_specific\":{\"severity\":[\"x\"],\"more\":{\"severity\":1}}}")]
    [InlineData("{\"x\":{\"id\":1,\"y\":[1e400,{\"z\":null}]}}")]
    [InlineData("{\"id\":\"\\ud800\\u0041\\n\"}")]
    [InlineData("{\"credits\":[{\"name\":\"a\",\"contact\":[\"b\"],\"type\":1}]}")]
    public void What_Clairs_decoder_takes_is_taken(string json) =>
        Assert.Null(OsvHazards.Find(OsvAdvisoryReader.Read(Encoding.UTF8.GetBytes(json)), s_now));

    [Fact]
    public void Broken_UTF_8_is_taken_as_Clair_takes_it() =>
        Assert.Equal("a-\uFFFD", OsvAdvisoryReader.Read([.. "{\"id\":\"a-"u8, 0xFF, .. "\"}"u8]).Id);

    [Fact]
    public void Nesting_is_bounded_as_in_Clair()
    {
        static string Nested(int depth) => "{\"x\":" + new string('[', depth) + new string(']', depth) + "}";
        Assert.NotNull(OsvAdvisoryReader.Read(Encoding.UTF8.GetBytes(Nested(9000))));
        Assert.ThrowsAny<JsonException>(() => OsvAdvisoryReader.Read(Encoding.UTF8.GetBytes(Nested(10_001))));
    }

    [Fact]
    public void A_sound_advisory_is_harmless_in_each_ecosystem() =>
        Assert.All(["Go", "npm", "Maven", "PyPI", "RubyGems"], e => Assert.Null(Find(Advisories.Sound("GHSA-1", e))));

    [Fact]
    public void A_vector_that_crashes_Clair_is_harmful() => Assert.Contains("dies", Find(Advisories.Crashing("GHSA-1")));

    [Fact]
    public void One_crashing_vector_among_good_ones_is_enough() => Assert.Contains(
        "CVSS_V2",
        Find("""
            {"id":"a-1","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},{"type":"CVSS_V2","score":"7.5"}],
             "affected":[{"ranges":[{"type":"SEMVER"}]}]}
            """));

    [Theory]
    [InlineData("2025-02-05T23:59:59Z", false)]
    [InlineData("2025-02-06T23:00:00Z", true)] // within the difference that clocks may have
    [InlineData("2035-01-01T00:00:00Z", true)]
    [InlineData("0001-01-01T00:00:00Z", true)] // Go's zero time is no withdrawal
    public void Clair_passes_over_what_is_surely_withdrawn(string withdrawn, bool harmful) =>
        Assert.Equal(harmful, Find(Advisories.With("GHSA-1", Advisories.BadVector, more: $"\n  \"withdrawn\": \"{withdrawn}\",")) is not null);

    [Theory]
    [InlineData("""{"id":"nohyphen","severity":[{"type":"CVSS_V3"}]}""")]
    [InlineData("""{"id":"nohyphen","severity":[{"type":"CVSS_V3"}],"affected":[]}""")]
    [InlineData("""{"id":"nohyphen","severity":[{"type":"CVSS_V3"}],"affected":[{"versions":["1"]}]}""")]
    [InlineData("""{"id":"nohyphen","severity":[{"type":"CVSS_V3"}],"affected":[{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}""")]
    public void Clair_passes_over_what_affects_no_package_version(string json) => Assert.Null(Find(json));

    [Theory]
    [InlineData("""{"affected":[{"ranges":[{"type":"SEMVER"}]}]}""")]
    [InlineData("""{"id":"","affected":[{"ranges":[{"type":"SEMVER"}]}]}""")]
    [InlineData("""{"id":"nohyphen","affected":[{"ranges":[{"type":"SEMVER"}]}]}""")]
    public void An_id_without_a_hyphen_is_harmful(string json) => Assert.Contains("hyphen", Find(json));

    [Theory]
    [InlineData("Go", "ECOSYSTEM", "[{\"introduced\":\"0\"}]", true)]
    [InlineData("npm", "ECOSYSTEM", "[{\"fixed\":\"1\"}]", true)]
    [InlineData("npm", "ECOSYSTEM", "[]", false)] // Clair looks at it event by event
    [InlineData("npm", "SEMVER", "[{\"introduced\":\"0\"}]", false)]
    [InlineData("NPM", "ECOSYSTEM", "[{\"introduced\":\"0\"}]", false)] // compared with case
    [InlineData("PyPI", "ECOSYSTEM", "[{\"introduced\":\"0\"}]", false)]
    [InlineData("crates.io", "ECOSYSTEM", "[{\"introduced\":\"0\"}]", false)]
    [InlineData("Go", "ecosystem", "[{\"introduced\":\"0\"}]", false)] // only an odd type to Clair
    public void A_range_of_type_ECOSYSTEM_is_harmful_for_Go_and_npm_in_any_archive(string ecosystem, string type, string events, bool harmful)
    {
        string? reason = Find($$"""
            {"id":"a-1","affected":[{"package":{"ecosystem":"PyPI"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
             {"package":{"ecosystem":"{{ecosystem}}"},"ranges":[{"type":"{{type}}","events":{{events}}}]}]}
            """);

        Assert.Equal(harmful, reason is not null);
    }

    [Theory]
    [InlineData("""{"fixed":"3000000000.0.0"}""", true)]
    [InlineData("""{"fixed":"v0.2147483648"}""", true)]
    [InlineData("""{"last_affected":"0.0.2147483647"}""", true)]
    [InlineData("""{"introduced":"not a version"},{"fixed":"3000000000.0.0-rc.1"}""", true)]
    [InlineData("""{"introduced":"0"},{"fixed":"3000000000.0.0"}""", false)] // Clair drops the range
    [InlineData("""{"fixed":"2147483647.0.0"}""", false)]
    [InlineData("""{"fixed":"0.0.0-20220101000000-abcdefabcdef"}""", false)]
    [InlineData("""{"fixed":"1.2.3.3000000000"}""", false)] // no semantic version: Clair notes it and goes on
    [InlineData("""{"fixed":"99999999999999999999"}""", false)]
    [InlineData("""{"limit":"*"}""", false)]
    public void A_version_beyond_32_bits_is_harmful_where_the_database_would_see_it(string events, bool harmful) => Assert.Equal(
        harmful, Find($$"""{"id":"a-1","affected":[{"ranges":[{"type":"SEMVER","events":[{{events}}]}]}]}""") is not null);

    [Theory]
    [InlineData("\"summary\":\"a\\u0000b\"", true)]
    [InlineData("\"summary\":\"a\\\\u0000b\"", false)]
    [InlineData("\"details\":\"a\\u0000b\"", false)]
    [InlineData("\"aliases\":[\"CVE-1\\u0000\"]", true)]
    [InlineData("\"references\":[{\"url\":\"x\\u0000\"}]", true)]
    [InlineData("\"database_specific\":{\"severity\":\"\\u0000\"}", true)]
    [InlineData("\"database_specific\":{\"other\":\"\\u0000\"}", false)]
    public void A_NUL_in_what_the_database_stores_is_harmful(string field, bool harmful) => Assert.Equal(
        harmful, Find($$"""{"id":"a-1",{{field}},"affected":[{"ranges":[{"type":"SEMVER"}]}]}""") is not null);

    [Fact]
    public void A_name_that_fits_no_index_is_harmful()
    {
        static string Named(int length) =>
            $$$"""{"id":"a-1","affected":[{"package":{"ecosystem":"PyPI","name":"{{{new string('x', length)}}}"},"ranges":[{"type":"SEMVER"}]}]}""";
        Assert.Null(Find(Named(2000)));
        Assert.Contains("bytes", Find(Named(2001)));
    }

    private static string? Find(string json) => OsvHazards.Find(OsvAdvisoryReader.Read(Encoding.UTF8.GetBytes(json)), s_now);
}

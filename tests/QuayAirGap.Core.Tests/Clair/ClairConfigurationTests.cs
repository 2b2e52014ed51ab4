using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>A configuration means to us what it means to Clair's loader (clair cmd/config.go).</summary>
public sealed class ClairConfigurationTests
{
    [Fact]
    public void Only_the_first_document_counts()
    {
        ClairConfiguration read = Of(ClairKit.Fixture("standalone-three-documents.yaml"));
        Assert.Equal("""{"indexer":{"airgap":true}}""", read.Merged.ToJsonString());
        Assert.Equal(3, read.Files[0].Documents);
    }

    [Fact]
    public void Drop_ins_are_merged_in_the_order_of_their_names_and_patches_applied_between_them()
    {
        using var folder = new TempFolder();
        string path = folder.Of("config.yaml");
        File.WriteAllText(path, "updaters: {sets: [alpine, aws], config: {osv: {url: 'http://a/'}}}\nmatcher: {period: 6h}\n");
        Directory.CreateDirectory(path + ".d");
        void DropIn(string name, string text) => File.WriteAllText(Path.Combine(path + ".d", name), text);
        DropIn("30.yaml-patch", "- {op: add, path: /updaters/sets/-, value: oracle}\n- {op: remove, path: /matcher/period}\n");
        DropIn("10.yaml", "updaters: {sets: [osv], config: {osv: {allowlist: [go]}}}\n");
        DropIn("40.yaml", "updaters: {config: {osv: {url: null}}}\n");
        DropIn("20.yml", "log_level: never read\n");
        DropIn("21.json", "{\"log_level\": \"never read\"}");
        DropIn("50.yaml.20261124T000000Z.bak", "log_level: never read\n");
        Directory.CreateDirectory(Path.Combine(path + ".d", "60.yaml"));

        var read = ClairConfiguration.Load(path);

        Assert.Equal("""{"updaters":{"sets":["osv","oracle"],"config":{"osv":{"allowlist":["go"]}}},"matcher":{}}""", read.Merged.ToJsonString());
        Assert.EndsWith("10.yaml:1", read.WhereIs("updaters", "config", "osv", "allowlist"), StringComparison.Ordinal);
        Assert.Null(read.WhereIs("nothing"));
    }

    /// <summary>RFC 7386, appendix A.</summary>
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", "{}")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void Merging_is_that_of_the_standard(string target, string patch, string expected) =>
        Assert.Equal(expected, JsonPatches.Merge(JsonNode.Parse(target), JsonNode.Parse(patch))!.ToJsonString());

    /// <summary>RFC 6902, appendix A, and what Clair's library adds.</summary>
    [Theory]
    [InlineData("""{"foo":["bar","baz"]}""", """[{"op":"add","path":"/foo/1","value":"qux"}]""", """{"foo":["bar","qux","baz"]}""")]
    [InlineData("""{"foo":["bar","qux","baz"]}""", """[{"op":"remove","path":"/foo/1"}]""", """{"foo":["bar","baz"]}""")]
    [InlineData("""{"a":{"b":1},"c":{}}""", """[{"op":"move","from":"/a/b","path":"/c/d"}]""", """{"a":{},"c":{"d":1}}""")]
    [InlineData("""{"a":1}""", """[{"op":"copy","from":"/a","path":"/b"},{"op":"test","path":"/b","value":1}]""", """{"a":1,"b":1}""")]
    [InlineData("""{"/":9,"~1":10}""", """[{"op":"replace","path":"/~01","value":3}]""", """{"/":9,"~1":3}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"remove","path":"/a/-1"}]""", """{"a":[1]}""")]
    public void Patching_is_that_of_the_standard(string target, string patch, string expected) =>
        Assert.Equal(expected, JsonPatches.Apply(JsonNode.Parse(target), JsonNode.Parse(patch)!.AsArray())!.ToJsonString());

    [Theory]
    [InlineData("""[{"op":"remove","path":"/nothing"}]""")]
    [InlineData("""[{"op":"replace","path":"/nothing","value":1}]""")]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""")]
    [InlineData("""[{"op":"add","path":"/x/y","value":2}]""")]
    [InlineData("""[{"op":"shout","path":"/a"}]""")]
    [InlineData("""[{"op":"add","path":"/a"}]""")]
    [InlineData("[1]")]
    public void A_patch_that_does_not_fit_stops_Clair_and_is_an_error_here(string patch)
    {
        FeedException error = Assert.Throws<FeedException>(() => ClairConfiguration.Of([("config.yaml", "a: 1\n"), ("10.yaml-patch", patch)]));
        Assert.Equal(ErrorIds.ClairConfigInvalid, error.ErrorId);
    }

    /// <summary>Go's yaml.v3 into an interface.</summary>
    [Theory]
    [InlineData("22.04", "22.04")]
    [InlineData("22.10", "22.1")]
    [InlineData("'22.04'", "\"22.04\"")]
    [InlineData("010", "8")]
    [InlineData("0x1F", "31")]
    [InlineData("1_000", "1000")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("True", "true")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("24h", "\"24h\"")]
    [InlineData("1e3", "1000")]
    [InlineData("!!str 22.04", "\"22.04\"")]
    public void A_plain_word_has_the_type_that_Clair_sees(string word, string json) =>
        Assert.Equal(json, ClairYaml.Parse($"a: {word}\n").Root!["a"]?.ToJsonString() ?? "null");

    [Fact]
    public void Anchors_and_merge_keys_are_followed() => Assert.Equal(
        """{"a":{"x":1,"y":2},"b":{"y":3,"x":1}}""", ClairYaml.Parse("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n").Root!.ToJsonString());

    [Theory]
    [InlineData("config.yml", "a: 1")]
    [InlineData("config.yaml", "a: 1\na: 2")]
    [InlineData("config.yaml", "a: [")]
    [InlineData("config.yaml", "a: *nowhere")]
    [InlineData("config.json", "[1]")]
    public void What_Clair_does_not_start_with_is_an_error(string name, string text) =>
        Assert.Equal(ErrorIds.ClairConfigInvalid, Assert.Throws<FeedException>(() => ClairConfiguration.Of([(name, text)])).ErrorId);

    [Fact]
    public void A_text_that_grows_by_its_anchors_ends_in_an_error_and_not_in_memory()
    {
        string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
            + string.Concat(Enumerable.Range(1, 12).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n"));
        Assert.Equal(ErrorIds.ClairConfigInvalid, Assert.Throws<FeedException>(() => Of(text)).ErrorId);
    }

    [Fact]
    public void A_file_that_says_no_mapping_is_an_empty_one_as_Clair_takes_it()
    {
        ClairConfiguration read = Of("- a\n- b\n");
        Assert.Empty(read.Merged);
        Assert.False(read.Files[0].IsMapping);
    }

    [Fact]
    public void Unknown_keys_outside_the_free_maps_are_found_with_what_was_meant()
    {
        ClairConfiguration read = Of("Matcher: {updater_sets: [a]}\nupdater: {}\nupdaters: {config: {anything: {goes: here}}}\nindexer: {scanner: {repo: {x: {}}, repos: {}}}\n");
        Assert.Equal(
            ["Matcher.updater_sets", "updater", "indexer.scanner.repos"],
            ClairConfigSchema.Unknown(read.Merged).Select(u => string.Join('.', u.Path)));
    }

    [Fact]
    public void The_sample_configurations_have_only_keys_that_Clair_knows()
    {
        Assert.Empty(ClairConfigSchema.Unknown(Of(ClairKit.Fixture("standalone.yaml")).Merged));
        Assert.All(ClairKit.OperatorVersions, v => Assert.Empty(ClairConfigSchema.Unknown(ClairKit.Operator(v, null).Merged)));
    }

    private static ClairConfiguration Of(string text) => ClairConfiguration.Of([("config.yaml", text)]);
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Quay;
using Xunit;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>Texts of other people are changed value by value, or not at all.</summary>
public sealed class YamlTextTests
{
    public static TheoryData<string, string, string> Edits => new()
    {
        { "", "a.b", "a:\n  b: 1\n" },
        { "# only words", "a", "# only words\na: 1\n" },
        { "a:\n  c: 2 # why\n  # below\nd: 3\n", "a.b", "a:\n  c: 2 # why\n  b: 1\n  # below\nd: 3\n" },
        { "a: # later\nd: 3\n", "a.b", "a: # later\n  b: 1\nd: 3\n" },
        { "a: {}\n", "a.b", "a: {\"b\": 1}\n" },
        { "a: {c: 2}\n", "a.b", "a: {c: 2, \"b\": 1}\n" },
        { "a: ~ # c\n", "a.b", "a: {\"b\": 1} # c\n" },
        { "a:\n    c: 2", "a.b", "a:\n    c: 2\n    b: 1" },
        { "a:\r\n  c: 2\r\nd: 3\r\n", "a.b", "a:\r\n  c: 2\r\n  b: 1\r\nd: 3\r\n" },
        { "a: old   # why\n", "a", "a: 1   # why\n" },
        { "a:\n  - x\n  - y\nd: 3\n", "a", "a: 1\nd: 3\n" },
        { "a: |\n  text\n  more\n\nd: 3\n", "a", "a: 1\n\nd: 3\n" },
        { "a: >-\n  text\n", "a.b", "!" },
        { "a:\n- {b: 1}\n- c: 2\n", "a.-", "a:\n- {b: 1}\n- c: 2\n- 1\n" },
        { "a:\n- c: 2\n  d: 3\n", "a.0.b", "a:\n- c: 2\n  d: 3\n  b: 1\n" },
        { "a: [x]\n", "a.-", "a: [x, 1]\n" },
        { "{\"a\": {\n  \"c\": 2\n}}\n", "a.b", "{\"a\": {\n  \"c\": 2, \"b\": 1\n}}\n" },
        { "{\n  \"c\": 2\n}\n", "a.b", "{\n  \"c\": 2, \"a\": {\"b\": 1}\n}\n" },
        { "\uFEFFc: 2\n", "a", "\uFEFFc: 2\na: 1\n" },
        { "\"a\": {\"c\" : 2}\n", "a.c", "\"a\": {\"c\" : 1}\n" },
        { "a: 2\n---\na: 3\n", "a", "a: 1\n---\na: 3\n" },
        { "a: 2\n---\nc: 3\n", "b", "a: 2\nb: 1\n---\nc: 3\n" },
        { "a: &x {c: 2}\nd: *x\n", "d.b", "!" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void One_value_changes_and_every_other_byte_stays(string before, string path, string after)
    {
        YamlText text = YamlText.Parse("x.yaml", before);
        if (after == "!")
        {
            Assert.Equal(ErrorIds.ClairConfigConflict, Assert.Throws<FeedException>(() => text.Set(path.Split('.'), 1L)).ErrorId);
            return;
        }

        Assert.Equal(after, text.Set(path.Split('.'), 1L).Text);
    }

    public static TheoryData<string, string, string> Removals => new()
    {
        { "a: 1\nb: 2\n", "a", "b: 2\n" },
        { "a: 1\nb: 2", "b", "a: 1" },
        { "a: 1 # why\nb: 2\n", "a", "# why\nb: 2\n" },
        { "a:\n  b: 1\n# end\n", "a.b", "a:\n# end\n" },
        { "a: {b: 1, c: 2}\n", "a.b", "a: {c: 2}\n" },
        { "a: {b: 1, c: 2}\n", "a.c", "a: {b: 1}\n" },
        { "{\"b\": 1,\n \"c\": 2}\n", "c", "{\"b\": 1}\n" },
        { "a:\n- x\n- y\n", "a.0", "a:\n- y\n" },
    };

    [Theory]
    [MemberData(nameof(Removals))]
    public void One_value_goes_and_comments_stay(string before, string path, string after) =>
        Assert.Equal(after, YamlText.Parse("x.yaml", before).Remove(path.Split('.')).Text);

    /// <summary>Generated texts in block and flow style, with comments everywhere: what is set is what is meant, and taking it back gives every byte back.</summary>
    [Fact]
    public void Generated_texts_come_back_byte_for_byte()
    {
        var random = new Random(20261124);
        int edited = 0;
        for (int i = 0; i < 200; i++)
        {
            string before = Generate(random);
            JsonNode? content = ClairYaml.Parse(before).Root;
            List<(string[] Path, JsonNode? Value)> settings = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => (Path(random), Value(random)))];
            var journal = new EditJournal();
            YamlText text = YamlText.Parse("x.yaml", before);
            JsonNode? expected = content?.DeepClone() ?? new JsonObject();
            try
            {
                foreach ((string[] path, JsonNode? value) in settings)
                {
                    text = journal.Set(text, path, value);

                    // Taking out what is not there leaves everything as it is, also where the standard would make room for it.
                    expected = value is null && !IsThere(expected, path) ? expected : JsonPatches.Merge(expected, Nest(path, value));
                }
            }
            catch (FeedException e) when (e.ErrorId == ErrorIds.ClairConfigConflict)
            {
                continue; // refused whole: nothing of it is used
            }

            edited++;
            Assert.True(
                JsonNode.DeepEquals(WithoutEmpty(expected), WithoutEmpty(text.Content ?? new JsonObject())),
                $"seed {i}:\n{before}\n=> {string.Join("; ", settings.Select(s => string.Join('.', s.Path) + "=" + s.Value?.ToJsonString()))}\n{text.Text}\n{expected?.ToJsonString()}");
            YamlText back = EditJournal.Parse(journal.ToString(), "x").Revert(text);
            Assert.True(
                JsonNode.DeepEquals(WithoutEmpty(content), WithoutEmpty(back.Content)), $"seed {i}:\n{before}\n=>\n{text.Text}\n=>\n{back.Text}");
            if (settings.All(s => s.Value is not null))
            {
                Assert.Equal(before, back.Text);
            }
        }

        Assert.True(edited > 100, $"Only {edited} of 200 texts could be edited.");
    }

    private static bool IsThere(JsonNode? node, string[] path) =>
        JsonPatches.Find(node, path.AsSpan(0, path.Length - 1)) is JsonObject parent && parent.ContainsKey(path[^1]);

    private static JsonObject Nest(string[] path, JsonNode? value) =>
        path.Reverse().Aggregate(value?.DeepClone(), (inner, key) => new JsonObject { [key] = inner }) as JsonObject ?? [];

    /// <summary>A block whose last entry goes leaves its key without a value: to Clair, no value and an empty mapping are the same.</summary>
    private static JsonNode? WithoutEmpty(JsonNode? node)
    {
        if (node is not JsonObject map)
        {
            return node?.DeepClone();
        }

        var rest = new JsonObject();
        foreach ((string key, JsonNode? value) in map)
        {
            if (WithoutEmpty(value) is { } kept)
            {
                rest[key] = kept;
            }
        }

        return rest.Count == 0 ? null : rest;
    }

    private static string[] Path(Random random) => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => ((char)('a' + random.Next(4))).ToString())];

    private static JsonNode? Value(Random random) => random.Next(6) switch
    {
        0 => "22.04",
        1 => 7L,
        2 => new JsonArray("x", "y: z"),
        3 => new JsonObject { ["u"] = "http://m/#x", ["v"] = true },
        4 => "it's \"so\"",
        _ => null,
    };

    private static string Generate(Random random)
    {
        var text = new StringBuilder(random.Next(3) == 0 ? "# head\n" : "");
        Block(random, text, 0, random.Next(1, 5), random.Next(2, 5));
        string all = text.ToString();
        all = random.Next(4) == 0 ? all.TrimEnd('\n') : all;
        return random.Next(5) == 0 ? all.Replace("\n", "\r\n", StringComparison.Ordinal) : all;
    }

    private static void Block(Random random, StringBuilder text, int indent, int count, int step)
    {
        foreach (char key in "abcdef".OrderBy(_ => random.Next()).Take(count).ToArray())
        {
            string front = new(' ', indent);
            string comment = random.Next(3) == 0 ? "  # c" + random.Next(9) : "";
            switch (random.Next(indent > 8 ? 4 : 7))
            {
                case 0:
                    text.Append(CultureInfo.InvariantCulture, $"{front}{key}: {random.Next(99)}{comment}\n");
                    break;
                case 1:
                    text.Append(CultureInfo.InvariantCulture, $"{front}{key}: \"t # no comment\"{comment}\n");
                    break;
                case 2:
                    text.Append(CultureInfo.InvariantCulture, $"{front}\"{key}\": {{a: 1, b: [x, {{c: 2}}]}}{comment}\n");
                    break;
                case 3:
                    text.Append(CultureInfo.InvariantCulture, $"{front}{key}:{comment}\n{front}- x\n{front}- y: 1\n{front}  z: 2\n");
                    break;
                case 4:
                    text.Append(CultureInfo.InvariantCulture, $"{front}{key}: |\n{front}  line\n{front}   more # text\n\n");
                    break;
                default:
                    text.Append(CultureInfo.InvariantCulture, $"{front}{key}:{comment}\n");
                    if (random.Next(3) == 0)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"{front}{new string(' ', step)}# inside\n");
                    }

                    Block(random, text, indent + step, random.Next(1, 4), step);
                    break;
            }
        }
    }
}

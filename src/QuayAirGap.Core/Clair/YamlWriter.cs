using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace QuayAirGap.Core.Clair;

/// <summary>Writes values so that Clair's YAML reader, and every other one, takes them for what they are: "22.04" is quoted, 2 is not.</summary>
internal static partial class YamlWriter
{
    private const int Step = 2;
    private const int Width = 120;

    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A whole mapping in block style, one entry a line where it fits; ends in a line break.</summary>
    public static string Block(JsonObject map)
    {
        var text = new StringBuilder();
        Write(text, map, 0);
        return text.ToString();
    }

    /// <summary>One line in flow style: {url: "http://mirror/"}.</summary>
    /// <param name="node">The value.</param>
    /// <param name="isJson">Write JSON, for a file that is JSON.</param>
    public static string Flow(JsonNode? node, bool isJson = false) => node switch
    {
        null => "null",
        _ when isJson => node.ToJsonString(s_json),
        JsonObject map => "{" + string.Join(", ", map.Select(m => $"{Word(m.Key)}: {Flow(m.Value)}")) + "}",
        JsonArray list => "[" + string.Join(", ", list.Select(v => Flow(v))) + "]",
        JsonValue value when value.TryGetValue(out string? text) => Word(text),
        _ => node.ToJsonString(s_json),
    };

    /// <summary>A text as one word: plain where every reader takes it for a text, else in double quotes.</summary>
    public static string Word(string text, bool isJson = false) =>
        !isJson && Plain().IsMatch(text) && ClairYaml.Resolve(text) is JsonValue value && value.TryGetValue(out string? _)
        && text.ToLowerInvariant() is not ("yes" or "no" or "on" or "off" or "y" or "n")
            ? text
            : JsonSerializer.Serialize(text, s_json);

    private static void Write(StringBuilder text, JsonObject map, int depth)
    {
        string indent = new(' ', depth * Step);
        foreach ((string key, JsonNode? value) in map)
        {
            string line = $"{indent}{Word(key)}: {Flow(value)}";
            bool isShort = line.Length <= Width && (depth > 1 || value is not JsonObject);
            if (isShort || value is not (JsonObject { Count: > 0 } or JsonArray { Count: > 0 }))
            {
                text.Append(line).Append('\n');
            }
            else if (value is JsonObject inner)
            {
                text.Append(indent).Append(Word(key)).Append(":\n");
                Write(text, inner, depth + 1);
            }
            else
            {
                text.Append(indent).Append(Word(key)).Append(":\n");
                foreach (JsonNode? entry in (JsonArray)value)
                {
                    text.Append(indent).Append(' ', Step).Append("- ").Append(Flow(entry)).Append('\n');
                }
            }
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._/+=-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}

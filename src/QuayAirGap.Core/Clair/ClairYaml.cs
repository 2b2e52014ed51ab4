using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace QuayAirGap.Core.Clair;

/// <summary>
/// A YAML or JSON text as Clair's loader takes it: the first document, turned into JSON with the types that Go's yaml.v3 gives plain words
/// (clair cmd/config.go, loadAsJSON).
/// </summary>
/// <param name="Root">What the document says; null where it is empty.</param>
/// <param name="Documents">How many documents the text has; Clair reads the first and says nothing of the others.</param>
/// <param name="Lines">The line of every key and list entry, by JSON pointer ("/updaters/sets/0").</param>
internal sealed partial record ClairYaml(JsonNode? Root, int Documents, IReadOnlyDictionary<string, int> Lines)
{
    private const int Deepest = 64;

    // Anchors can be repeated into texts of any size: no configuration has this many values.
    private const int MostNodes = 200_000;

    /// <exception cref="YamlException">It is no YAML, or a key stands twice in one mapping.</exception>
    public static ClairYaml Parse(string text)
    {
        List<ParsingEvent> events = [];
        try
        {
            var parser = new Parser(new StringReader(text.TrimStart('\uFEFF')));
            while (parser.MoveNext())
            {
                events.Add(parser.Current!);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // What the parser throws at some malformed input instead of its own kind.
            throw new YamlException(e.Message, e);
        }

        int documents = events.OfType<DocumentStart>().Count();
        var builder = new Builder(events);
        return new ClairYaml(documents == 0 ? null : builder.ReadDocument(), documents, builder.Lines);
    }

    /// <summary>JSON pointer of a member (RFC 6901).</summary>
    public static string Pointer(string parent, string key) =>
        $"{parent}/{key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    /// <summary>A plain word as Go's yaml.v3 resolves it into an interface: "22.04" is a number, "yes" is a text (resolve.go).</summary>
    internal static JsonNode? Resolve(string word)
    {
        switch (word)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE":
                return JsonValue.Create(false);
        }

        string digits = word.Replace("_", "", StringComparison.Ordinal);
        if (TryInteger(digits, out long integer))
        {
            return JsonValue.Create(integer);
        }

        return Float().IsMatch(digits) && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? JsonValue.Create(number)
            : JsonValue.Create(word);
    }

    private static bool TryInteger(string word, out long value)
    {
        value = 0;
        bool negative = word.StartsWith('-');
        string body = negative || word.StartsWith('+') ? word[1..] : word;
        try
        {
            if (body.Length > 2 && body[0] == '0' && char.ToLowerInvariant(body[1]) is var kind && kind is 'x' or 'o' or 'b')
            {
                value = Convert.ToInt64(body[2..], kind == 'x' ? 16 : kind == 'o' ? 8 : 2);
            }
            else if (body.Length > 1 && body[0] == '0' && body.All(c => c is >= '0' and <= '7'))
            {
                value = Convert.ToInt64(body, 8);
            }
            else if (body.Length > 1 && body[0] == '0')
            {
                return false;
            }
            else if (!long.TryParse(body, NumberStyles.None, CultureInfo.InvariantCulture, out value))
            {
                return false;
            }
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            return false;
        }

        value = negative ? -value : value;
        return true;
    }

    [GeneratedRegex(@"\A[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Float();

    private sealed class Builder(List<ParsingEvent> events)
    {
        private readonly Dictionary<string, JsonNode?> _anchors = new(StringComparer.Ordinal);
        private int _next = 1; // past the start of the stream
        private int _nodes;

        public Dictionary<string, int> Lines { get; } = new(StringComparer.Ordinal);

        public JsonNode? ReadDocument()
        {
            _next++;
            return ReadNode("", 0);
        }

        private JsonNode? ReadNode(string at, int depth)
        {
            ParsingEvent read = events[_next++];
            if (depth > Deepest || ++_nodes > MostNodes)
            {
                throw new YamlException(read.Start, read.End, "it is nested too deeply, or has too many values");
            }

            JsonNode? node = read switch
            {
                Scalar scalar => ReadScalar(scalar),
                SequenceStart => ReadSequence(at, depth),
                MappingStart => ReadMapping(at, depth),
                AnchorAlias alias => ReadAlias(alias),
                _ => throw new YamlException(read.Start, read.End, "this is no value"),
            };
            if (read is NodeEvent { Anchor.IsEmpty: false } anchored)
            {
                _anchors[anchored.Anchor.Value] = node;
            }

            return node;
        }

        private JsonNode? ReadAlias(AnchorAlias alias)
        {
            if (!_anchors.TryGetValue(alias.Value.Value, out JsonNode? node))
            {
                throw new YamlException(alias.Start, alias.End, $"there is no anchor '{alias.Value.Value}'");
            }

            _nodes += Count(node);
            return node?.DeepClone();
        }

        private static JsonNode? ReadScalar(Scalar scalar)
        {
            string tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
            return scalar.Style != ScalarStyle.Plain || tag.EndsWith(":str", StringComparison.Ordinal) || tag == "!"
                ? JsonValue.Create(scalar.Value)
                : Resolve(scalar.Value);
        }

        private JsonArray ReadSequence(string at, int depth)
        {
            var list = new JsonArray();
            for (; events[_next] is not SequenceEnd; list.Add(ReadNode(ClairYaml.Pointer(at, list.Count.ToString(CultureInfo.InvariantCulture)), depth + 1)))
            {
                Lines[ClairYaml.Pointer(at, list.Count.ToString(CultureInfo.InvariantCulture))] = (int)events[_next].Start.Line;
            }

            _next++;
            return list;
        }

        private JsonObject ReadMapping(string at, int depth)
        {
            var map = new JsonObject();
            List<JsonNode?> merged = [];
            while (events[_next] is not MappingEnd)
            {
                if (events[_next] is not Scalar key)
                {
                    throw new YamlException(events[_next].Start, events[_next].End, "a key is a word");
                }

                _next++;
                string pointer = ClairYaml.Pointer(at, key.Value);
                if (key is { Value: "<<", Style: ScalarStyle.Plain })
                {
                    merged.Add(ReadNode(pointer, depth + 1));
                    continue;
                }

                Lines[pointer] = (int)key.Start.Line;
                JsonNode? value = ReadNode(pointer, depth + 1);
                if (!map.TryAdd(key.Value, value))
                {
                    throw new YamlException(key.Start, key.End, $"the key '{key.Value}' stands twice in one mapping");
                }
            }

            _next++;
            foreach (JsonObject more in merged.SelectMany(m => m is JsonArray list ? list.AsEnumerable() : [m]).OfType<JsonObject>())
            {
                foreach ((string name, JsonNode? value) in more)
                {
                    map.TryAdd(name, value?.DeepClone());
                }
            }

            return map;
        }

        private static int Count(JsonNode? node) => node switch
        {
            JsonObject map => 1 + map.Sum(m => Count(m.Value)),
            JsonArray list => 1 + list.Sum(Count),
            _ => 1,
        };
    }
}

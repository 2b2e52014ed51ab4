using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace QuayAirGap.Core.Quay;

/// <summary>
/// What was changed in a text of somebody else's, so that it can be taken back value by value although the text changed meanwhile. It travels
/// with the object that it describes, as an annotation, and never holds a password: only values that this product sets.
/// </summary>
internal sealed class EditJournal
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<(string[] Path, string Written, JsonNode? Value)> _before = [];
    private readonly List<string[]> _added = [];
    private readonly List<string[]> _made = [];

    /// <summary>Whether the whole text was made.</summary>
    public bool IsCreated { get; init; }

    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigConflict"/>: it was changed by hand.</exception>
    public static EditJournal Parse(string text, string target)
    {
        try
        {
            JsonObject root = JsonNode.Parse(text)!.AsObject();
            var journal = new EditJournal { IsCreated = (bool)root["created"]! };
            journal._before.AddRange(root["before"]!.AsArray().Select(b => (Path(b!["path"]), (string)b["written"]!, b["value"]?.DeepClone())));
            journal._added.AddRange(root["added"]!.AsArray().Select(Path));
            journal._made.AddRange(root["made"]!.AsArray().Select(Path));
            return journal;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentNullException)
        {
            throw new FeedException(
                ErrorIds.ClairConfigConflict, $"What QuayAirGap noted in '{target}' of its earlier changes cannot be read: {e.Message}", target,
                "Nothing was changed. Restore the object from its backup.", e);
        }
    }

    public override string ToString() => new JsonObject
    {
        ["created"] = IsCreated,
        ["before"] = new JsonArray([.. _before.Select(b => (JsonNode?)new JsonObject
        {
            ["path"] = Array(b.Path), ["written"] = b.Written, ["value"] = b.Value?.DeepClone(),
        })]),
        ["added"] = new JsonArray([.. _added.Select(p => (JsonNode?)Array(p))]),
        ["made"] = new JsonArray([.. _made.Select(p => (JsonNode?)Array(p))]),
    }.ToJsonString(s_json);

    /// <summary>Sets a value, or takes it out where it is null; mappings are merged, as Clair merges a drop-in.</summary>
    public YamlText Set(YamlText text, IReadOnlyList<string> path, JsonNode? value)
    {
        JsonNode? now = text.Find(path);
        bool isThere = text.Depth(path) == path.Count;
        if (value is JsonObject map && now is JsonObject)
        {
            return map.Aggregate(text, (t, m) => Set(t, [.. path, m.Key], m.Value));
        }

        if (value is null ? !isThere : isThere && JsonNode.DeepEquals(now, value))
        {
            return text;
        }

        if (isThere)
        {
            _before.Add(([.. path], text.Written(path)!, now?.DeepClone()));
        }
        else
        {
            _added.Add([.. path]);
            for (int depth = text.Depth(path) + 1; depth < path.Count; depth++)
            {
                _made.Add([.. path.Take(depth)]);
            }
        }

        return value is null ? text.Remove(path) : text.Set(path, value);
    }

    /// <summary>Takes everything back that <see cref="Set"/> did; what others added meanwhile stays.</summary>
    public YamlText Revert(YamlText text)
    {
        foreach (string[] path in Enumerable.Reverse(_added))
        {
            text = text.Remove(path);
        }

        foreach (string[] path in Enumerable.Reverse(_made).Where(p => text.Find(p) is null or JsonObject { Count: 0 } or JsonArray { Count: 0 }))
        {
            text = text.Remove(path);
        }

        return Enumerable.Reverse(_before).Aggregate(text, (t, b) => t.Restore(b.Path, b.Written, b.Value));
    }

    private static string[] Path(JsonNode? node) => [.. node!.AsArray().Select(k => (string)k!)];

    private static JsonArray Array(string[] path) => new([.. path.Select(k => (JsonNode?)k)]);
}

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

    private readonly List<Step> _steps = [];

    /// <summary>Whether the whole text was made.</summary>
    public bool IsCreated { get; init; }

    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigConflict"/>: it was changed by hand.</exception>
    public static EditJournal Parse(string text, string target)
    {
        try
        {
            JsonObject root = JsonNode.Parse(text)!.AsObject();
            var journal = new EditJournal { IsCreated = (bool)root["created"]! };
            journal._steps.AddRange(root["steps"]!.AsArray().Select(s => new Step(
                [.. s!["path"]!.AsArray().Select(k => (string)k!)], (string?)s["written"], s["value"]?.DeepClone(), s["made"]?.GetValue<int>() ?? 0)));
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
        ["steps"] = new JsonArray([.. _steps.Select(s => (JsonNode?)s.ToJson())]),
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

        int depth = text.Depth(path);
        _steps.Add(isThere ? new Step([.. path], text.Written(path), now?.DeepClone(), 0) : new Step([.. path], null, null, path.Count - depth - 1));
        return value is null ? text.Remove(path) : text.Set(path, value);
    }

    /// <summary>Takes everything back that <see cref="Set"/> did; what others added meanwhile stays.</summary>
    public YamlText Revert(YamlText text)
    {
        foreach (Step step in Enumerable.Reverse(_steps))
        {
            if (step.Written is not null)
            {
                text = text.Restore(step.Path, step.Written, step.Value);
                continue;
            }

            text = text.Remove(step.Path);
            for (int i = 1; i <= step.Made; i++)
            {
                string[] made = [.. step.Path.SkipLast(i)];
                text = text.Find(made) is null or JsonObject { Count: 0 } ? text.Remove(made) : text;
            }
        }

        return text;
    }

    /// <param name="Path">What was set.</param>
    /// <param name="Written">How it was written before; null where it was not there.</param>
    /// <param name="Value">What it was before.</param>
    /// <param name="Made">How many mappings above it had to be made.</param>
    private sealed record Step(string[] Path, string? Written, JsonNode? Value, int Made)
    {
        public JsonObject ToJson()
        {
            var json = new JsonObject { ["path"] = new JsonArray([.. Path.Select(k => (JsonNode?)k)]) };
            if (Written is null)
            {
                json["made"] = Made;
            }
            else
            {
                json["written"] = Written;
                json["value"] = Value?.DeepClone();
            }

            return json;
        }
    }
}

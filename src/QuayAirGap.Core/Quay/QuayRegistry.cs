using System.Text.Json.Nodes;

namespace QuayAirGap.Core.Quay;

/// <summary>The QuayRegistry's manifest: what the operator manages, and Clair's environment (spec.components[].overrides.env).</summary>
public sealed class QuayRegistry
{
    private const string Annotation = "quayairgap-changes";

    private readonly YamlText _manifest;

    private QuayRegistry(YamlText manifest) => _manifest = manifest;

    public string? Name => Text(_manifest.Find("metadata", "name"));

    public bool IsClairManaged => IsManaged("clair");

    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigInvalid"/></exception>
    public static QuayRegistry Parse(string path, string text)
    {
        var manifest = YamlText.Parse(path, text);
        return ConfigBundle.ManifestKind(manifest) == "QuayRegistry"
            ? new QuayRegistry(manifest)
            : throw new FeedException(
                ErrorIds.ClairConfigInvalid, $"'{path}' is not the manifest of a QuayRegistry.", path,
                "Get it with: oc get quayregistry <name> -n <namespace> -o yaml");
    }

    /// <summary>A component that is not listed is managed.</summary>
    public bool IsManaged(string component) =>
        Component(component) is not { } found || found.Value["managed"] is not JsonValue value || !value.TryGetValue(out bool managed) || managed;

    /// <summary>The manifest with Clair's proxy variables, or with what they were before.</summary>
    /// <param name="proxy">Null takes back what was set.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairConfigConflict"/></exception>
    internal string WithProxy(ProxySettings? proxy)
    {
        if (proxy is not null && !IsClairManaged)
        {
            throw new FeedException(
                ErrorIds.ClairConfigConflict, "Clair is not managed by the operator here: its environment is not in the QuayRegistry.", _manifest.Name,
                "Set the variables where that Clair is started; without -QuayRegistry they are printed.");
        }

        YamlText text = _manifest;
        JsonObject before = Text(text.Find("metadata", "annotations", Annotation)) is { } noted ? JsonNode.Parse(noted) as JsonObject ?? [] : [];
        if (proxy is null)
        {
            foreach ((string name, JsonNode? value) in before)
            {
                text = WithVariable(text, name, Text(value));
            }

            return ConfigBundle.WithAnnotation(Tidy(text), Annotation, null).Text;
        }

        foreach ((string name, string value) in proxy.Variables)
        {
            if (!before.ContainsKey(name))
            {
                before[name] = Variable(text, name) is { } known ? Text(known.Value["value"]) : null;
            }

            text = WithVariable(text, name, value);
        }

        return ConfigBundle.WithAnnotation(text, Annotation, before.ToJsonString()).Text;
    }

    private static YamlText WithVariable(YamlText text, string name, string? value)
    {
        (int Index, JsonObject Value)? known = Variable(text, name);
        if (known is { } found && found.Value.ContainsKey("valueFrom"))
        {
            throw new FeedException(
                ErrorIds.ClairConfigConflict, $"{name} of clair comes from another object in '{text.Name}'.", text.Name,
                "Nothing was changed. Give it a plain value, or take it out, and run the command again.");
        }

        string? index = ClairIndex(text);
        if (value is null)
        {
            return known is { } gone ? text.Remove([.. Environment(index!), $"{gone.Index}"]) : text;
        }

        if (index is null)
        {
            text = text.Set(["spec", "components", "-"], new JsonObject { ["kind"] = "clair", ["managed"] = true });
            index = ClairIndex(text)!;
        }

        if (known is { } there)
        {
            return text.Set([.. Environment(index), $"{there.Index}", "value"], value);
        }

        var entry = new JsonObject { ["name"] = name, ["value"] = value };
        return text.Find([.. Environment(index)]) is JsonArray
            ? text.Set([.. Environment(index), "-"], entry)
            : text.Set([.. Environment(index)], new JsonArray(entry));
    }

    /// <summary>An empty list that was ours goes too.</summary>
    private static YamlText Tidy(YamlText text)
    {
        if (ClairIndex(text) is not { } index)
        {
            return text;
        }

        string[] environment = Environment(index);
        for (string[] at = environment; at.Length > 3; at = at[..^1])
        {
            if (text.Depth(at) == at.Length && text.Find(at) is null or JsonArray { Count: 0 } or JsonObject { Count: 0 })
            {
                text = text.Remove(at);
            }
        }

        return text;
    }

    private static string[] Environment(string index) => ["spec", "components", index, "overrides", "env"];

    private static (int Index, JsonObject Value)? Variable(YamlText text, string name)
    {
        if (ClairIndex(text) is not { } index || text.Find([.. Environment(index)]) is not JsonArray list)
        {
            return null;
        }

        int at = list.ToList().FindIndex(e => e is JsonObject entry && Text(entry["name"]) == name);
        return at < 0 ? null : (at, (JsonObject)list[at]!);
    }

    private static string? ClairIndex(YamlText text)
    {
        int at = text.Find("spec", "components") is JsonArray list
            ? list.ToList().FindIndex(e => e is JsonObject component && Text(component["kind"]) == "clair")
            : -1;
        return at < 0 ? null : $"{at}";
    }

    private (int Index, JsonObject Value)? Component(string kind)
    {
        if (_manifest.Find("spec", "components") is not JsonArray list)
        {
            return null;
        }

        int at = list.ToList().FindIndex(e => e is JsonObject component && Text(component["kind"]) == kind);
        return at < 0 ? null : (at, (JsonObject)list[at]!);
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}

using System.Globalization;
using System.Text.Json.Nodes;

namespace QuayAirGap.Core.Clair;

/// <summary>The two ways in which Clair's loader applies a drop-in: RFC 7386 and RFC 6902 (clair cmd/config.go).</summary>
internal static class JsonPatches
{
    /// <summary>RFC 7386: mappings merge, everything else is replaced, lists as a whole too, and null deletes.</summary>
    /// <returns>A new node; neither argument changes.</returns>
    public static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return patch?.DeepClone();
        }

        JsonObject merged = target is JsonObject map ? (JsonObject)map.DeepClone() : [];
        foreach ((string key, JsonNode? value) in changes)
        {
            if (value is null)
            {
                merged.Remove(key);
            }
            else
            {
                JsonNode? before = merged[key];
                merged[key] = Merge(before, value);
            }
        }

        return merged;
    }

    /// <summary>RFC 6902.</summary>
    /// <returns>A new node; neither argument changes.</returns>
    /// <exception cref="FormatException">The patch is none, or does not fit the target: Clair does not start then.</exception>
    public static JsonNode? Apply(JsonNode? target, JsonArray operations)
    {
        JsonNode? root = target?.DeepClone();
        foreach (JsonNode? entry in operations)
        {
            if (entry is not JsonObject operation || Text(operation, "op") is not { } op || Text(operation, "path") is not { } path)
            {
                throw new FormatException("an operation needs 'op' and 'path'");
            }

            switch (op)
            {
                case "add":
                    root = Put(root, path, Value(operation), PutKind.Add);
                    break;
                case "replace":
                    root = Put(root, path, Value(operation), PutKind.Replace);
                    break;
                case "remove":
                    root = Remove(root, path);
                    break;
                case "move":
                    string from = Text(operation, "from") ?? throw new FormatException("'move' needs 'from'");
                    JsonNode? moved = Get(root, from)?.DeepClone();
                    root = Put(Remove(root, from), path, moved, PutKind.Add);
                    break;
                case "copy":
                    root = Put(
                        root, path, Get(root, Text(operation, "from") ?? throw new FormatException("'copy' needs 'from'"))?.DeepClone(), PutKind.Add);
                    break;
                case "test":
                    if (!JsonNode.DeepEquals(Get(root, path), Value(operation)))
                    {
                        throw new FormatException($"the test of '{path}' fails");
                    }

                    break;
                default:
                    throw new FormatException($"there is no operation '{op}'");
            }
        }

        return root;
    }

    /// <summary>The value at a pointer, or null; a missing member is null too.</summary>
    public static JsonNode? Find(JsonNode? root, params ReadOnlySpan<string> path)
    {
        foreach (string key in path)
        {
            root = root is JsonObject map && map.TryGetPropertyValue(key, out JsonNode? value) ? value : null;
        }

        return root;
    }

    private enum PutKind
    {
        Add,
        Replace,
    }

    private static JsonNode? Value(JsonObject operation) => operation.TryGetPropertyValue("value", out JsonNode? value)
        ? value?.DeepClone()
        : throw new FormatException("the operation needs 'value'");

    private static string? Text(JsonObject operation, string key) => operation[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string[] Split(string pointer) => pointer.Length == 0
        ? []
        : pointer[0] == '/'
            ? [.. pointer[1..].Split('/').Select(p => p.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))]
            : throw new FormatException($"'{pointer}' is no JSON pointer");

    private static JsonNode? Get(JsonNode? root, string pointer)
    {
        foreach (string key in Split(pointer))
        {
            root = root switch
            {
                JsonObject map when map.TryGetPropertyValue(key, out JsonNode? value) => value,
                JsonArray list when Index(list, key, isInsert: false) is { } i => list[i],
                _ => throw new FormatException($"there is nothing at '{pointer}'"),
            };
        }

        return root;
    }

    private static JsonNode? Put(JsonNode? root, string pointer, JsonNode? value, PutKind kind)
    {
        string[] path = Split(pointer);
        if (path.Length == 0)
        {
            return value;
        }

        switch (Get(root, pointer[..pointer.LastIndexOf('/')]))
        {
            case JsonObject map when kind == PutKind.Add || map.ContainsKey(path[^1]):
                map[path[^1]] = value;
                return root;
            case JsonArray list when kind == PutKind.Add && path[^1] == "-":
                list.Add(value);
                return root;
            case JsonArray list when Index(list, path[^1], kind == PutKind.Add) is { } index:
                if (kind == PutKind.Add)
                {
                    list.Insert(index, value);
                }
                else
                {
                    list[index] = value;
                }

                return root;
            default:
                throw new FormatException($"there is nothing at '{pointer}'");
        }
    }

    private static JsonNode? Remove(JsonNode? root, string pointer)
    {
        string[] path = Split(pointer);
        if (path.Length == 0)
        {
            return null;
        }

        bool removed = false;
        switch (Get(root, pointer[..pointer.LastIndexOf('/')]))
        {
            case JsonObject map:
                removed = map.Remove(path[^1]);
                break;
            case JsonArray list when Index(list, path[^1], isInsert: false) is { } index:
                list.RemoveAt(index);
                removed = true;
                break;
        }

        return removed ? root : throw new FormatException($"there is nothing at '{pointer}'");
    }

    /// <summary>A place in a list; Clair's library counts negative ones from the end.</summary>
    private static int? Index(JsonArray list, string text, bool isInsert)
    {
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int index))
        {
            return null;
        }

        int count = isInsert ? list.Count + 1 : list.Count;
        index = index < 0 ? index + count : index;
        return index >= 0 && index < count ? index : null;
    }
}

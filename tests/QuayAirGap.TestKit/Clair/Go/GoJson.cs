using System.Text.Json;

namespace QuayAirGap.TestKit.Clair.Go;

/// <summary>
/// Go's <c>encoding/json</c> into typed structures: one value is read and what follows is not looked at; member names compare without
/// case; null leaves the zero value; any other type than the expected one is an error.
/// </summary>
internal static class GoJson
{
    private static readonly JsonReaderOptions s_reading = new() { MaxDepth = 10_000 };

    /// <summary>The first value of a document.</summary>
    public static JsonDocument Decode(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, s_reading);
        return JsonDocument.ParseValue(ref reader);
    }

    /// <summary>A member, or null where it is missing or null.</summary>
    public static JsonElement? Member(JsonElement value, string name)
    {
        JsonElement? found = null;
        foreach (var (key, member) in Map(value))
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                found = member.ValueKind == JsonValueKind.Null ? null : member;
            }
        }

        return found;
    }

    /// <summary>The members of an object; none for null.</summary>
    public static IEnumerable<(string Key, JsonElement Value)> Map(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Object => value.EnumerateObject().Select(p => (p.Name, p.Value)),
        _ => throw Mismatch(value, "object"),
    };

    /// <summary>The members of an object within an object.</summary>
    public static IEnumerable<(string Key, JsonElement Value)> Map(JsonElement value, string name) =>
        Member(value, name) is { } member ? Map(member) : [];

    /// <summary>The elements of an array within an object.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement value, string name) => Member(value, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } array => array.EnumerateArray(),
        { } other => throw Mismatch(other, "array"),
    };

    /// <summary>A string within an object; empty where it is missing or null.</summary>
    public static string Text(JsonElement value, string name) => Member(value, name) is { } member ? Text(member) : string.Empty;

    /// <summary>An array of strings.</summary>
    public static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => value.EnumerateArray().Select(Text),
        _ => throw Mismatch(value, "array"),
    };

    /// <summary>An RFC 3339 time within an object; null where it is missing or null.</summary>
    public static DateTimeOffset? Time(JsonElement value, string name) =>
        Member(value, name) is { } member ? GoTime.Rfc3339(Text(member)) : null;

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => string.Empty,
        JsonValueKind.String => value.GetString()!,
        _ => throw Mismatch(value, "string"),
    };

    private static ClairException Mismatch(JsonElement value, string expected) =>
        ClairException.Failed($"json: cannot unmarshal {value.ValueKind} into Go value of type {expected}");
}

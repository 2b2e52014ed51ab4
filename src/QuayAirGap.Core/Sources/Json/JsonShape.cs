namespace QuayAirGap.Core.Sources.Json;

/// <summary>
/// What a document must look like for Clair to decode it. It follows Go's encoding/json: members are matched without regard to case,
/// unknown members are ignored, null stands for an empty text, list or map. A record is never null here: Clair dereferences some.
/// </summary>
internal sealed class JsonShape
{
    private JsonShape(JsonShapeKind kind) => Kind = kind;

    /// <summary>Any value; what is inside it is only read past.</summary>
    public static JsonShape Any { get; } = new(JsonShapeKind.Any);

    public static JsonShape Text { get; } = new(JsonShapeKind.Text);

    /// <summary>Told the text that stands here; not told of a null.</summary>
    public Action<string>? OnText { get; private init; }

    public JsonShapeKind Kind { get; }

    /// <summary>The shape of a list's items or a map's values.</summary>
    public JsonShape Item { get; private init; } = null!;

    public IReadOnlyDictionary<string, JsonShape> Members { get; private init; } = new Dictionary<string, JsonShape>();

    /// <summary>The member that a record must have, or null.</summary>
    public string? Required { get; private init; }

    public Action<string>? OnKey { get; private init; }

    public Action<long>? OnEnd { get; private init; }

    public static JsonShape TextTo(Action<string> onText) => new(JsonShapeKind.Text) { OnText = onText };

    public static JsonShape ListOf(JsonShape item) => new(JsonShapeKind.List) { Item = item };

    /// <param name="value">What each member's value looks like.</param>
    /// <param name="onKey">Told each key.</param>
    /// <param name="onEnd">Told how many members there were, at the end of each such map.</param>
    public static JsonShape MapOf(JsonShape value, Action<string>? onKey = null, Action<long>? onEnd = null) =>
        new(JsonShapeKind.Map) { Item = value, OnKey = onKey, OnEnd = onEnd };

    public static JsonShape Record(string? required, params (string Name, JsonShape Shape)[] members) => Record(required, null, members);

    /// <param name="required">The member that must be there, or null.</param>
    /// <param name="onEnd">Called at the end of each such record.</param>
    /// <param name="members">What is known; anything else is read past.</param>
    public static JsonShape Record(string? required, Action? onEnd, params (string Name, JsonShape Shape)[] members) =>
        new(JsonShapeKind.Record)
        {
            Members = members.ToDictionary(m => m.Name, m => m.Shape, StringComparer.OrdinalIgnoreCase),
            Required = required,
            OnEnd = onEnd is null ? null : _ => onEnd(),
        };
}

internal enum JsonShapeKind
{
    Any,
    Text,
    List,
    Map,
    Record,
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuayAirGap.Core.Snapshots;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = SnapshotDocument.MaxDepth,
    Converters = [typeof(CaptureStateConverter), typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(Snapshot))]
internal sealed partial class SnapshotJson : JsonSerializerContext;

/// <summary>The states by name alone: the stock converter also takes numbers, any case and lists of names.</summary>
internal sealed class CaptureStateConverter : JsonConverter<CaptureState>
{
    public override CaptureState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() switch
    {
        "captured" => CaptureState.Captured,
        "failed" => CaptureState.Failed,
        "missing" => CaptureState.Missing,
        "deselected" => CaptureState.Deselected,
        "unsupported" => CaptureState.Unsupported,
        var other => throw new JsonException($"There is no capture state '{other}'."),
    };

    public override void Write(Utf8JsonWriter writer, CaptureState value, JsonSerializerOptions options) => writer.WriteStringValue(value switch
    {
        CaptureState.Captured => "captured",
        CaptureState.Failed => "failed",
        CaptureState.Missing => "missing",
        CaptureState.Deselected => "deselected",
        CaptureState.Unsupported => "unsupported",
        _ => throw new JsonException($"There is no capture state {value}."),
    });
}

/// <summary>Times as ISO 8601 in UTC with a Z, as many decimals as they have: one text for each time, whatever offset it was built with.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Pattern = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? text = reader.GetString();
        return DateTimeOffset.TryParseExact(text, Pattern, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time
            : throw new JsonException($"'{text}' is not a time in UTC.");
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString(Pattern, CultureInfo.InvariantCulture));
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace QuayAirGap.Core.Snapshots;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = SnapshotDocument.MaxDepth,
    Converters = [typeof(CaptureStateConverter), typeof(RecipeMethodConverter), typeof(UtcTimeConverter)])]
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

/// <summary>The methods by name alone, as the states.</summary>
internal sealed class RecipeMethodConverter : JsonConverter<RecipeMethod>
{
    public override RecipeMethod Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() switch
    {
        "patch" => RecipeMethod.Patch,
        "zip" => RecipeMethod.Zip,
        "gzip" => RecipeMethod.Gzip,
        "bzip2" => RecipeMethod.Bzip2,
        var other => throw new JsonException($"There is no recipe method '{other}'."),
    };

    public override void Write(Utf8JsonWriter writer, RecipeMethod value, JsonSerializerOptions options) => writer.WriteStringValue(value switch
    {
        RecipeMethod.Patch => "patch",
        RecipeMethod.Zip => "zip",
        RecipeMethod.Gzip => "gzip",
        RecipeMethod.Bzip2 => "bzip2",
        _ => throw new JsonException($"There is no recipe method {value}."),
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

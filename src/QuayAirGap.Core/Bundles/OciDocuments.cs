using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>image-spec 1.1, descriptor.md.</summary>
internal sealed record OciDescriptor
{
    public required string MediaType { get; init; }

    public required string Digest { get; init; }

    public required long Size { get; init; }

    public string? ArtifactType { get; init; }

    public string? Data { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The digest without its prefix; null where it is not a SHA-256.</summary>
    [JsonIgnore]
    public string? Sha256 =>
        Digest is not null && Digest.StartsWith("sha256:", StringComparison.Ordinal) && Sha256Digest.IsValid(Digest.AsSpan(7)) ? Digest[7..] : null;

    public static OciDescriptor Of(string mediaType, string sha256, long size, string? title = null) => new()
    {
        MediaType = mediaType,
        Digest = "sha256:" + sha256,
        Size = size,

        // What oras and registries' pages show as the layer's file name; nothing here reads it.
        Annotations = title is null ? null : new SortedDictionary<string, string>(StringComparer.Ordinal) { ["org.opencontainers.image.title"] = title },
    };
}

/// <summary>image-spec 1.1, image-layout.md.</summary>
internal sealed record OciLayout
{
    public required string ImageLayoutVersion { get; init; }
}

/// <summary>image-spec 1.1, image-index.md.</summary>
internal sealed record OciIndex
{
    public required int SchemaVersion { get; init; }

    public string? MediaType { get; init; }

    public string? ArtifactType { get; init; }

    public required IReadOnlyList<OciDescriptor> Manifests { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>image-spec 1.1, manifest.md.</summary>
internal sealed record OciManifest
{
    public required int SchemaVersion { get; init; }

    public required string MediaType { get; init; }

    public required string ArtifactType { get; init; }

    public required OciDescriptor Config { get; init; }

    public required IReadOnlyList<OciDescriptor> Layers { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = 8)]
[JsonSerializable(typeof(OciLayout))]
[JsonSerializable(typeof(OciIndex))]
[JsonSerializable(typeof(OciManifest))]
internal sealed partial class OciJson : JsonSerializerContext;

/// <summary>How the documents are written.</summary>
internal static class OciText
{
    /// <summary>"+json" as it is. Escaped it would mean the same, but escapes have two spellings, and people search these documents.</summary>
    private static readonly OciJson s_plain =
        new(new JsonSerializerOptions(OciJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static byte[] Write(OciIndex index) => JsonSerializer.SerializeToUtf8Bytes(index, s_plain.OciIndex);

    public static byte[] Write(OciManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, s_plain.OciManifest);
}

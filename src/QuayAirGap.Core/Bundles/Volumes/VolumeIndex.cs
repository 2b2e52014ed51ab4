using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Core.Bundles;

/// <summary>Bytes and their digest.</summary>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
/// <param name="Size">Bytes; at least one.</param>
internal sealed record VolumeContent(string Sha256, long Size);

/// <summary>
/// What every part of one split bundle says, byte for byte the same: which bundle it is, and size and digest of every part. The SHA-256 of these bytes
/// is the set's id: a part with another id is a part of something else, whatever its name is, and no part can be changed without changing its id or
/// failing its digest. Nobody signs this document; the snapshot that it names is signed, and the bundle that the parts make is verified as any other.
/// </summary>
internal sealed record VolumeIndex
{
    public const string FormatName = "quayairgap.volumes";
    public const int CurrentVersion = 1;
    public const int MaxParts = 999;

    /// <summary>A thousand parts take 100 KB.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Where no bundle ends: a sum of sizes that no arithmetic here overflows on.</summary>
    public const long MaxTotal = 1L << 50;

    public string Format { get; init; } = FormatName;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The collecting site's stream.</summary>
    public required Guid Stream { get; init; }

    /// <summary>The bundle's number within the stream.</summary>
    public required long Sequence { get; init; }

    /// <summary>SHA-256 of the bundle's snapshot document.</summary>
    public required string Snapshot { get; init; }

    /// <summary>The document as every part carries it, packed.</summary>
    public required VolumeContent Document { get; init; }

    /// <summary>The document's detached signatures, as every part carries them.</summary>
    public required IReadOnlyList<VolumeContent> Signatures { get; init; }

    /// <summary>What each part holds of the bundle's archive, in order.</summary>
    public required IReadOnlyList<VolumeContent> Parts { get; init; }

    /// <summary>Bytes of the archive.</summary>
    [JsonIgnore]
    public long TotalSize => Parts.Sum(p => p.Size);

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, VolumeJson.Default.VolumeIndex);

    /// <exception cref="FeedException"><see cref="ErrorIds.BundleVolumeInvalid"/>, <see cref="ErrorIds.BundleVolumeLimit"/> or
    /// <see cref="ErrorIds.BundleVersion"/></exception>
    public static VolumeIndex Parse(string path, byte[] bytes)
    {
        VolumeIndex index;
        try
        {
            index = JsonSerializer.Deserialize(bytes, VolumeJson.Default.VolumeIndex) ?? throw new JsonException("it is empty");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, $"the index of the part cannot be read ({e.Message})", e);
        }

        if (index.Format == FormatName && index.Version != CurrentVersion)
        {
            throw new FeedException(
                ErrorIds.BundleVersion, $"The part '{path}' has version {index.Version}; this program reads version {CurrentVersion}.", path,
                "Update QuayAirGap on this side, or split the bundle with the version that runs here.");
        }

        if (index.Parts?.Count > MaxParts || index.Signatures?.Count > SignatureVerifier.MaxSignatures)
        {
            throw VolumeErrors.Create(ErrorIds.BundleVolumeLimit, path, $"it says that there are more than {MaxParts} parts or {SignatureVerifier.MaxSignatures} signatures");
        }

        // Only the bytes that this program would write itself: one index has one spelling, and so one id.
        return index.Format == FormatName && index.Sequence >= 1 && index.Snapshot is not null && Sha256Digest.IsValid(index.Snapshot)
            && IsGood(index.Document, SnapshotDocument.MaxBytes)
            && index.Signatures is { Count: > 0 } && index.Signatures.All(s => IsGood(s, SignatureVerifier.MaxSignatureBytes))
            && index.Parts is { Count: > 0 } && index.Parts.All(p => IsGood(p, MaxTotal / MaxParts))
            && bytes.AsSpan().SequenceEqual(index.ToBytes())
            ? index
            : throw VolumeErrors.Create(ErrorIds.BundleVolumeInvalid, path, "the index of the part says what cannot be");
    }

    private static bool IsGood(VolumeContent? content, long limit) =>
        content?.Sha256 is not null && Sha256Digest.IsValid(content.Sha256) && content.Size >= 1 && content.Size <= limit;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = 4)]
[JsonSerializable(typeof(VolumeIndex))]
internal sealed partial class VolumeJson : JsonSerializerContext;

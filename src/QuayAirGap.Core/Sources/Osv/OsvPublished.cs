using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>What the previous publication found in each archive: an unchanged one need not be read again.</summary>
internal sealed record OsvPublished
{
    public const string FileName = "archives.json";

    /// <summary><see cref="OsvHazards.Version"/> of the program that found it.</summary>
    public required int Hazards { get; init; }

    public required IReadOnlyList<OsvPublishedArchive> Archives { get; init; }

    /// <summary>Of the previous publication; null where there was none, or other rules held then.</summary>
    public static OsvPublished? Load(IPublication publication)
    {
        using Stream? file = publication.OpenPreviousState(FileName);
        if (file is null)
        {
            return null;
        }

        try
        {
            OsvPublished? published = JsonSerializer.Deserialize(file, OsvPublishedJson.Default.OsvPublished);
            return published?.Hazards == OsvHazards.Version ? published : null;
        }
        catch (JsonException)
        {
            // It only saves work: without it every archive is read again, with the same result.
            return null;
        }
    }

    public async Task SaveAsync(IPublication publication, CancellationToken cancellationToken)
    {
        Stream file = publication.CreateState(FileName);
        await using (file.ConfigureAwait(false))
        {
            await JsonSerializer.SerializeAsync(file, this, OsvPublishedJson.Default.OsvPublished, cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <param name="Sha256">Of the upstream's archive.</param>
/// <param name="HeldBack">Empty: it is served as it is.</param>
internal sealed record OsvPublishedArchive(string Sha256, IReadOnlyList<OsvHeldBack> HeldBack);

internal sealed record OsvHeldBack(string Item, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OsvPublished))]
internal sealed partial class OsvPublishedJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Clair;

/// <summary>What one updater of Clair was once proved to have: it stands for as long as Clair shows the same fingerprint. Times are UTC.</summary>
/// <param name="FingerprintSha256">Of the fingerprint's text.</param>
/// <param name="Generation">The newest generation whose content that is.</param>
/// <param name="CapturedAt">When that content was last confirmed against its upstream.</param>
public sealed record UpdaterProof(string FingerprintSha256, int Generation, DateTimeOffset? CapturedAt);

/// <summary>What Clair was seen to have of a source. Times are UTC.</summary>
public sealed record SourceProof
{
    /// <summary>The worst of its updaters: Current, Older, Unproven or Missing.</summary>
    public required IngestionState State { get; init; }

    /// <summary>The generation whose content every updater has at least; null where that is not proved.</summary>
    public int? Generation { get; init; }

    /// <summary>When the oldest of what its updaters have was last confirmed against upstream; null where that is not known.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>When Clair was first seen to have all that was served then.</summary>
    public DateTimeOffset? ProvedAt { get; init; }

    /// <summary>Since when something is served that Clair lacks; null where it lacks nothing.</summary>
    public DateTimeOffset? BehindSince { get; init; }

    /// <summary>The updaters that lack it.</summary>
    public IReadOnlyList<string> Behind { get; init; } = [];

    public IReadOnlyDictionary<string, UpdaterProof> Updaters { get; init; } = new Dictionary<string, UpdaterProof>();
}

/// <summary>What a site knows of the Clair that reads its mirror: clair.json in the site. Times are UTC.</summary>
public sealed record ClairRecord
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Who was asked: what another Clair said counts for nothing.</summary>
    public string Url { get; init; } = "";

    /// <summary>When it was last asked.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    /// <summary>When it last answered.</summary>
    public DateTimeOffset? AnsweredAt { get; init; }

    /// <summary>Why it did not answer when it was last asked; null where it did.</summary>
    public string? Error { get; init; }

    /// <summary>The generation that was served when it last answered.</summary>
    public int? Generation { get; init; }

    public IReadOnlyDictionary<string, SourceProof> Sources { get; init; } = new Dictionary<string, SourceProof>();

    internal static string FileOf(Site site) => Path.Combine(site.Root, "clair.json");

    /// <summary>
    /// What is known of this Clair; nothing where it is another one, where nobody asked yet, and where the file cannot be read: what is
    /// not known to be there is not there.
    /// </summary>
    public static ClairRecord Load(Site site, ClairSettings settings)
    {
        try
        {
            ClairRecord? record = JsonSerializer.Deserialize(File.ReadAllBytes(FileOf(site)), ClairJson.Default.ClairRecord);
            if (record is { Version: CurrentVersion, Sources: not null } && record.Url == settings.Url.AbsoluteUri
                && record.Sources.Values.All(s => s is { Updaters: not null, Behind: not null } && Enum.IsDefined(s.State)))
            {
                return record;
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // As if nobody had asked.
        }

        return new ClairRecord { Url = settings.Url.AbsoluteUri };
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public void Save(Site site) =>
        StateFile.Save(FileOf(site), JsonSerializer.SerializeToUtf8Bytes(this, ClairJson.Default.ClairRecord), "What Clair has");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClairRecord))]
internal sealed partial class ClairJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Notifying;

/// <summary>What a channel was last told. Times are UTC.</summary>
/// <param name="Level">Ok: that all is good.</param>
/// <param name="SentAt">When it took the message.</param>
/// <param name="Incident">Which incident that was about.</param>
/// <param name="Number">The message's number within it.</param>
public sealed record ToldState(FreshnessLevel Level, DateTimeOffset SentAt, string Incident, int Number);

/// <summary>What is kept between two runs: warnings.json in the site. Times are UTC.</summary>
public sealed record WarningState
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>The latest time that this machine's clock ever said here: it must not be before it.</summary>
    public DateTimeOffset? SeenAt { get; init; }

    /// <summary>The last look at the clock while it was not known to be wrong; null before the first, and where the machine cannot tell.</summary>
    public ClockAnchor? Anchor { get; init; }

    /// <summary>The trouble that lasts, or null.</summary>
    public string? Incident { get; init; }

    public IReadOnlyDictionary<WarningChannel, ToldState> Channels { get; init; } = new Dictionary<WarningChannel, ToldState>();

    /// <summary>Since when each source is not fresh.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> BadSince { get; init; } = new Dictionary<string, DateTimeOffset>();

    /// <summary>The last modification times that each source's upstream had, rising: its rhythm.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<DateTimeOffset>> Upstreams { get; init; } =
        new Dictionary<string, IReadOnlyList<DateTimeOffset>>();

    internal static string FileOf(Site site) => Path.Combine(site.Root, "warnings.json");

    /// <summary>What is kept; nothing where nothing is, or where it cannot be read: a message too many is better than one too few.</summary>
    /// <param name="damage">Why it could not be read, or null.</param>
    public static WarningState Load(Site site, out string? damage)
    {
        damage = null;
        try
        {
            WarningState? state = JsonSerializer.Deserialize(File.ReadAllBytes(FileOf(site)), WarningJson.Default.WarningState);
            if (state is { Version: CurrentVersion, Channels: not null, BadSince: not null, Upstreams: not null }
                && state.Channels.Values.All(c => c is { Incident: not null } && Enum.IsDefined(c.Level)) && state.Upstreams.Values.All(u => u is not null))
            {
                return state;
            }

            damage = $"'{FileOf(site)}' is not of version {CurrentVersion}.";
        }
        catch (FileNotFoundException)
        {
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            damage = $"'{FileOf(site)}' cannot be read: {e.Message}";
        }

        return new WarningState();
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public void Save(Site site) => StateFile.Save(
        FileOf(site), JsonSerializer.SerializeToUtf8Bytes(this, WarningJson.Default.WarningState), "What was sent",
        "Give this account write access to the site's folder, or the next run sends everything again.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WarningState))]
internal sealed partial class WarningJson : JsonSerializerContext;

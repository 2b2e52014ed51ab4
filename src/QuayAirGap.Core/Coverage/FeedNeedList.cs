using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Coverage;

/// <summary>A part of a source that images need.</summary>
/// <param name="Name">As the source's releases are named in a snapshot.</param>
/// <param name="Images">How many of them.</param>
public sealed record NeededPart(string Name, int Images)
{
    /// <summary>Their names; null where they are not told.</summary>
    public IReadOnlyList<string>? ImageNames { get; init; }
}

/// <summary>A source that images need.</summary>
/// <param name="Name">As the catalogue names it.</param>
/// <param name="Images">How many of them.</param>
/// <param name="Parts">Which parts of it; empty where it is needed as a whole.</param>
public sealed record NeededSource(string Name, int Images, IReadOnlyList<NeededPart> Parts)
{
    /// <summary>Their names; null where they are not told.</summary>
    public IReadOnlyList<string>? ImageNames { get; init; }
}

/// <summary>
/// What the images of a fleet need: a small JSON file that goes outside, and is kept in the site as needs.json. It holds no name of an
/// image unless somebody asked for them.
/// </summary>
public sealed record FeedNeedList
{
    public const string FormatName = "quayairgap.need";

    public const int CurrentVersion = 1;

    private const long Largest = 64L << 20;
    private const int MaxSources = 1000;
    private const int MaxParts = 10_000;

    public string Format { get; init; } = FormatName;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The release of Clair by whose rules it was made.</summary>
    public required string ClairRelease { get; init; }

    /// <summary>How many images were looked at.</summary>
    public required int Images { get; init; }

    /// <summary>Of how many of them nothing is known: what they need is not in the list.</summary>
    public required int Unindexed { get; init; }

    /// <summary>By name, ordinal; no name twice.</summary>
    public required IReadOnlyList<NeededSource> Sources { get; init; }

    /// <returns>What is kept in the site, or null.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.NeedFileInvalid"/></exception>
    public static FeedNeedList? OfSite(Site site) => File.Exists(FileOf(site)) ? Load(FileOf(site)) : null;

    /// <exception cref="FeedException"><see cref="ErrorIds.NeedFileInvalid"/>, also where there is no such file</exception>
    public static FeedNeedList Load(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > Largest)
            {
                throw new JsonException($"It has more than {Largest >> 20} MiB.");
            }

            FeedNeedList list = JsonSerializer.Deserialize(file, NeedJson.Default.FeedNeedList) ?? throw new JsonException("It is empty.");
            return list.Fault() is { } fault ? throw new JsonException(fault) : list;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            throw new FeedException(
                ErrorIds.NeedFileInvalid, $"'{path}' is not a list of what is needed: {e.Message}", path, "Make it with Get-ClairFeedNeed -OutFile.", e);
        }
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.DestinationInvalid"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public void Save(string path)
    {
        try
        {
            Durable.ReplaceFile(path, [.. JsonSerializer.SerializeToUtf8Bytes(this, NeedJson.Default.FeedNeedList), (byte)'\n']);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(ErrorIds.DestinationInvalid, $"'{path}' cannot be written: {e.Message}", path, "Name a file in a folder that this account can write to.", e);
        }
    }

    /// <summary>Keeps it in the site: what it names is required there from now on, selected or not.</summary>
    public void SaveIn(Site site) => Save(FileOf(site));

    public NeededSource? Of(string source) => Sources.FirstOrDefault(s => s.Name == source);

    internal static string FileOf(Site site) => Path.Combine(site.Root, "needs.json");

    private string? Fault()
    {
        if (Format != FormatName || Version != CurrentVersion)
        {
            return $"It has the format '{Format}', version {Version}; this program reads '{FormatName}', version {CurrentVersion}.";
        }

        if (Sources is null || Sources.Count > MaxSources || Images < 0 || Unindexed < 0 || ClairRelease is null)
        {
            return "A member is missing, or out of its range.";
        }

        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (NeededSource source in Sources)
        {
            if (source?.Name is not { Length: > 0 and <= 64 } || source.Parts is null || source.Parts.Count > MaxParts || !names.Add(source.Name))
            {
                return "A source has no name, or one that is there before.";
            }

            if (source.Parts.Any(p => p?.Name is not { Length: > 0 } || p.Name.AsSpan().ContainsAny('*', '?') || SettingsReader.FaultOfPart(p.Name) is not null))
            {
                return $"A part of '{source.Name}' has no name that a part can have.";
            }
        }

        return null;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FeedNeedList))]
internal sealed partial class NeedJson : JsonSerializerContext;

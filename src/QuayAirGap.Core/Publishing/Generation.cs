using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Publishing;

/// <summary>Something of the upstream that this generation does not publish.</summary>
/// <param name="Source">The source's name.</param>
/// <param name="Item">What: a member of an archive, an advisory's id, a release.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record HeldBackItem(string Source, string Item, string Reason);

/// <summary>One published state of the mirror: index.json in mirror/generations/N. Times are UTC.</summary>
public sealed record Generation
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    public required int Number { get; init; }

    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>The stream and sequence of the snapshot that is published.</summary>
    public required Guid Stream { get; init; }

    public required long Sequence { get; init; }

    /// <summary>The highest sequence that this site ever published: what a new bundle must pass, also after a revert.</summary>
    public required long HighestSequence { get; init; }

    /// <summary>The newest time that a signed snapshot ever told this site: its clock must not be before it.</summary>
    public required DateTimeOffset NewestSnapshot { get; init; }

    /// <summary>SHA-256 of the snapshot document in snapshots/.</summary>
    public required string SnapshotSha256 { get; init; }

    /// <summary>
    /// Each source as it is published, without its files: the snapshot's word, except where publication failed and older content stayed.
    /// </summary>
    public required IReadOnlyList<SourceSnapshot> Sources { get; init; }

    /// <summary>Ordered by path, ordinal; no path twice.</summary>
    public required IReadOnlyList<GenerationEntry> Entries { get; init; }

    public IReadOnlyList<HeldBackItem> HeldBack { get; init; } = [];

    /// <summary>How many tables of archive members lie beside the index: one that is gone must not look like one that never was.</summary>
    public int MemberTables { get; init; }

    /// <summary>Archives whose members are served one by one; their tables lie beside the index.</summary>
    [JsonIgnore]
    public IReadOnlyList<ArchiveMembers> Archives { get; init; } = [];

    /// <summary>Every blob that this generation serves or refers to.</summary>
    public IEnumerable<string> Blobs() => Entries.Select(e => e.Sha256).Concat(Archives.Select(a => a.ArchiveSha256));

    /// <exception cref="FeedException"><see cref="ErrorIds.GenerationDamaged"/> or <see cref="ErrorIds.SiteVersion"/></exception>
    public static Generation Load(string folder)
    {
        Generation index = LoadIndex(folder);
        try
        {
            return index with { Archives = [.. TableFiles(folder).Select(ReadMembers)] };
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(folder, e);
        }
    }

    /// <summary>The generation without <see cref="Archives"/>, for whoever reads the tables with an <see cref="ArchiveMemberReader"/>.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.GenerationDamaged"/> or <see cref="ErrorIds.SiteVersion"/></exception>
    public static Generation LoadIndex(string folder)
    {
        try
        {
            using FileStream file = File.OpenRead(Path.Combine(folder, "index.json"));
            Generation generation = JsonSerializer.Deserialize(file, GenerationJson.Default.Generation) ?? throw new JsonException("The index is empty.");
            FormatVersion.ThrowIfLater(file.Name, generation.Version, CurrentVersion);
            if (generation.Version < 1)
            {
                throw new JsonException($"The index has version {generation.Version}.");
            }

            int tables = TableFiles(folder).Count;
            return tables == generation.MemberTables
                ? generation
                : throw new FormatException($"It has {tables} tables of archive members instead of {generation.MemberTables}.");
        }
        catch (JsonException e)
        {
            // An index of a later version may lack what this one must have.
            string index = Path.Combine(folder, "index.json");
            FormatVersion.ThrowIfLater(index, FormatVersion.InJson(File.ReadAllBytes(index), "version"u8), CurrentVersion);
            throw Damaged(folder, e);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw Damaged(folder, e);
        }
    }

    /// <summary>The tables of archive members in a generation's folder.</summary>
    public static IReadOnlyList<string> TableFiles(string folder) =>
        [.. Directory.GetFiles(folder, "*" + ArchiveMemberReader.Extension).Order(StringComparer.Ordinal)];

    /// <summary>Writes the index and the tables into a folder that is not served yet.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (ArchiveMembers archive in Archives)
        {
            WriteMembers(Path.Combine(folder, archive.Source + ArchiveMemberReader.Extension), archive);
        }

        string index = Path.Combine(folder, "index.json");
        using (FileStream file = File.Create(index))
        {
            JsonSerializer.Serialize(file, this with { MemberTables = Archives.Count }, GenerationJson.Default.Generation);
        }

        Durable.Wrote(index);
    }

    private static ArchiveMembers ReadMembers(string path)
    {
        using var reader = new ArchiveMemberReader(path);
        return reader.Head with { Members = [.. reader.ReadMembers()] };
    }

    private static bool IsDamage(Exception e) => e is IOException or JsonException or FormatException or UnauthorizedAccessException;

    private static FeedException Damaged(string folder, Exception cause) => new(
        ErrorIds.GenerationDamaged, $"The generation in '{folder}' cannot be read: {cause.Message}", folder,
        "Publish another one: Restore-ClairFeed, or import the newest bundle again.", cause);

    private static void WriteMembers(string path, ArchiveMembers archive)
    {
        using (var writer = new StreamWriter(path, append: false, new UTF8Encoding(false)) { NewLine = "\n" })
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{ArchiveMemberReader.Format}\t{archive.Source}\t{archive.PathPrefix}\t{archive.ArchiveSha256}\t{archive.ContentType}\t{archive.Members.Count}"));
            foreach (ArchiveMember m in archive.Members)
            {
                writer.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{m.Path}\t{m.Sha256}\t{m.Size}\t{m.FrameOffset}\t{m.FrameLength}\t{m.Skip}\t{m.LastModified?.ToUnixTimeSeconds()}"));
            }
        }

        Durable.Wrote(path);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Generation))]
internal sealed partial class GenerationJson : JsonSerializerContext;

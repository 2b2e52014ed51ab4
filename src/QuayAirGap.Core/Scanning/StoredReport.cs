using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Scanning;

/// <summary>What the site keeps of one image: the facts of which its verdict is made anew whenever it is shown, and Clair's findings. Times are UTC.</summary>
public sealed record StoredReport
{
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>As <see cref="ScannedImage.Name"/>.</summary>
    public required string Name { get; init; }

    /// <summary>When Clair gave the report; null where it had none.</summary>
    public DateTimeOffset? TakenAt { get; init; }

    /// <summary>What the indexer found; null where Clair knew nothing of the image.</summary>
    public IndexReport? Index { get; init; }

    public required string ManifestDigest { get; init; }

    /// <summary>When the image was made at the latest; null where that is not known.</summary>
    public DateTimeOffset? ImageCreatedAt { get; init; }

    public IReadOnlyList<ScanFinding> Findings { get; init; } = [];

    /// <summary>Judges it by the feeds as they are now.</summary>
    public ScannedImage Judge(CoverageEvaluator evaluator, SiteFeeds feeds) => ScannedImage.Of(
        Name, Index is null ? evaluator.NotIndexed(ManifestDigest) : evaluator.Evaluate(Index, ImageCreatedAt), Findings, TakenAt, feeds);
}

/// <summary>The reports that a site shows: reports/ID.json.gz, each written as a whole. Reading needs no lock.</summary>
public sealed partial class StoredReports(Site site)
{
    private const string Extension = ".json.gz";

    public string Folder { get; } = Path.Combine(site.Root, "reports");

    /// <summary>The ids, in no order; empty where there are none.</summary>
    public IReadOnlyList<string> Ids() => !Directory.Exists(Folder)
        ? []
        : [.. Directory.EnumerateFiles(Folder, "*" + Extension).Select(f => Path.GetFileName(f)[..^Extension.Length]).Where(IsId)];

    /// <summary>Changes whenever a report is added, replaced or removed.</summary>
    public string Stamp() => !Directory.Exists(Folder)
        ? "none"
        : string.Join('|', new DirectoryInfo(Folder).EnumerateFiles("*" + Extension).Aggregate((Count: 0, Newest: 0L, Bytes: 0L), (a, f) =>
            (a.Count + 1, Math.Max(a.Newest, f.LastWriteTimeUtc.Ticks), a.Bytes + f.Length)));

    public static bool IsId(string text) => Id().IsMatch(text);

    /// <summary>The same image by the same name has the same id.</summary>
    public static string IdOf(string name, string manifestDigest) =>
        Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(manifestDigest + "\n" + name))[..32];

    /// <exception cref="FeedException"><see cref="ErrorIds.SiteNotWritable"/> or <see cref="ErrorIds.DiskFull"/></exception>
    public void Save(StoredReport report)
    {
        string path = PathOf(IdOf(report.Name, report.ManifestDigest));
        try
        {
            using var packed = new MemoryStream();
            using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                JsonSerializer.Serialize(zip, report, StoredReportJson.Default.StoredReport);
            }

            Directory.CreateDirectory(Folder);
            Durable.ReplaceFile(path, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.SiteNotWritable, $"The report cannot be kept in '{path}': {e.Message}", path, "Give this account write access to the site's folder.", e);
        }
    }

    /// <returns>Null where there is none of that id, any more.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public StoredReport? Load(string id)
    {
        string path = PathOf(id);
        try
        {
            using FileStream file = File.OpenRead(path);
            using var zip = new GZipStream(file, CompressionMode.Decompress);
            StoredReport? report = JsonSerializer.Deserialize(zip, StoredReportJson.Default.StoredReport);
            return report is { Version: StoredReport.CurrentVersion, Findings: not null } ? report : throw new JsonException("it is of another version");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            throw new FeedException(
                ErrorIds.SiteDamaged, $"The report '{path}' cannot be used: {e.Message.TrimEnd('.')}.", path, "Write it again with Export-ClairScanReport -Publish, or delete the file.", e);
        }
    }

    /// <summary>Forgets all but these.</summary>
    /// <returns>How many were forgotten.</returns>
    public int RemoveOthers(IReadOnlySet<string> ids)
    {
        string[] others = [.. Ids().Where(id => !ids.Contains(id))];
        Array.ForEach(others, id => File.Delete(PathOf(id)));
        return others.Length;
    }

    private string PathOf(string id) => IsId(id) ? Path.Combine(Folder, id + Extension) : throw new ArgumentException("It is no id.", nameof(id));

    [GeneratedRegex("\\A[0-9a-f]{32}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredReport))]
internal sealed partial class StoredReportJson : JsonSerializerContext;

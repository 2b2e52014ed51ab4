using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Notifying;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Tests.Notifying;

/// <summary>A site behind the gap whose one required source is Alpine, and what it publishes: written as the publisher writes it.</summary>
internal sealed class WarnedSite : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 30, 0, TimeSpan.Zero);

    /// <summary>The updater that reads what is published.</summary>
    public const string Updater = "alpine-main-v3.20-updater";

    private const int Kept = 20;
    private const string Memory = "/dev/shm";

    private int _generation;

    /// <param name="warnings">What stands below "warnings:", indented by two.</param>
    public WarnedSite(string warnings)
    {
        Site = Site.OpenOrCreate(Path.Combine(Folder, "site"));
        Warnings = warnings;
        Require("alpine");
    }

    /// <summary>In memory where there is such a folder: a year of flushes to a disk takes a minute.</summary>
    public string Folder { get; } = Directory.Exists(Memory)
        ? Directory.CreateDirectory(Path.Combine(Memory, $"warned-{Guid.NewGuid():N}")).FullName : Directory.CreateTempSubdirectory("warned").FullName;

    public Site Site { get; }

    public string Warnings { get; set; }

    /// <summary>What stands below "clair:", indented by two; null for no Clair.</summary>
    public string? Clair { get; set; }

    public string this[string name] => Path.Combine(Folder, name);

    public void Require(params string[] names)
    {
        IEnumerable<string> sources = SiteSettings.LoadOrDefault(null).Sources
            .Select(s => $"  {s.Name}:\n    enabled: {(names.Contains(s.Name) ? "true" : "false")}\n");
        File.WriteAllText(Site.SettingsFile, $"version: 1\nsources:\n{string.Concat(sources)}warnings:\n  name: lab\n{Warnings}\n{(Clair is null ? "" : $"clair:\n{Clair}\n")}");
    }

    /// <summary>What the updater remembers of content.</summary>
    public static string Fingerprint(string content) => $"\"{Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(content))}\"";

    public void Publish(DateTimeOffset published, DateTimeOffset created, params SourceSnapshot[] sources) =>
        Publish(published, created, content: null, sources);

    /// <param name="published">When.</param>
    /// <param name="created">When its bundle was made.</param>
    /// <param name="content">What every source's one file holds; null for the generation's number.</param>
    /// <param name="sources">What it publishes.</param>
    public void Publish(DateTimeOffset published, DateTimeOffset created, string? content, params SourceSnapshot[] sources)
    {
        _generation++;
        string folder = new GenerationStore(Site).FolderOf(_generation);
        new Generation
        {
            Number = _generation,
            PublishedAt = published,
            Stream = Guid.Empty,
            Sequence = _generation,
            HighestSequence = _generation,
            NewestSnapshot = created,
            SnapshotSha256 = new string('0', 64),
            Sources = sources,
            Entries =
            [
                .. sources.Select(s => Entry(s.Name, content ?? $"{_generation}")).SelectMany(e => e).OrderBy(e => e.Path, StringComparer.Ordinal),
            ],
        }.Save(folder);
        string gone = new GenerationStore(Site).FolderOf(_generation - Kept);
        if (Directory.Exists(gone))
        {
            Directory.Delete(gone, recursive: true);
        }

        Durable.ReplaceFile(Site.CurrentFile, System.Text.Encoding.ASCII.GetBytes($"{_generation}\n"));
    }

    private static IEnumerable<GenerationEntry> Entry(string source, string content)
    {
        string[] paths = source switch
        {
            "alpine" => ["/secdb.alpinelinux.org/v3.20/main.json"],
            "photon" => [.. new[] { 3, 4 }.Select(r => $"/packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon{r}.xml")],
            _ => [],
        };
        return paths.Select(p => new GenerationEntry
        {
            Path = p,
            Source = source,
            Sha256 = Fingerprint(content).Trim('"'),
            Size = content.Length,
            ContentType = "text/plain",
        });
    }

    public static SourceSnapshot Alpine(DateTimeOffset captured, DateTimeOffset? modified = null, string? error = null) => new()
    {
        Name = "alpine",
        State = error is null ? CaptureState.Captured : CaptureState.Failed,
        CapturedAt = captured,
        UpstreamModified = modified,
        Error = error,
    };

    public async Task<IReadOnlyList<WarningOutcome>> SendAsync(TimeProvider clock, WarningRequest? request = null)
    {
        using var sender = new WarningSender(Site, request ?? new WarningRequest(), clock);
        return await sender.SendAsync(_ => true, CancellationToken.None);
    }

    public IReadOnlyList<SourceFreshness> Freshness(TimeProvider clock) => SiteFreshness.Of(Site, SiteSettings.Load(Site), clock);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

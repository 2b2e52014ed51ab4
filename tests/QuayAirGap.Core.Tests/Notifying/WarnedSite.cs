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

    private int _generation;

    /// <param name="warnings">What stands below "warnings:", indented by two.</param>
    public WarnedSite(string warnings)
    {
        Site = Site.OpenOrCreate(Path.Combine(Folder, "site"));
        Warnings = warnings;
        Require("alpine");
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("warned").FullName;

    public Site Site { get; }

    public string Warnings { get; set; }

    public string this[string name] => Path.Combine(Folder, name);

    public void Require(params string[] names)
    {
        IEnumerable<string> sources = SiteSettings.LoadOrDefault(null).Sources
            .Select(s => $"  {s.Name}:\n    enabled: {(names.Contains(s.Name) ? "true" : "false")}\n");
        File.WriteAllText(Site.SettingsFile, $"version: 1\nsources:\n{string.Concat(sources)}warnings:\n  name: lab\n{Warnings}\n");
    }

    public void Publish(DateTimeOffset published, DateTimeOffset created, params SourceSnapshot[] sources)
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
            Entries = [],
        }.Save(folder);
        Durable.ReplaceFile(Site.CurrentFile, System.Text.Encoding.ASCII.GetBytes($"{_generation}\n"));
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

using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Collecting;

/// <summary>One complete capture of a source, as its family hands it over.</summary>
public sealed record CollectedContent
{
    /// <summary>Every file of the capture, in any order.</summary>
    public required IReadOnlyList<SnapshotFile> Files { get; init; }

    /// <summary>Directories that the upstream answered with 200 and that Clair asks for by name (canonical URLs ending in a slash).</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>The names of the updaters that Clair builds from this content.</summary>
    public IReadOnlyList<string> Updaters { get; init; } = [];

    /// <summary>Advisories, documents or mapping rows counted while the content was read to its end.</summary>
    public long AdvisoryCount { get; init; }

    /// <summary>What the count was made of, where the content was read whole: lets a later capture see what was lost.</summary>
    public AdvisoryCensus? Census { get; init; }

    /// <summary>What was found in contents that a site need not read again; in any fixed order.</summary>
    public IReadOnlyList<ContentFindings> Findings { get; init; } = [];

    /// <summary>The releases or parts that this content speaks for ("bookworm", "2024", "go", "v3.20"), in any order.</summary>
    public IReadOnlyList<string> Releases { get; init; } = [];

    /// <summary>What of the upstream could not be seen, so that something new could be missed; null where nothing.</summary>
    public string? Note { get; init; }

    /// <summary>The newest modification time that the upstream gave for any of the content, UTC.</summary>
    public DateTimeOffset? UpstreamModified { get; init; }

    /// <summary>Parts that upstream has and this capture leaves out on purpose ("npm", "v3.3").</summary>
    public IReadOnlyList<string> Deselected { get; init; } = [];
}

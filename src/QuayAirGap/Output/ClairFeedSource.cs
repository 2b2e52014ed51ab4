namespace QuayAirGap;

/// <summary>A source of the catalogue with this site's settings.</summary>
public sealed class ClairFeedSource
{
    /// <summary>Clair's name of the updater set or mapping.</summary>
    public required string Name { get; init; }

    /// <summary>"Enabled", "Deselected" or "Unsupported" (this version cannot collect it).</summary>
    public required string State { get; init; }

    /// <summary>"UpdaterSet", "Enrichment" or "IndexerMapping".</summary>
    public required string Kind { get; init; }

    /// <summary>What it covers.</summary>
    public required string Covers { get; init; }

    public required bool Enabled { get; init; }

    /// <summary>Where it is fetched from, unless UpstreamRoot stands in.</summary>
    public required Uri Uri { get; init; }

    /// <summary>The second upstream of the same source, or null.</summary>
    public Uri? MirrorUri { get; init; }

    /// <summary>The cache that has https://host/path as root/host/path, or null.</summary>
    public Uri? UpstreamRoot { get; init; }

    /// <summary>The age since the last good capture from which it is stale.</summary>
    public required TimeSpan WarnAfter { get; init; }

    public required TimeSpan CriticalAfter { get; init; }

    public required TimeSpan ExpireAfter { get; init; }

    /// <summary>How often its upstream usually changes.</summary>
    public required TimeSpan Cadence { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

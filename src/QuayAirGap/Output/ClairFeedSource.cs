namespace QuayAirGap;

/// <summary>A source of the catalogue with this site's settings.</summary>
public sealed class ClairFeedSource
{
    /// <summary>Clair's name of the updater set or mapping.</summary>
    public required string Name { get; init; }

    /// <summary>"Enabled" or "Deselected".</summary>
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

    /// <summary>The hosts that a collector must reach for it, with these settings.</summary>
    public required string[] Hosts { get; init; }

    /// <summary>The names of the updaters that Clair builds from it, with what varies in angle brackets.</summary>
    public required string[] UpdaterNames { get; init; }

    /// <summary>The distributions that it covers, by Clair's identifiers.</summary>
    public required string[] Distributions { get; init; }

    /// <summary>The language ecosystems that it covers, by Clair's names.</summary>
    public required string[] Ecosystems { get; init; }

    /// <summary>What can be chosen of it ("ecosystem", "release"), or null where Clair needs it whole.</summary>
    public string? PartKind { get; init; }

    /// <summary>The parts that are carried, names or patterns; empty for all.</summary>
    public required string[] Include { get; init; }

    /// <summary>The parts that are left out, names or patterns.</summary>
    public required string[] Exclude { get; init; }

    /// <summary>By how many per cent the number of advisories may fall from one capture to the next.</summary>
    public required int MaxShrink { get; init; }

    /// <summary>The age since the last good capture from which it is stale.</summary>
    public required TimeSpan WarnAfter { get; init; }

    public required TimeSpan CriticalAfter { get; init; }

    public required TimeSpan ExpireAfter { get; init; }

    /// <summary>What of its upstream could not be seen when it was last captured, so that something new could be missed; null where nothing.</summary>
    public string? Note { get; init; }

    /// <summary>How often its upstream usually changes.</summary>
    public required TimeSpan Cadence { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

namespace QuayAirGap.Core.Sources;

/// <summary>What Clair uses a source for.</summary>
public enum SourceKind
{
    /// <summary>An updater set of the matcher that yields vulnerabilities.</summary>
    UpdaterSet,

    /// <summary>An updater set of the matcher that yields enrichments (CVSS).</summary>
    Enrichment,

    /// <summary>A mapping file that the indexer needs.</summary>
    IndexerMapping,
}

/// <summary>One source of the catalogue, named as Clair names it.</summary>
public sealed record SourceDefinition
{
    /// <summary>Clair's name of the updater set, or of the indexer's mapping.</summary>
    public required string Name { get; init; }

    public required SourceKind Kind { get; init; }

    /// <summary>What it covers, in one line for people.</summary>
    public required string Covers { get; init; }

    /// <summary>
    /// The upstream's base URL (with a trailing slash) or, for a single document, its URL. Snapshots and the mirror's paths always use
    /// this canonical URL, wherever the bytes were really had from.
    /// </summary>
    public required Uri Uri { get; init; }

    /// <summary>A second upstream of the same source (Debian's release listing), or null.</summary>
    public Uri? MirrorUri { get; init; }

    /// <summary>How often the upstream usually changes.</summary>
    public TimeSpan Cadence { get; init; } = TimeSpan.FromDays(1);

    /// <summary>False: listed, but this version cannot collect it.</summary>
    public bool IsCollected { get; init; } = true;

    /// <summary>The hosts that a collector must reach.</summary>
    public IEnumerable<string> Hosts => MirrorUri is null ? [Uri.Host] : [Uri.Host, MirrorUri.Host];
}

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

    /// <summary>Hosts that are asked besides those of <see cref="Uri"/> and <see cref="MirrorUri"/>.</summary>
    public IReadOnlyList<string> OtherHosts { get; init; } = [];

    /// <summary>The names of the updaters that Clair builds from it; several rows where releases of Clair differ. Empty for a mapping.</summary>
    public IReadOnlyList<UpdaterNaming> UpdaterNames { get; init; } = [];

    /// <summary>The distributions that it covers, by the DID that Clair writes into an index report ("debian", "ol", "amzn").</summary>
    public IReadOnlyList<string> Distributions { get; init; } = [];

    /// <summary>The language ecosystems that it covers, by the name that Clair gives the repository ("go", "pypi").</summary>
    public IReadOnlyList<string> Ecosystems { get; init; } = [];

    /// <summary>What <see cref="SourceSelection"/> chooses from ("ecosystem", "release"), or null where Clair needs the source whole.</summary>
    public string? PartKind { get; init; }

    /// <summary>The parts that are carried where nobody chooses; empty for all.</summary>
    public IReadOnlyList<string> DefaultParts { get; init; } = [];

    /// <summary>How often the upstream usually changes.</summary>
    public TimeSpan Cadence { get; init; } = TimeSpan.FromDays(1);

    /// <summary>False: collected only where somebody asks for it.</summary>
    public bool EnabledByDefault { get; init; } = true;

    /// <summary>The hosts that a collector must reach.</summary>
    public IEnumerable<string> Hosts => ((string[])[Uri.Host, .. MirrorUri is null ? (string[])[] : [MirrorUri.Host], .. OtherHosts]).Distinct();
}

/// <summary>How the updaters of a source are called.</summary>
/// <param name="Clair">The releases of Clair ("all", "up to 4.9.0", "after 4.9.0").</param>
/// <param name="Pattern">The name, with what varies in angle brackets ("oracle-&lt;year&gt;-updater").</param>
public sealed record UpdaterNaming(string Clair, string Pattern);

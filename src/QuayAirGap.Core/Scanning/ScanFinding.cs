namespace QuayAirGap.Core.Scanning;

/// <summary>Clair's five severities and the one for what nobody rated, rising; as its normalized_severity has them.</summary>
public enum ScanSeverity
{
    Unknown,
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

/// <summary>One vulnerability of one package, as Clair reports it.</summary>
public sealed record ScanFinding
{
    /// <summary>"CVE-2024-1234", "RHSA-2024:1234".</summary>
    public required string Name { get; init; }

    public required ScanSeverity Severity { get; init; }

    /// <summary>The affected package of the image.</summary>
    public required string Package { get; init; }

    public required string PackageVersion { get; init; }

    /// <summary>The version that mends it; empty where there is none, or none is known.</summary>
    public string FixedIn { get; init; } = "";

    /// <summary>The updater of Clair that brought it.</summary>
    public required string Updater { get; init; }

    /// <summary>The source of the catalogue that the updater reads; null for an updater that no source has.</summary>
    public string? Source { get; init; }

    /// <summary>CVSS base score, 0 to 10; null where Clair has none.</summary>
    public double? Cvss { get; init; }

    public string CvssVector { get; init; } = "";

    /// <summary>The first sentences of it.</summary>
    public string Description { get; init; } = "";

    /// <summary>Where more is said: http or https, and nothing else.</summary>
    public string Link { get; init; } = "";
}

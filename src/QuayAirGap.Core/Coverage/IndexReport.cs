using System.Buffers;

namespace QuayAirGap.Core.Coverage;

/// <summary>One package of an image, as Clair's indexer found it.</summary>
/// <param name="Name">As the package manager has it.</param>
/// <param name="Version">As the package manager has it.</param>
/// <param name="NormalizedVersion">"pep440:…", "semver:…" or empty: the matchers for Python look at the kind before the colon.</param>
public sealed record IndexPackage(string Name, string Version, string NormalizedVersion);

/// <summary>A distribution as the indexer names it.</summary>
public sealed record IndexDistribution
{
    /// <summary>"debian", "ol", "amzn".</summary>
    public string Did { get; init; } = "";

    public string Name { get; init; } = "";

    public string Version { get; init; } = "";

    public string VersionCodeName { get; init; } = "";

    /// <summary>Empty for Alpine, whatever its release.</summary>
    public string VersionId { get; init; } = "";

    public string PrettyName { get; init; } = "";
}

/// <summary>Where packages come from, as the indexer names it.</summary>
/// <param name="Name">"pypi", or a CPE where <paramref name="Key"/> is "rhel-cpe-repository".</param>
/// <param name="Key">Empty for most.</param>
/// <param name="Uri">"https://pkg.go.dev/", "repoid=…".</param>
public sealed record IndexRepository(string Name, string Key, string Uri);

/// <summary>Where in the image a package was found.</summary>
/// <param name="PackageDb">"var/lib/dpkg/status", "python:usr/lib/python3/site-packages".</param>
/// <param name="DistributionId">A key of the report's distributions, or empty.</param>
/// <param name="RepositoryIds">Keys of the report's repositories.</param>
public sealed record IndexEnvironment(string PackageDb, string DistributionId, IReadOnlyList<string> RepositoryIds);

/// <summary>
/// What Clair's indexer found in an image: of its index report, or of a vulnerability report, which repeats all of it (claircore
/// indexreport.go, vulnerabilityreport.go).
/// </summary>
public sealed record IndexReport
{
    internal const string Finished = "IndexFinished";

    /// <summary>The manifest's digest, "sha256:…".</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>The indexer's last state; of a vulnerability report, which has none, the one that Clair makes such reports from.</summary>
    public string State { get; init; } = Finished;

    /// <summary>Whether the indexer came to its end; only then does the report say what is in the image.</summary>
    public bool IsFinished { get; init; } = true;

    /// <summary>What the indexer says went wrong; empty where nothing did.</summary>
    public string Error { get; init; } = "";

    /// <summary>By Clair's id.</summary>
    public IReadOnlyDictionary<string, IndexPackage> Packages { get; init; } = new Dictionary<string, IndexPackage>();

    /// <summary>By Clair's id.</summary>
    public IReadOnlyDictionary<string, IndexDistribution> Distributions { get; init; } = new Dictionary<string, IndexDistribution>();

    /// <summary>By Clair's id.</summary>
    public IReadOnlyDictionary<string, IndexRepository> Repositories { get; init; } = new Dictionary<string, IndexRepository>();

    /// <summary>By the package's id.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IndexEnvironment>> Environments { get; init; } =
        new Dictionary<string, IReadOnlyList<IndexEnvironment>>();

    /// <summary>Reads a report to its end. Members that are not known are passed over.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.IndexReportInvalid"/>: it is something else, damaged, or larger than any true one.</exception>
    public static IndexReport Read(Stream stream) => IndexReportReader.Parse(BoundedBytes.Read(stream));

    /// <inheritdoc cref="Read(Stream)"/>
    public static IndexReport Read(ReadOnlyMemory<byte> report) => IndexReportReader.Parse(new ReadOnlySequence<byte>(report));

    /// <inheritdoc cref="Read(Stream)"/>
    public static async Task<IndexReport> ReadAsync(Stream stream, CancellationToken cancellationToken = default) =>
        IndexReportReader.Parse(await BoundedBytes.ReadAsync(stream, cancellationToken).ConfigureAwait(false));
}

using System.Globalization;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Clair;

namespace QuayAirGap.Core.Coverage;

/// <summary>What Clair judges something from.</summary>
/// <param name="Source">The source's name in the catalogue.</param>
/// <param name="Part">As the source's releases are named in a snapshot; null for the source as a whole.</param>
/// <param name="Updaters">All of them are needed; by the names that the release of Clair gives them.</param>
internal sealed record CoverageTarget(string Source, string? Part, IReadOnlyList<string> Updaters);

/// <summary>A distribution that Clair's indexer recognises.</summary>
/// <param name="Key">The DID that the indexer writes.</param>
/// <param name="Names">The names by which Clair's matcher takes it as well; empty where it looks at the DID alone.</param>
/// <param name="Title">For people.</param>
/// <param name="Parts">How the source's parts follow from the index report, for people.</param>
/// <param name="Origin">The files of claircore that say so.</param>
/// <param name="ReleaseOf">The release, as <see cref="DistributionRelease.Release"/>; empty where the report does not say.</param>
/// <param name="TargetOf">What a release is judged from; null where this Clair has nothing for it.</param>
internal sealed record DistributionRule(
    string Key, IReadOnlyList<string> Names, string Title, string Parts, string Origin, Func<IndexDistribution, string> ReleaseOf,
    Func<string, ClairRelease, DateTimeOffset, CoverageTarget?> TargetOf)
{
    /// <summary>Red Hat's packages are judged by the repository that they are from; their distribution decides nothing.</summary>
    public bool ByRepository { get; init; }

    public bool Matches(IndexDistribution distribution) =>
        distribution.Did == Key || (Names.Count > 0 && distribution.Did.Length == 0 && Names.Contains(distribution.Name));
}

/// <summary>A repository that Clair's matchers look for.</summary>
/// <param name="Key">For the table: what is looked for.</param>
/// <param name="Title">What its packages are, for people.</param>
/// <param name="Origin">The files of claircore that say so.</param>
/// <param name="Matches">Whether the matcher takes packages from it.</param>
/// <param name="Target">What they are judged from.</param>
internal sealed record RepositoryRule(string Key, string Title, string Origin, Func<IndexRepository, bool> Matches, CoverageTarget Target)
{
    /// <summary>Which packages the matcher cannot judge all the same, and why; null for the others. Null where it judges all of them.</summary>
    public Func<IndexPackage, string?>? FaultOf { get; init; }

    public bool IsRedHat => Target.Source == CoverageRules.RhelVex;
}

/// <summary>Something that no released Clair ever judges, whatever feeds are there.</summary>
/// <param name="Title">For people.</param>
/// <param name="Shows">What the index report has of it.</param>
/// <param name="Why">What Clair lacks.</param>
/// <param name="Origin">The files of claircore that say so.</param>
internal sealed record NeverCovered(string Title, string Shows, string Why, string Origin);

/// <summary>
/// Which feed Clair judges what from: the one place that says so. Read from claircore v1.5.48 (Clair 4.9.0) and v1.5.52 (main); the rows
/// of distributions and repositories follow its matchers (matchers/defaults/defaults.go), those of what is never covered its indexer's
/// scanners (libindex/libindex.go) and the lack of a matcher.
/// </summary>
internal static partial class CoverageRules
{
    public const string RhelVex = "rhel-vex";
    public const string RepositoryMapping = "repository-to-cpe";
    public const string ContainerMapping = "container-name-repos-map";
    public const string Scores = "clair.cvss";

    private const int FirstOracleYear = 2007;

    private static readonly Version s_firstAlpine = new(3, 3);
    private static readonly Version s_firstLeap = new(15, 5);

    public static IReadOnlyList<DistributionRule> Distributions { get; } =
    [
        new(
            "alpine", ["Alpine Linux"], "Alpine Linux", "v<major>.<minor> of version or pretty_name (version_id is always empty), or edge; main and community",
            "alpine/matcher.go, alpine/distributionscanner.go, alpine/release.go", AlpineRelease, AlpineTarget),
        new(
            "amzn", ["Amazon Linux AMI", "Amazon Linux"], "Amazon Linux", "AL1 for 2018.03, AL2 for 2, AL2023 for 2023",
            "aws/matcher.go, aws/releases.go", d => FirstOf(d.VersionId, d.Version), AmazonTarget),
        new(
            "debian", ["Debian GNU/Linux"], "Debian GNU/Linux", "the codename", "debian/matcher.go, debian/releases.go, debian/updater.go",
            d => CodeName(d, DistributionReleases.Debian), (r, _, _) => new CoverageTarget("debian", r, ["debian/updater"])),
        new(
            "ubuntu", ["Ubuntu"], "Ubuntu", "the codename, lower case", "ubuntu/matcher.go, ubuntu/releases.go, ubuntu/updaterset.go",
            d => CodeName(d, DistributionReleases.Ubuntu), (r, _, _) => new CoverageTarget("ubuntu", r, [$"ubuntu/updater/{r}"])),
        new(
            "ol", ["Oracle Linux Server"], "Oracle Linux", "5 to 9, each from every year since 2007", "oracle/matcher.go, oracle/releases.go, oracle/updaterset.go",
            d => Major(FirstOf(d.Version, d.VersionId)), OracleTarget),
        new(
            "photon", [], "VMware Photon OS", "the release; 1.0 to 3.0 up to Clair 4.9.0, 1.0 to 5.0 after it",
            "photon/matcher.go, photon/releases.go, photon/updaterset.go", d => FirstOf(d.Version, d.VersionId), PhotonTarget),
        new(
            "sles", ["SLES"], "SUSE Linux Enterprise Server", "suse.linux.enterprise.server.<major>, two digits from 1 to 9",
            "suse/matcher.go, suse/releases.go, suse/factory.go", d => Major(FirstOf(d.Version, d.VersionId)), SlesTarget),
        new(
            "opensuse-leap", ["openSUSE Leap"], "openSUSE Leap", "opensuse.leap.<version>, from 15.5", "suse/matcher.go, suse/releases.go, suse/factory.go",
            d => FirstOf(d.Version, d.VersionId), LeapTarget),
        new(
            "opensuse", [], "openSUSE Leap", "as opensuse-leap", "suse/matcher.go, suse/factory.go", d => FirstOf(d.Version, d.VersionId), LeapTarget),
        new(
            "rhel", ["Red Hat Enterprise Linux Server"], "Red Hat Enterprise Linux", "decided by the repository, never by the distribution",
            "rhel/matcher.go, rhel/coalescer.go", d => Major(FirstOf(d.VersionId, d.Version)), (_, _, _) => null) { ByRepository = true },
    ];

    public static IReadOnlyList<RepositoryRule> Repositories { get; } =
    [
        new(
            "key rhel-cpe-repository", "Red Hat packages", "rhel/matcher.go, rhel/repositoryscanner.go", r => r.Key == "rhel-cpe-repository",
            new CoverageTarget(RhelVex, null, ["rhel-vex"])),
        new(
            "key rhcc-container-repository", "Red Hat container images", "rhel/rhcc/matcher.go, rhel/rhcc/rhcc.go", r => r.Key == "rhcc-container-repository",
            new CoverageTarget(RhelVex, null, ["rhel-vex"])),
        new(
            "uri https://pkg.go.dev/", "Go modules", "gobin/matcher.go", r => r.Uri == "https://pkg.go.dev/", new CoverageTarget("osv", "go", ["osv/go"])),
        new("name maven", "Java archives", "java/matcher.go", r => r.Name == "maven", new CoverageTarget("osv", "maven", ["osv/maven"]))
        {
            FaultOf = p => p.Name.Contains(':', StringComparison.Ordinal) ? null
                : "Java archives without Maven coordinates: Clair guessed their names, and no advisory bears such a name",
        },
        new("name pypi", "Python packages", "python/matcher.go", r => r.Name == "pypi", new CoverageTarget("osv", "pypi", ["osv/pypi"]))
        {
            FaultOf = p => p.NormalizedVersion.StartsWith("pep440:", StringComparison.Ordinal) ? null
                : "Python packages whose versions are none by PEP 440: Clair's matcher passes over them",
        },
        new("name rubygems", "Ruby gems", "ruby/matcher.go", r => r.Name == "rubygems", new CoverageTarget("osv", "rubygems", ["osv/rubygems"])),
    ];

    public static IReadOnlyList<NeverCovered> Never { get; } =
    [
        new("CentOS and CentOS Stream", "rpm packages without a distribution", "No scanner recognises it", "rhel/distributionscanner.go"),
        new("Rocky Linux", "rpm packages without a distribution", "No scanner recognises it", "rhel/distributionscanner.go"),
        new("AlmaLinux", "rpm packages without a distribution", "No scanner recognises it", "rhel/distributionscanner.go"),
        new("Fedora", "rpm packages without a distribution", "No scanner recognises it", "rhel/distributionscanner.go"),
        new("Azure Linux, CBL-Mariner, openEuler", "rpm packages without a distribution", "No scanner recognises it", "libindex/libindex.go"),
        new("Oracle Linux 10", "rpm packages without a distribution", "Its releases end at 9", "oracle/releases.go"),
        new("SUSE Linux Enterprise Server 10, 20, 30 …", "distribution sles", "No updater is made for a version with a zero in it", "suse/factory.go"),
        new("openSUSE Leap before 15.5, and Tumbleweed", "distribution opensuse-leap, or none", "No updater is made for it", "suse/factory.go"),
        new("Amazon Linux 2022, and AL1 before 2017.03", "rpm packages without a distribution", "No updater is made for it", "aws/releases.go"),
        new("Alpine before 3.3", "distribution alpine", "Its database begins at 3.3", "alpine/updater.go"),
        new("Wolfi and Chainguard", "apk packages without a distribution", "No scanner recognises it", "alpine/distributionscanner.go"),
        new("Debian testing and sid", "dpkg packages without a distribution", "They have no version", "debian/distributionscanner.go"),
        new("Kali, Mint, Devuan, Raspbian and other derivatives", "dpkg packages without a distribution", "No scanner recognises them", "debian/distributionscanner.go, ubuntu/distributionscanner.go"),
        new("Arch Linux, Gentoo, Nix, Void", "nothing", "No scanner reads their package databases", "libindex/libindex.go"),
        new("npm", "nothing, or repository npm", "No matcher", "libindex/libindex.go, matchers/defaults/defaults.go"),
        new("crates.io, NuGet, Packagist, Hex, Pub, Swift", "nothing", "No scanner and no matcher", "libindex/libindex.go"),
        new("Programs that no package manager installed, Go's apart", "nothing", "No scanner", "libindex/libindex.go"),
        new("Windows images", "nothing", "No scanner", "libindex/libindex.go"),
    ];

    public static DistributionRule? RuleOf(IndexDistribution distribution) => Distributions.FirstOrDefault(r => r.Matches(distribution));

    public static RepositoryRule? RuleOf(IndexRepository repository) => Repositories.FirstOrDefault(r => r.Matches(repository));

    private static string AlpineRelease(IndexDistribution d)
    {
        if (d.Version == "edge" || d.PrettyName == "Alpine Linux edge")
        {
            return "edge";
        }

        // The matcher compares the pretty name; the version says the same where both are there.
        Match match = MajorMinor().Match(FirstOf(d.PrettyName.Replace("Alpine Linux v", "", StringComparison.Ordinal), d.Version));
        return match.Success ? "v" + match.Value : FirstOf(d.Version, d.PrettyName);
    }

    private static CoverageTarget? AlpineTarget(string release, ClairRelease clair, DateTimeOffset now) =>
        release != "edge" && Version.TryParse(release.TrimStart('v'), out Version? version) && version < s_firstAlpine
            ? null
            : new CoverageTarget("alpine", release, [$"alpine-main-{release}-updater", $"alpine-community-{release}-updater"]);

    private static CoverageTarget? AmazonTarget(string release, ClairRelease clair, DateTimeOffset now) => release switch
    {
        "2018.03" => new CoverageTarget("aws", "AL1", ["aws-AL1-updater"]),
        "2" => new CoverageTarget("aws", "AL2", ["aws-AL2-updater"]),
        "2023" => new CoverageTarget("aws", "AL2023", ["aws-AL2023-updater"]),
        _ => null,
    };

    private static CoverageTarget? OracleTarget(string release, ClairRelease clair, DateTimeOffset now) =>
        release is "5" or "6" or "7" or "8" or "9"
            ? new CoverageTarget(
                "oracle", null,
                [.. Enumerable.Range(FirstOracleYear, Math.Max(0, now.UtcDateTime.Year + 1 - FirstOracleYear)).Select(y => FormattableString.Invariant($"oracle-{y}-updater"))])
            : null;

    private static CoverageTarget? PhotonTarget(string release, ClairRelease clair, DateTimeOffset now) =>
        Major(release) is { Length: > 0 } major
        && clair.PhotonUpdaters.FirstOrDefault(u => u == $"photon-updater-photon{major}" || u == $"photon-updater-{major}.0") is { } updater
            ? new CoverageTarget("photon", major + ".0", [updater])
            : null;

    private static CoverageTarget? SlesTarget(string release, ClairRelease clair, DateTimeOffset now) =>
        TwoDigits().IsMatch(release) ? Suse("suse.linux.enterprise.server." + release) : null;

    private static CoverageTarget? LeapTarget(string release, ClairRelease clair, DateTimeOffset now) =>
        LeapVersion().IsMatch(release) && Version.TryParse(release, out Version? version) && version >= s_firstLeap ? Suse("opensuse.leap." + release) : null;

    private static CoverageTarget Suse(string part) => new("suse", part, ["suse-updater-" + part]);

    /// <summary>The codename as it stands, or of "12 (bookworm)", or by the version of a release that is known here.</summary>
    private static string CodeName(IndexDistribution d, IReadOnlyList<DistributionRelease> known)
    {
        if (d.VersionCodeName.Length > 0)
        {
            return d.VersionCodeName.ToLowerInvariant();
        }

        Match match = Parenthesis().Match(FirstOf(d.Version, d.PrettyName));
        return match.Success
            ? match.Groups[1].Value.ToLowerInvariant()
            : known.FirstOrDefault(r => r.Indexed.VersionId == d.VersionId)?.Release ?? FirstOf(d.VersionId, d.Version);
    }

    private static string Major(string version) =>
        version.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? version[..dot] : version;

    private static string FirstOf(string one, string other) => one.Length > 0 ? one : other;

    [GeneratedRegex(@"\A[0-9]{1,4}\.[0-9]{1,4}", RegexOptions.CultureInvariant)]
    private static partial Regex MajorMinor();

    [GeneratedRegex(@"\A[1-9][1-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex TwoDigits();

    [GeneratedRegex(@"\A1[0-9]\.[0-9]{1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LeapVersion();

    [GeneratedRegex(@"\(([A-Za-z]{1,40})[^)]{0,40}\)\s*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Parenthesis();
}

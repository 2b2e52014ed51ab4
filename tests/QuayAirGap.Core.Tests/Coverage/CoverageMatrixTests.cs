using System.Text;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.TestKit.Samples;
using Xunit;

namespace QuayAirGap.Core.Tests.Coverage;

/// <summary>
/// Every distribution release and ecosystem that Clair knows, and what it never judges, against every state that its feed can be in: no
/// combination but a fresh feed is ever Covered. What came out is a table in docs/coverage.md, and this holds it there, with the rules and
/// the ends of life. <c>QUAYAIRGAP_WRITE_TABLE=1</c> writes them anew.
/// </summary>
public sealed class CoverageMatrixTests
{
    /// <summary>What has ended by the day of <see cref="CoverageSite.Now"/>: told here on its own, so that a wrong date in the rules is seen.</summary>
    private static readonly HashSet<string> s_ended =
    [
        .. Enumerable.Range(3, 19).Select(n => $"Alpine Linux 3.{n}"), "Amazon Linux AMI 2018.03", "Amazon Linux 2", "Debian GNU/Linux 7 (wheezy)",
        "Debian GNU/Linux 8 (jessie)", "Debian GNU/Linux 9 (stretch)", "Debian GNU/Linux 10 (buster)", "Debian GNU/Linux 11 (bullseye)",
        "Ubuntu 12.04 (Precise)", "Ubuntu 14.04 (Trusty)", "Ubuntu 16.04 (Xenial)", "Ubuntu 18.04 (Bionic)", "Ubuntu 20.04 (Focal)",
        "Ubuntu 18.10 (Cosmic)", "Ubuntu 19.04 (Disco)", "Ubuntu 19.10 (Eoan)", "Ubuntu 20.10 (Groovy)", "Ubuntu 21.04 (Hirsute)", "Ubuntu 21.10 (Impish)",
        "Ubuntu 22.10 (Kinetic)", "Ubuntu 23.04 (Lunar)", "Ubuntu 23.10 (Mantic)", "Ubuntu 24.10 (Oracular)", "Ubuntu 25.04 (Plucky)", "Ubuntu 25.10 (Questing)", "Oracle Linux 5", "Oracle Linux 6",
        "Oracle Linux 7", "VMware Photon OS 1.0", "VMware Photon OS 2.0", "VMware Photon OS 3.0", "SUSE Linux Enterprise Server 11",
        "SUSE Linux Enterprise Server 12", "openSUSE Leap 15.5", "openSUSE Leap 15.6", "Red Hat Enterprise Linux 6", "Red Hat Enterprise Linux 7",
    ];

    private static readonly (string Title, string Code, Func<SourceSnapshot, SourceSnapshot?> Change, string Settings)[] s_states =
    [
        ("fresh", "", s => s, ""),
        ("stale", "FEED-STALE", s => s with { CapturedAt = CoverageSite.Now.AddDays(-4) }, ""),
        ("expired", "FEED-STALE", s => s with { CapturedAt = CoverageSite.Now.AddDays(-40) }, ""),
        ("from the future", "FEED-STALE", s => s with { CapturedAt = CoverageSite.Now.AddDays(1) }, ""),
        ("never captured", "FEED-MISSING", s => s with { State = CaptureState.Missing, CapturedAt = null, Updaters = [], Releases = [] }, ""),
        ("not in the bundle", "FEED-MISSING", _ => null, ""),
        ("without this release", "FEED-MISSING", s => s with { Updaters = [], Releases = [] }, ""),
        ("failed", "FEED-FAILED", s => s with { State = CaptureState.Failed, ErrorId = ErrorIds.UpstreamStatus, Error = "404." }, ""),
        ("failed from the first", "FEED-FAILED", s => s with { State = CaptureState.Failed, CapturedAt = null, Updaters = [], Releases = [], Error = "404." }, ""),
        ("not published", "FEED-FAILED", s => s with { State = CaptureState.Failed, ErrorId = ErrorIds.UpstreamRegressed, Error = "Not published: x." }, ""),
        ("quarantined", "FEED-QUARANTINED", s => s with { State = CaptureState.Failed, ErrorId = ErrorIds.UpstreamRegressed, Error = "Regressed: x." }, ""),
        ("deselected outside", "FEED-DESELECTED", s => s with { State = CaptureState.Deselected, CapturedAt = null, Updaters = [], Releases = [] }, ""),
        ("release deselected", "FEED-DESELECTED", s => s with { Updaters = [], Releases = [], Deselected = s.Releases }, ""),
        ("deselected here", "FEED-DESELECTED", s => s, "false"),
        ("program too old", "FEED-UNSUPPORTED", s => s with { State = CaptureState.Unsupported, Error = "x." }, ""),
    ];

    private static readonly string[] s_mappings = ["repository-to-cpe", "container-name-repos-map"];

    [Fact]
    public void The_matrix_holds_and_the_docs_show_it()
    {
        List<Row> rows = Rows();
        var table = new StringBuilder();
        table.Append("| image | " + string.Join(" | ", s_states.Select(s => s.Title)) + " |\n");
        table.Append("|---|" + string.Concat(s_states.Select(_ => "---|")) + "\n");
        Dictionary<string, List<string>> cells = rows.ToDictionary(r => r.Title, _ => new List<string>());
        int silent = 0;
        int combinations = 0;
        foreach ((string title, string code, Func<SourceSnapshot, SourceSnapshot?> change, string enabled) in s_states)
        {
            foreach (bool mappings in new[] { false, true })
            {
                bool Varies(string source) => s_mappings.Contains(source) == mappings;
                using var site = new CoverageSite(s => Varies(s.Name) && s.State == CaptureState.Captured ? change(s) : s);
                if (enabled.Length > 0)
                {
                    site.Settings(string.Concat(
                        SourceCatalog.All.Where(s => s.EnabledByDefault && Varies(s.Name)).Select(s => $"  {s.Name}:\n    enabled: {enabled}\n")));
                }

                SiteFeeds feeds = site.Feeds;
                foreach (Row row in rows.Where(r => r.OfMapping == mappings))
                {
                    if (row.OfMapping && title is ("without this release" or "release deselected"))
                    {
                        cells[row.Title].Add("–"); // a mapping is one file
                        continue;
                    }

                    ImageCoverage image = new CoverageEvaluator(feeds, row.Release).Evaluate(row.Report);
                    CoverageVerdict expected = Expected(row, title);
                    Assert.True(expected == image.Verdict, $"{row.Title}, {title}: {image.Summary}");
                    if (code.Length > 0 && row.Base != CoverageVerdict.Unsupported && !(title == "release deselected" && row.WithoutParts))
                    {
                        string due = row.OfMapping && code == "FEED-STALE" ? "MAPPING-STALE" : code;
                        Assert.Contains(due, image.Gaps.Select(g => g.Code));
                        Assert.All(image.Gaps, g => Assert.True(g.Message.Length > 20 && g.Remedy.Length > 5, $"{row.Title}, {title}: {g}"));
                    }

                    combinations++;
                    silent += image.Verdict == CoverageVerdict.Covered && title != "fresh" ? 1 : 0;
                    Assert.Equal(image.Verdict == CoverageVerdict.Covered, image.Gaps.Count == 0);
                    Assert.True(image.Verdict != CoverageVerdict.Covered || image.PackagesSpokenFor == image.PackageCount);
                    cells[row.Title].Add(image.Verdict.ToString());
                }
            }
        }

        Assert.Equal((0, (rows.Count * s_states.Length) - (2 * rows.Count(r => r.OfMapping))), (silent, combinations));
        foreach (Row row in rows)
        {
            table.Append($"| {row.Title} | {string.Join(" | ", cells[row.Title])} |\n");
        }

        HoldTable("matrix", table.ToString());
    }

    [Fact]
    public void The_rules_are_in_the_docs()
    {
        var table = new StringBuilder("| distribution | as indexed | parts of the source | claircore |\n|---|---|---|---|\n");
        foreach (DistributionRule rule in CoverageRules.Distributions)
        {
            string names = rule.Names.Count == 0 ? "" : $", or name {string.Join(" or ", rule.Names.Select(n => $"`{n}`"))}";
            table.Append($"| {rule.Title} | did `{rule.Key}`{names} | {rule.Parts} | {rule.Origin} |\n");
        }

        table.Append("\n| repository | packages | source | claircore |\n|---|---|---|---|\n");
        foreach (RepositoryRule rule in CoverageRules.Repositories)
        {
            table.Append($"| {rule.Key} | {rule.Title} | `{rule.Target.Source}`{(rule.Target.Part is { } part ? $" {part}" : "")} | {rule.Origin} |\n");
        }

        table.Append("\n| never judged | the index report has | why | claircore |\n|---|---|---|---|\n");
        foreach (NeverCovered never in CoverageRules.Never)
        {
            table.Append($"| {never.Title} | {never.Shows} | {never.Why} | {never.Origin} |\n");
        }

        HoldTable("rules", table.ToString());
    }

    [Fact]
    public void The_ends_of_life_are_in_the_docs()
    {
        var table = new StringBuilder("| release | last day | of | as announced on | what the date does not say |\n|---|---|---|---|---|\n");
        foreach (DistributionRelease release in DistributionReleases.All)
        {
            table.Append($"| {release.Title} | {release.EndOfLife?.ToString("yyyy-MM-dd", null) ?? "–"} | {release.Basis} | {release.Page} | {release.Caveat ?? ""} |\n");
        }

        HoldTable("ends", table.ToString());
        Assert.All(DistributionReleases.All, r => Assert.Equal(r.EndOfLife is null, r.Basis.Length == 0));
        Assert.All(DistributionReleases.All, r => Assert.StartsWith("https://", r.Page, StringComparison.Ordinal));
        Assert.Equal(
            s_ended.Order(StringComparer.Ordinal), DistributionReleases.All.Where(r => r.HasEnded(CoverageSite.Now)).Select(r => r.Title).Order(StringComparer.Ordinal));
        Assert.Equal(DistributionReleases.All.Count, DistributionReleases.All.Select(r => (r.Rule, r.Release)).Distinct().Count());
    }

    /// <summary>What the catalogue says that its sources cover, the rules know, and the other way round.</summary>
    [Fact]
    public void The_rules_and_the_catalogue_agree()
    {
        IEnumerable<string> distributions = SourceCatalog.All.SelectMany(s => s.Distributions).Distinct();
        Assert.Empty(distributions.Except(CoverageRules.Distributions.Select(r => r.Key)));
        Assert.Equal(
            SourceCatalog.All.SelectMany(s => s.Ecosystems).Order(StringComparer.Ordinal),
            CoverageRules.Repositories.Where(r => r.Target.Source == "osv").Select(r => r.Target.Part!).Order(StringComparer.Ordinal));
        Assert.All(DistributionReleases.All, r =>
        {
            DistributionRule rule = Assert.Single(CoverageRules.Distributions, d => d.Matches(r.Indexed));
            Assert.Equal((r.Rule, r.Release), (rule.Key, rule.ReleaseOf(r.Indexed)));
        });
    }

    private static CoverageVerdict Expected(Row row, string state)
    {
        if (row.Base == CoverageVerdict.Unsupported || state == "fresh")
        {
            return row.Base;
        }

        bool aged = state is "stale" or "expired" or "from the future";
        CoverageVerdict of = aged && !row.OfMapping ? CoverageVerdict.Stale : CoverageVerdict.Incomplete;
        return of > row.Base ? of : row.Base;
    }

    private static List<Row> Rows()
    {
        List<Row> rows = [];
        foreach (DistributionRelease release in DistributionReleases.All)
        {
            CoverageVerdict itself = s_ended.Contains(release.Title) ? CoverageVerdict.EndOfLife : CoverageVerdict.Covered;
            IndexRepository[] repositories = release.Rule == "rhel"
                ? [new("cpe:/o:redhat:enterprise_linux:" + release.Release, "rhel-cpe-repository", "repoid=x")]
                : [];
            IndexReport report = Report(release.Indexed, Database(release.Rule), "", repositories);
            rows.Add(new Row(release.Title, report, ClairRelease.Main, itself) { WithoutParts = release.Rule is "ol" or "rhel" });
            if (release.Rule == "photon")
            {
                CoverageVerdict before = release.Release is "4.0" or "5.0" ? CoverageVerdict.Unsupported : itself;
                rows.Add(new Row(release.Title + ", Clair 4.9.0", report, ClairRelease.V490, before));
            }

            if (release.Rule == "rhel" && release.Release == "9")
            {
                rows.Add(new Row("Red Hat, by the state of the indexer's mappings", report, ClairRelease.Main, itself) { OfMapping = true });
            }
        }

        rows.Add(Language("Go modules", new("go", "", "https://pkg.go.dev/"), "go:usr/bin/app", "semver:0.1", CoverageVerdict.Covered));
        rows.Add(Language("Java archives", new("maven", "", ""), "maven:app.jar", "", CoverageVerdict.Covered));
        rows.Add(Language("Python packages", new("pypi", "", ""), "python:usr/lib/python3", "pep440:0.1", CoverageVerdict.Covered));
        rows.Add(Language("Ruby gems", new("rubygems", "", ""), "ruby:opt/gems", "", CoverageVerdict.Covered));
        Row containers = Language(
            "Red Hat container images", new("Red Hat Container Catalog", "rhcc-container-repository", ""), "root/buildinfo/Dockerfile-x", "rhctag:1",
            CoverageVerdict.Covered);
        rows.Add(containers with { WithoutParts = true });
        rows.Add(Language("npm packages", new("npm", "", ""), "nodejs:app/node_modules", "semver:0.1", CoverageVerdict.Unsupported));
        foreach ((string title, string database) in new[]
        {
            ("CentOS, Rocky, AlmaLinux, Fedora, Oracle Linux 10: rpm without a distribution", "sqlite:var/lib/rpm"),
            ("Wolfi, Chainguard: apk without a distribution", "usr/lib/apk/db/installed"),
            ("Debian testing, derivatives: dpkg without a distribution", "var/lib/dpkg/status"),
            ("packages of an unknown kind", "opt/strange/db"),
        })
        {
            rows.Add(new Row(title, Report(null, database, "", []), ClairRelease.Main, CoverageVerdict.Unsupported));
        }

        foreach ((string title, IndexDistribution distribution) in new (string, IndexDistribution)[]
        {
            ("Rocky Linux, where an indexer names it", new() { Did = "rocky", Name = "Rocky Linux", Version = "9.4" }),
            ("Oracle Linux 10, where an indexer names it", new() { Did = "ol", Name = "Oracle Linux Server", Version = "10" }),
            ("SUSE Linux Enterprise Server 10", new() { Did = "sles", Name = "SLES", Version = "10" }),
            ("SUSE Linux Enterprise Server 20", new() { Did = "sles", Name = "SLES", Version = "20" }),
            ("openSUSE Leap 15.4", new() { Did = "opensuse-leap", Name = "openSUSE Leap", Version = "15.4" }),
            ("openSUSE Leap 42.3", new() { Did = "opensuse", Name = "openSUSE Leap", Version = "42.3" }),
            ("openSUSE Tumbleweed", new() { Did = "opensuse-tumbleweed", Name = "openSUSE Tumbleweed", Version = "20261101" }),
            ("Amazon Linux 2022", new() { Did = "amzn", Name = "Amazon Linux", VersionId = "2022" }),
            ("Alpine Linux 3.2", new() { Did = "alpine", Name = "Alpine Linux", Version = "3.2", PrettyName = "Alpine Linux v3.2" }),
            ("VMware Photon OS 6.0", new() { Did = "photon", Name = "VMware Photon OS", Version = "6.0" }),
            ("a distribution without a name", new()),
        })
        {
            rows.Add(new Row(title, Report(distribution, "var/lib/rpm", "", []), ClairRelease.Main, CoverageVerdict.Unsupported));
        }

        return rows;
    }

    private static Row Language(string title, IndexRepository repository, string database, string version, CoverageVerdict itself) =>
        new(title, Report(null, database, version, [repository]), ClairRelease.Main, itself);

    private static string Database(string rule) => rule switch
    {
        "alpine" => "lib/apk/db/installed",
        "debian" or "ubuntu" => "var/lib/dpkg/status",
        _ => "sqlite:var/lib/rpm",
    };

    private static IndexReport Report(IndexDistribution? distribution, string database, string version, IndexRepository[] repositories) => new()
    {
        ManifestDigest = "sha256:" + new string('a', 64),
        Packages = new Dictionary<string, IndexPackage> { ["1"] = new("group:name", "1.0", version) },
        Distributions = distribution is null ? new Dictionary<string, IndexDistribution>() : new Dictionary<string, IndexDistribution> { ["2"] = distribution },
        Repositories = repositories.Select((r, i) => (r, i)).ToDictionary(p => $"r{p.i}", p => p.r),
        Environments = new Dictionary<string, IReadOnlyList<IndexEnvironment>>
        {
            ["1"] = [new(database, distribution is null ? "" : "2", [.. repositories.Select((_, i) => $"r{i}")])],
        },
    };

    private static void HoldTable(string name, string table)
    {
        string path = Path.Combine(RepositoryFolders.Root, "docs", "coverage.md");
        string begin = $"<!-- {name}: written by CoverageMatrixTests -->\n";
        string end = $"<!-- /{name} -->";
        string text = File.ReadAllText(path).ReplaceLineEndings("\n");
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        int to = text.IndexOf(end, StringComparison.Ordinal);
        Assert.True(from >= begin.Length && to >= from, $"docs/coverage.md has no place for the table '{name}'.");
        if (Environment.GetEnvironmentVariable("QUAYAIRGAP_WRITE_TABLE") == "1")
        {
            File.WriteAllText(path, text[..from] + table + text[to..]);
            return;
        }

        Assert.True(table == text[from..to], "docs/coverage.md says something else: run these tests with QUAYAIRGAP_WRITE_TABLE=1 and see what changed.");
    }

    private sealed record Row(string Title, IndexReport Report, ClairRelease Release, CoverageVerdict Base)
    {
        /// <summary>The state is that of the mappings, and every feed is fresh.</summary>
        public bool OfMapping { get; init; }

        /// <summary>Its source has no part that could be left out alone.</summary>
        public bool WithoutParts { get; init; }
    }
}

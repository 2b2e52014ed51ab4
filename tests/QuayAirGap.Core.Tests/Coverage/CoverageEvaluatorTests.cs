using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using Xunit;

namespace QuayAirGap.Core.Tests.Coverage;

public sealed class CoverageEvaluatorTests
{
    [Theory]
    [InlineData("debian-12", CoverageVerdict.Covered, null, "debian bookworm", 5, 5)]
    [InlineData("debian-12.vulnerabilities", CoverageVerdict.Covered, null, "debian bookworm", 5, 5)]
    [InlineData("debian-13", CoverageVerdict.Covered, null, "debian trixie", 2, 2)]
    [InlineData("debian-10", CoverageVerdict.EndOfLife, "END-OF-LIFE", "debian buster", 1, 1)]
    [InlineData("alpine-3.22", CoverageVerdict.Covered, null, "alpine v3.22", 4, 4)]
    [InlineData("alpine-edge", CoverageVerdict.Covered, null, "alpine edge", 1, 1)]
    [InlineData("ubuntu-24.04", CoverageVerdict.Covered, null, "ubuntu noble", 3, 3)]
    [InlineData("amazon-2023", CoverageVerdict.Covered, null, "aws AL2023", 1, 1)]
    [InlineData("oracle-8", CoverageVerdict.Covered, null, "oracle", 1, 1)]
    [InlineData("photon-5", CoverageVerdict.Covered, null, "photon 5.0", 1, 1)]
    [InlineData("sles-15", CoverageVerdict.Covered, null, "suse suse.linux.enterprise.server.15", 1, 1)]
    [InlineData("leap-15.6", CoverageVerdict.EndOfLife, "END-OF-LIFE", "suse opensuse.leap.15.6", 1, 1)]
    [InlineData("ubi-8", CoverageVerdict.Covered, null, "rhel-vex, container-name-repos-map, repository-to-cpe", 6, 6)]
    [InlineData("ubi-9-no-repositories", CoverageVerdict.Incomplete, "RHEL-NO-REPOSITORY", "container-name-repos-map, repository-to-cpe", 3, 0)]
    [InlineData("ubi-9-one-unknown-repository", CoverageVerdict.Incomplete, "RHEL-NO-REPOSITORY", "rhel-vex, container-name-repos-map, repository-to-cpe", 3, 2)]
    [InlineData("go-scratch", CoverageVerdict.Covered, null, "osv go", 3, 3)]
    [InlineData("python-on-alpine", CoverageVerdict.Covered, null, "alpine v3.22, osv pypi", 5, 5)]
    [InlineData("java-on-debian", CoverageVerdict.Unsupported, "UNSUPPORTED", "debian bookworm, osv maven", 3, 2)]
    [InlineData("several-distributions", CoverageVerdict.Covered, null, "debian bookworm, ubuntu jammy", 2, 2)]
    [InlineData("rocky-9", CoverageVerdict.Unsupported, "UNSUPPORTED", "", 3, 0)]
    [InlineData("wolfi", CoverageVerdict.Unsupported, "UNSUPPORTED", "", 2, 0)]
    [InlineData("scratch-empty", CoverageVerdict.Unindexed, "NO-PACKAGES", "", 0, 0)]
    [InlineData("debian-12-no-packages", CoverageVerdict.Unindexed, "NO-DISTRIBUTION-PACKAGES", "debian bookworm, osv go", 1, 1)]
    [InlineData("index-error", CoverageVerdict.Unindexed, "INDEX-UNFINISHED", "", 0, 0)]
    public void With_every_feed_fresh_an_image_is_what_it_is_itself(
        string fixture, CoverageVerdict verdict, string? code, string needs, int packages, int spokenFor)
    {
        using var site = new CoverageSite();

        ImageCoverage image = site.Evaluator().Evaluate(CoverageSite.Fixture(fixture));

        Assert.Equal((verdict, code), (image.Verdict, image.Gaps is [CoverageGap worst, ..] ? worst.Code : null));
        Assert.Equal(needs, string.Join(", ", image.Needs.Where(n => n.Decides).Select(n => n.Part is null ? n.Source : $"{n.Source} {n.Part}")));
        Assert.Equal((packages, spokenFor), (image.PackageCount, image.PackagesSpokenFor));
        Assert.StartsWith(verdict + ": ", image.Summary);
        Assert.All(image.Gaps, g => Assert.True(g.Message.EndsWith('.') && g.Remedy.Length > 0, g.Message));
    }

    [Fact]
    public void A_package_that_cannot_be_judged_is_found_among_others_in_the_same_place()
    {
        using var site = new CoverageSite();
        IReadOnlyList<IndexEnvironment> place = [new IndexEnvironment("python:usr/lib/python3", "", ["1"])];
        string[] versions = ["pep440:0.1", "", "pep440:0.2", "", "pep440:0.3"];
        var report = new IndexReport
        {
            ManifestDigest = CoverageSite.Fixture("debian-12").ManifestDigest,
            Repositories = new Dictionary<string, IndexRepository> { ["1"] = new("pypi", "", "") },
            Packages = versions.Index().ToDictionary(v => $"{v.Index}", v => new IndexPackage("p", "1", v.Item)),
            Environments = versions.Index().ToDictionary(v => $"{v.Index}", _ => place),
        };

        ImageCoverage image = site.Evaluator().Evaluate(report);

        Assert.Equal((CoverageVerdict.Unsupported, 5, 3), (image.Verdict, image.PackageCount, image.PackagesSpokenFor));
    }

    [Fact]
    public void A_mapping_of_the_indexer_is_needed_by_all_and_decides_for_Red_Hat_alone()
    {
        using var site = new CoverageSite(s => s.Name == "repository-to-cpe" ? s with { CapturedAt = CoverageSite.Now.AddDays(-4) } : s);
        CoverageEvaluator evaluator = site.Evaluator();

        ImageCoverage debian = evaluator.Evaluate(CoverageSite.Fixture("debian-12"));
        ImageCoverage ubi = evaluator.Evaluate(CoverageSite.Fixture("ubi-8"));

        Assert.Equal(CoverageVerdict.Covered, debian.Verdict);
        Assert.Equal((false, FeedState.Stale), debian.Needs.Where(n => n.Source == "repository-to-cpe").Select(n => (n.Decides, n.State)).Single());
        Assert.Equal((CoverageVerdict.Incomplete, "MAPPING-STALE"), (ubi.Verdict, ubi.Gaps[0].Code));
    }

    [Fact]
    public void An_image_that_is_newer_than_the_mapping_is_incomplete_where_that_is_known()
    {
        using var site = new CoverageSite();
        CoverageEvaluator evaluator = site.Evaluator();
        IndexReport ubi = CoverageSite.Fixture("ubi-8");

        Assert.Equal(CoverageVerdict.Covered, evaluator.Evaluate(ubi, CoverageSite.Now.AddHours(-2)).Verdict);
        Assert.Equal(
            (CoverageVerdict.Incomplete, "MAPPING-OLDER-THAN-IMAGE"),
            (evaluator.Evaluate(ubi, CoverageSite.Now.AddMinutes(-10)).Verdict, evaluator.Evaluate(ubi, CoverageSite.Now.AddMinutes(-10)).Gaps[0].Code));
        Assert.Equal(CoverageVerdict.Covered, evaluator.Evaluate(CoverageSite.Fixture("debian-12"), CoverageSite.Now).Verdict);
    }

    [Fact]
    public void Without_scores_nothing_is_missed_and_it_is_said()
    {
        using var site = new CoverageSite(s => s.Name == "clair.cvss" ? null : s);

        ImageCoverage image = site.Evaluator().Evaluate(CoverageSite.Fixture("debian-12"));

        Assert.Equal(CoverageVerdict.Covered, image.Verdict);
        Assert.Equal("SCORES-INCOMPLETE", Assert.Single(image.Notes).Code);
        Assert.Equal((false, FeedState.Missing), image.Needs.Where(n => n.Source == "clair.cvss").Select(n => (n.Decides, n.State)).Single());
    }

    [Fact]
    public void Advisories_that_are_held_back_are_named_where_they_concern_the_image()
    {
        HeldBackItem[] heldBack =
        [
            new("osv", "PYSEC-2026-1", "PyPI: its CVSS vector is not valid."), new("osv", "GO-2026-1", "Go: it is not JSON."),
            new("rhel-vex", "2026/cve-2026-1.json", "x."),
        ];
        using var site = new CoverageSite(heldBack: heldBack);
        CoverageEvaluator evaluator = site.Evaluator();

        ImageCoverage python = evaluator.Evaluate(CoverageSite.Fixture("python-on-alpine"));
        CoverageNote note = Assert.Single(python.Notes);

        Assert.Equal((CoverageVerdict.Covered, "FEED-PARTIAL", "pypi"), (python.Verdict, note.Code, note.Part));
        Assert.Contains("PYSEC-2026-1", note.Message);
        Assert.DoesNotContain("GO-2026-1", note.Message);
        Assert.Contains("held back", python.Summary);
        Assert.Empty(evaluator.Evaluate(CoverageSite.Fixture("debian-12")).Notes);
        Assert.Single(evaluator.Evaluate(CoverageSite.Fixture("ubi-8")).Notes);
    }

    [Fact]
    public void Photon_4_and_5_are_unknown_to_Clair_4_9_0_and_known_after_it()
    {
        using var site = new CoverageSite();
        IndexReport photon = CoverageSite.Fixture("photon-5");

        ImageCoverage before = site.Evaluator(ClairRelease.V490).Evaluate(photon);

        Assert.Equal((CoverageVerdict.Unsupported, 0), (before.Verdict, before.PackagesSpokenFor));
        Assert.Contains("4.9.0", before.Gaps[0].Remedy);
        Assert.Equal(CoverageVerdict.Covered, site.Evaluator(ClairRelease.Main).Evaluate(photon).Verdict);
    }

    [Fact]
    public void Oracle_needs_every_year_and_in_January_not_yet_the_new_one()
    {
        static SourceSnapshot Without(SourceSnapshot s, string year, DateTimeOffset captured) => s.Name != "oracle" ? s : s with
        {
            CapturedAt = captured,
            Updaters = [.. s.Updaters.Where(u => u != $"oracle-{year}-updater")],
            Releases = [.. s.Releases.Where(r => r != year)],
        };

        using var gap = new CoverageSite(s => Without(s, "2019", CoverageSite.Now.AddHours(-1)));
        using var november = new CoverageSite(s => Without(s, "2026", CoverageSite.Now.AddHours(-1)));
        using var january = new CoverageSite(s => Without(s, "2026", new DateTimeOffset(2026, 1, 5, 0, 0, 0, TimeSpan.Zero)));
        IndexReport oracle = CoverageSite.Fixture("oracle-8");

        Assert.Equal((CoverageVerdict.Incomplete, "FEED-MISSING", 0), Of(gap));
        Assert.Contains("oracle-2019-updater", gap.Evaluator().Evaluate(oracle).Gaps[0].Message);
        Assert.Equal((CoverageVerdict.Incomplete, "FEED-MISSING", 0), Of(november));
        Assert.Equal((CoverageVerdict.Stale, "FEED-STALE", 1), Of(january));

        (CoverageVerdict, string, int) Of(CoverageSite site)
        {
            ImageCoverage image = site.Evaluator().Evaluate(oracle);
            return (image.Verdict, image.Gaps[0].Code, image.PackagesSpokenFor);
        }
    }

    [Fact]
    public void Alpine_is_missing_where_one_of_its_two_repositories_is()
    {
        using var site = new CoverageSite(s => s.Name != "alpine" ? s : s with { Updaters = [.. s.Updaters.Where(u => u != "alpine-community-v3.22-updater")] });

        ImageCoverage image = site.Evaluator().Evaluate(CoverageSite.Fixture("alpine-3.22"));

        Assert.Equal((CoverageVerdict.Incomplete, "FEED-MISSING"), (image.Verdict, image.Gaps[0].Code));
        Assert.Contains("alpine-community-v3.22-updater", image.Gaps[0].Message);
    }

    [Fact]
    public void An_end_that_lies_ahead_is_none_yet()
    {
        using var site = new CoverageSite();
        IndexReport noble = CoverageSite.Fixture("ubuntu-24.04");
        site.Clock.AdjustTime(new DateTimeOffset(2029, 4, 30, 23, 0, 0, TimeSpan.Zero));
        CoverageEvaluator evaluator = site.Evaluator();

        Assert.DoesNotContain(evaluator.Evaluate(noble).Gaps, g => g.Code == "END-OF-LIFE");
        site.Clock.Advance(TimeSpan.FromHours(1));
        CoverageGap gap = Assert.Single(evaluator.Evaluate(noble).Gaps, g => g.Code == "END-OF-LIFE");
        Assert.Equal(new DateTimeOffset(2029, 5, 1, 0, 0, 0, TimeSpan.Zero), gap.Since);
        Assert.Contains("ESM", gap.Message);
    }

    [Fact]
    public void A_view_that_is_kept_never_calls_fresh_what_has_become_old_meanwhile()
    {
        using var site = new CoverageSite();
        CoverageEvaluator evaluator = site.Evaluator();
        IndexReport debian = CoverageSite.Fixture("debian-12");

        Assert.Equal(CoverageVerdict.Covered, evaluator.Evaluate(debian).Verdict);
        site.Clock.Advance(TimeSpan.FromDays(16));

        ImageCoverage later = evaluator.Evaluate(debian);
        Assert.Equal((CoverageVerdict.Stale, "FEED-STALE"), (later.Verdict, later.Gaps[0].Code));
        Assert.Contains("debian bookworm is 16 days old", later.Summary);
        Assert.Equal(5, later.PackagesSpokenFor);
        Assert.Equal(FreshnessLevel.Expired, later.Needs.Single(n => n.Source == "debian").Level);
    }

    [Fact]
    public void A_site_that_publishes_nothing_speaks_for_nothing()
    {
        using var site = new CoverageSite(publish: false);

        ImageCoverage image = site.Evaluator().Evaluate(CoverageSite.Fixture("debian-12"));

        Assert.Equal((CoverageVerdict.Incomplete, "FEED-MISSING", 0), (image.Verdict, image.Gaps[0].Code, image.PackagesSpokenFor));
        Assert.Contains("Nothing is published", image.Gaps[0].Message);
    }

    [Theory]
    [InlineData("enabled")]
    [InlineData("Enabled")] // as ledgers have it from before
    public void Who_deselected_a_source_here_and_when_is_told(string setting)
    {
        using var site = new CoverageSite();
        site.Settings("  debian:\n    enabled: false\n");
        var entry = new Ledger(site.Site, site.Clock).Append(
            LedgerEvents.SettingsChanged, new System.Text.Json.Nodes.JsonObject { ["source"] = "debian", [setting] = "False" });

        CoverageGap gap = site.Evaluator().Evaluate(CoverageSite.Fixture("debian-12")).Gaps[0];

        Assert.Equal(("FEED-DESELECTED", entry.Time), (gap.Code, gap.Since));
        Assert.Contains(entry.Actor, gap.Message);
        Assert.Contains("2026-11-25T12:00:00Z", gap.Message);
    }

    [Fact]
    public void What_is_served_and_never_came_to_Clair_is_a_gap_where_Clair_was_asked()
    {
        using var site = new CoverageSite();
        IndexReport oracle = CoverageSite.Fixture("oracle-8");
        ImageCoverage Of(params string[] ingested) => new CoverageEvaluator(site.Feeds, ClairRelease.Main) { IngestedUpdaters = ingested.ToHashSet() }.Evaluate(oracle);

        Assert.Equal((CoverageVerdict.Incomplete, "FEED-NOT-INGESTED"), (Of().Verdict, Of().Gaps[0].Code));
        string[] years = [.. Enumerable.Range(2007, 20).Select(y => FormattableString.Invariant($"oracle-{y}-updater"))];
        Assert.Equal(CoverageVerdict.Covered, Of(years).Verdict);
        Assert.Contains("oracle-2026-updater", Of(years[..^1]).Gaps[0].Message);
    }

    [Fact]
    public void An_image_without_a_report_is_unindexed()
    {
        using var site = new CoverageSite();

        ImageCoverage image = site.Evaluator().NotIndexed("sha256:" + new string('a', 64));

        Assert.Equal((CoverageVerdict.Unindexed, "NOT-INDEXED"), (image.Verdict, image.Gaps[0].Code));
    }

    [Fact]
    public void The_stamp_changes_with_the_generation_and_the_settings_and_not_with_the_time()
    {
        using var site = new CoverageSite();
        string stamp = site.Feeds.Stamp;

        site.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(stamp, SiteFeeds.StampOf(site.Site));
        site.Publish();
        string published = SiteFeeds.StampOf(site.Site);
        Assert.NotEqual(stamp, published);
        site.Settings("  debian:\n    enabled: false\n");
        Assert.NotEqual(published, SiteFeeds.StampOf(site.Site));
        Assert.Equal(2, site.Feeds.Generation);
    }
}

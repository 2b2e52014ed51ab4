using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Scanning;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Tests.Pages;
using Xunit;

namespace QuayAirGap.Core.Tests.Coverage;

/// <summary>What is served and what Clair has are two things: a verdict is good only where both are, as far as Clair is asked, and says where it is not.</summary>
public sealed class ClairStateTests : IDisposable
{
    private readonly CoverageSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void Where_no_Clair_is_named_the_verdict_says_that_it_was_not_asked()
    {
        ImageCoverage image = Of("debian-12");

        Assert.Equal((CoverageVerdict.Covered, ClairAsked.NotAsked, "main"), (image.Verdict, image.ClairAsked, image.ClairRelease));
    }

    [Fact]
    public void What_Clair_is_proved_to_have_is_covered()
    {
        _site.Clair();

        ImageCoverage image = Of("debian-12");

        Assert.Equal((CoverageVerdict.Covered, ClairAsked.Answered), (image.Verdict, image.ClairAsked));
        Assert.All(new[] { "alpine-3.22", "ubi-8", "go-scratch", "oracle-8" }, f => Assert.Equal(CoverageVerdict.Covered, Of(f).Verdict));
    }

    [Fact]
    public void What_Clair_has_not_taken_for_longer_than_it_may_is_stale_since_then()
    {
        DateTimeOffset since = CoverageSite.Now.AddHours(-40);
        _site.Clair(Behind("debian", since, CoverageSite.Now.AddDays(-2)));

        ImageCoverage image = Of("debian-12");
        CoverageGap gap = Assert.Single(image.Gaps);

        Assert.Equal((CoverageVerdict.Stale, "CLAIR-BEHIND", since), (image.Verdict, gap.Code, gap.Since));
        Assert.Contains("has not been taken by Clair since 2026-11-23T20:00:00Z", image.Summary);
        Assert.Contains("Clair lacks what is served since 2026-11-23 20:00 UTC", gap.Message);
        Assert.Equal(2, (int)gap.Age!.Value.TotalDays); // of what Clair has, not of what is served
        Assert.Equal(CoverageVerdict.Covered, Of("alpine-3.22").Verdict);
    }

    [Fact]
    public void Clair_may_take_its_time_as_long_as_what_it_has_is_young()
    {
        _site.Clair(Behind("debian", CoverageSite.Now.AddHours(-10), CoverageSite.Now.AddDays(-1)));
        Assert.Equal(CoverageVerdict.Covered, Of("debian-12").Verdict);

        _site.Clair(Behind("debian", CoverageSite.Now.AddHours(-10), CoverageSite.Now.AddDays(-4)));
        Assert.Equal((CoverageVerdict.Stale, "CLAIR-BEHIND"), (Of("debian-12").Verdict, Of("debian-12").Gaps[0].Code));
    }

    [Fact]
    public void What_never_came_to_Clair_speaks_for_nothing()
    {
        _site.Clair((name, proof) => name != "debian" ? proof : new SourceProof
        {
            State = IngestionState.Missing,
            BehindSince = CoverageSite.Now.AddDays(-2),
            Behind = ["debian/updater"],
        });

        ImageCoverage image = Of("debian-12");

        Assert.Equal((CoverageVerdict.Incomplete, "FEED-NOT-INGESTED", 0), (image.Verdict, image.Gaps[0].Code, image.PackagesSpokenFor));
        Assert.Contains("never came to Clair", image.Summary);
    }

    [Fact]
    public void An_image_is_not_blamed_for_an_ecosystem_that_it_does_not_use()
    {
        _site.Clair((name, proof) => name != "osv" ? proof : proof with
        {
            State = IngestionState.Missing,
            Generation = null,
            CapturedAt = null,
            BehindSince = CoverageSite.Now.AddDays(-2),
            Behind = ["osv/maven"],
            Updaters = proof.Updaters.Where(u => u.Key != "osv/maven").ToDictionary(),
        });

        Assert.Equal(CoverageVerdict.Covered, Of("go-scratch").Verdict);
        Assert.Equal(CoverageVerdict.Covered, Of("python-on-alpine").Verdict);
        Assert.Equal("FEED-NOT-INGESTED", _site.Evaluator().Evaluate(Java()).Gaps[0].Code);
    }

    [Fact]
    public void A_Clair_that_does_not_answer_or_was_not_asked_for_a_day_proves_nothing()
    {
        _site.Clair(answeredAt: CoverageSite.Now.AddHours(-25));
        ImageCoverage silent = Of("debian-12");
        Assert.Equal((CoverageVerdict.Stale, "CLAIR-SILENT", ClairAsked.Silent), (silent.Verdict, silent.Gaps[0].Code, silent.ClairAsked));
        Assert.Contains("is not known to be in Clair", silent.Summary);

        File.Delete(Path.Combine(_site.Site.Root, "clair.json"));
        Assert.Contains("never asked", Of("debian-12").Gaps[0].Message);
    }

    /// <summary>A page that stays open must not go on calling good what only Clair's silence hides.</summary>
    [Fact]
    public void A_good_verdict_ends_when_Clair_would_have_to_be_asked_again()
    {
        _site.Clair();
        ScannedImage image = Assert.Single(ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Debian())).Images);
        Assert.Equal(CoverageSite.Now.AddHours(23), image.GoodUntil);

        _site.Clair(Behind("debian", CoverageSite.Now.AddHours(-30), CoverageSite.Now.AddDays(-1)));
        Assert.Equal(CoverageSite.Now.AddHours(6), Assert.Single(ScanKit.Judge(_site, ScanKit.Stored("shop:1", ScanKit.Debian())).Images).GoodUntil);
    }

    [Theory]
    [InlineData("  release: main\n", "main", false)]
    [InlineData("  url: http://clair.example\n  release: MAIN\n", "main", true)]
    [InlineData("  url: http://clair.example\n", "4.9.0", true)]
    public void The_release_whose_rules_count_is_a_setting(string clair, string release, bool isAsked)
    {
        File.WriteAllText(_site.Site.SettingsFile, "version: 1\nsources: {}\nclair:\n" + clair);
        var settings = SiteSettings.Load(_site.Site);
        Assert.Equal((release, isAsked), (settings.ClairRelease.Name, settings.Clair is not null));
        Assert.Equal(release, _site.Feeds.Release.Name);

        new StoredReports(_site.Site).Save(ScanKit.Stored("photon", ScanKit.Report("photon-5")));
        ScanReport report = new PublishedImages(_site.Site, release: null, _site.Clock).All().Report;
        Assert.Equal(release, report.ClairRelease);
        Assert.Equal(release == "main", report.Images[0].Coverage.PackagesSpokenFor > 0); // Clair 4.9.0 does not know Photon 5
    }

    [Theory]
    [InlineData("  release: 4.8.0\n", "'release' is one of 4.9.0 and main")]
    [InlineData("  release: main\n  pskFile: /p\n", "'clair' needs 'url'")]
    public void A_release_that_is_not_known_is_refused(string clair, string said)
    {
        File.WriteAllText(_site.Site.SettingsFile, "version: 1\nsources: {}\nclair:\n" + clair);
        FeedException error = Assert.Throws<FeedException>(() => SiteSettings.Load(_site.Site));
        Assert.Equal(ErrorIds.SettingsInvalid, error.ErrorId);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    private ImageCoverage Of(string fixture) => _site.Evaluator().Evaluate(CoverageSite.Fixture(fixture));

    private static Func<string, SourceProof, SourceProof> Behind(string source, DateTimeOffset since, DateTimeOffset captured) => (name, proof) => name != source ? proof : proof with
    {
        State = IngestionState.Older,
        Generation = 0,
        CapturedAt = captured,
        BehindSince = since,
        Behind = [.. proof.Updaters.Keys],
    };

    private static IndexReport Java() => new()
    {
        ManifestDigest = "sha256:" + new string('a', 64),
        Packages = new Dictionary<string, IndexPackage> { ["1"] = new("group:name", "1.0", "") },
        Repositories = new Dictionary<string, IndexRepository> { ["r"] = new("maven", "", "") },
        Environments = new Dictionary<string, IReadOnlyList<IndexEnvironment>> { ["1"] = [new("maven:app.jar", "", ["r"])] },
    };
}

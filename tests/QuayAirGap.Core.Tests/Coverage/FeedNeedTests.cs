using System.Text;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.Coverage;

public sealed class FeedNeedTests
{
    private static readonly FeedNeedList s_needs = List(("alpine", ["v3.22"]), ("debian", ["bookworm"]), ("osv", ["pypi"]), ("repository-to-cpe", []), ("ubuntu", ["jammy"]));

    [Fact]
    public void A_list_comes_back_as_it_was_written_and_names_no_image_unless_asked()
    {
        using var folder = new TempFolder();
        var counter = new FeedNeedCounter();
        counter.Add("quay.example/apps/shop:1", true, [("debian", "bookworm"), ("rhel-vex", null)]);
        counter.Add("quay.example/apps/shop:2", true, [("debian", "bookworm"), ("debian", "trixie")]);
        counter.Add("quay.example/apps/shop:2", true, [("debian", "trixie")]);
        counter.Add("quay.example/apps/secret:3", false, []);

        FeedNeedList list = counter.List(CoverageSite.Now, "4.9.0", withNames: false);
        list.Save(folder.Of("need.json"));

        Assert.Equivalent(list, FeedNeedList.Load(folder.Of("need.json")), strict: true);
        Assert.Equal((3, 1), (list.Images, list.Unindexed));
        Assert.Equal([("bookworm", 2), ("trixie", 1)], list.Of("debian")!.Parts.Select(p => (p.Name, p.Images)));
        Assert.Equal(2, list.Of("debian")!.Images);
        Assert.DoesNotContain("shop", File.ReadAllText(folder.Of("need.json")));
        counter.List(CoverageSite.Now, "4.9.0", withNames: true).Save(folder.Of("named.json"));
        Assert.Contains("quay.example/apps/shop:2", File.ReadAllText(folder.Of("named.json")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"format\":\"other\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":2,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":-1,\"unindexed\":0,\"sources\":[]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":null}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[null]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[{\"name\":\"a\",\"images\":1,\"parts\":null}]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[{\"name\":\"a\",\"images\":1,\"parts\":[]},{\"name\":\"A\",\"images\":1,\"parts\":[]}]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[{\"name\":\"a\",\"images\":1,\"parts\":[{\"name\":\"*\",\"images\":1}]}]}")]
    [InlineData("{\"format\":\"quayairgap.need\",\"version\":1,\"created\":\"2026-01-01T00:00:00Z\",\"clairRelease\":\"4.9.0\",\"images\":1,\"unindexed\":0,\"sources\":[{\"name\":\"a\",\"images\":1,\"parts\":[{\"name\":\"x\\ny\",\"images\":1}]}]}")]
    public void Anything_else_is_no_list(string text)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.Of("x.json"), text, new UTF8Encoding(false));

        Assert.Equal(ErrorIds.NeedFileInvalid, Assert.Throws<FeedException>(() => FeedNeedList.Load(folder.Of("x.json"))).ErrorId);
        Assert.Equal(ErrorIds.NeedFileInvalid, Assert.Throws<FeedException>(() => FeedNeedList.Load(folder.Of("none.json"))).ErrorId);
    }

    [Fact]
    public void What_is_needed_and_not_selected_is_told()
    {
        Assert.Empty(NeedSelection.LeftOut(s_needs, Settings()));
        IReadOnlyList<UnmetNeed> unmet = NeedSelection.LeftOut(
            s_needs,
            Settings(
                ("debian", s => s with { Enabled = false }), ("alpine", s => s with { Exclude = ["v3.*"] }), ("osv", s => s with { Include = ["go"] }),
                ("ubuntu", s => s with { Include = ["22.04"] }), ("photon", s => s with { Enabled = false })));

        Assert.Equal([("alpine", "v3.22"), ("debian", null), ("osv", "pypi")], unmet.Select(u => (u.Source, u.Part)));
        Assert.Equal("newfeed", Assert.Single(NeedSelection.LeftOut(List(("newfeed", [])), Settings())).Source);
    }

    [Fact]
    public void What_was_selected_and_not_captured_is_told()
    {
        SourceSnapshot[] captured = [.. SourceCatalog.All.Select(CoverageSite.Fresh)];
        SourceSnapshot[] without = [.. captured.Select(s => s.Name == "debian" ? s with { Releases = ["trixie"] } : s)];

        Assert.Empty(NeedSelection.NotCaptured(s_needs, captured));
        Assert.Equal(("debian", "bookworm"), NeedSelection.NotCaptured(s_needs, without).Select(u => (u.Source, u.Part)).Single());
        Assert.Empty(NeedSelection.NotCaptured(s_needs, [.. without.Select(s => s with { State = CaptureState.Failed })]));
    }

    [Fact]
    public void The_change_widens_and_only_narrows_where_asked()
    {
        SiteSettings settings = Settings(
            ("debian", s => s with { Enabled = false }), ("alpine", s => s with { Include = ["v3.2*"], Exclude = ["v3.22", "v3.3"] }), ("osv", s => s with { Include = ["go"] }));
        SourceSettingsChange? Of(string name, bool narrow, params string[] known) =>
            NeedSelection.ChangeFor(settings.Sources.Single(s => s.Name == name), s_needs, narrow, known);

        Assert.True(Of("debian", false)!.Enabled);
        Assert.Equal(["v3.3"], Of("alpine", false)!.Exclude!);
        Assert.Null(Of("alpine", false)!.Include);
        Assert.Equal(["go", "pypi"], Of("osv", false)!.Include!);
        Assert.Null(Of("ubuntu", false));
        Assert.Null(Of("photon", false));
        Assert.Null(Of("clair.cvss", true));
        Assert.Null(Of("container-name-repos-map", true));
        Assert.False(Of("photon", true)!.Enabled);
        Assert.Equal(["pypi"], Of("osv", true)!.Include!);
        Assert.Equal(["jammy"], Of("ubuntu", true)!.Include!);
        Assert.Null(Of("ubuntu", true, "noble")); // a release that its upstream does not have cannot be included, and leaving out all is no answer
    }

    [Fact]
    public void A_needed_source_is_required_whatever_the_settings_say()
    {
        SiteSettings settings = Settings(("debian", s => s with { Enabled = false }));
        Snapshot snapshot = Capture(s => s.Name switch
        {
            "ubuntu" => s with { Releases = ["noble"], Deselected = ["jammy"] },
            "alpine" => s with { Releases = ["edge"] },
            _ => s,
        });

        Dictionary<string, SourceFreshness> without = FreshnessEvaluator.Evaluate(settings, snapshot, null, null, CoverageSite.Now).ToDictionary(s => s.Name);
        Dictionary<string, SourceFreshness> with = FreshnessEvaluator.Evaluate(settings, snapshot, null, CoverageSite.Now, new SiteKnowledge { Needs = s_needs }).ToDictionary(s => s.Name);

        Assert.False(without["debian"].Required);
        Assert.Equal((true, FeedState.Deselected, FreshnessLevel.Critical), (with["debian"].Required, with["debian"].State, with["debian"].Level));
        Assert.Equal((FeedState.Deselected, FreshnessLevel.Critical), (with["ubuntu"].State, with["ubuntu"].Level));
        Assert.Equal((FeedState.Missing, FreshnessLevel.Critical), (with["alpine"].State, with["alpine"].Level));
        Assert.Contains("'v3.22'", with["alpine"].Reason);
        Assert.Equal((FeedState.Fresh, FreshnessLevel.Ok), (with["osv"].State, with["osv"].Level));
        Assert.False(SiteFreshness.IsGood(with.Values));
        Assert.All(with.Values.Where(s => s.Required && s.State != FeedState.Fresh), s => Assert.NotEqual(FreshnessLevel.Ok, s.Level));
    }

    [Fact]
    public void A_release_that_has_ended_and_is_gone_raises_no_alarm_for_ever()
    {
        Snapshot snapshot = Capture(s => s.Name == "debian" ? s with { Releases = ["bookworm", "trixie"] } : s);

        SourceFreshness Debian(string part) => FreshnessEvaluator.Evaluate(
            Settings(), snapshot, null, CoverageSite.Now, new SiteKnowledge { Needs = List(("debian", [part])) }).Single(s => s.Name == "debian");

        Assert.Equal(FreshnessLevel.Ok, Debian("buster").Level);
        Assert.Equal(FreshnessLevel.Critical, Debian("forky").Level);
    }

    private static FeedNeedList List(params (string Source, string[] Parts)[] needs)
    {
        var counter = new FeedNeedCounter();
        counter.Add("x", true, needs.SelectMany(n => n.Parts.Select(p => (n.Source, (string?)p)).DefaultIfEmpty((n.Source, null))));
        return counter.List(CoverageSite.Now, "4.9.0", withNames: false);
    }

    private static SiteSettings Settings(params (string Name, Func<SourceSettings, SourceSettings> Change)[] changes) => new()
    {
        Sources =
        [
            .. SiteSettings.LoadOrDefault(null).Sources.Select(s => Array.Find(changes, c => c.Name == s.Name) is { Change: { } change } ? change(s) : s),
        ],
    };

    private static Snapshot Capture(Func<SourceSnapshot, SourceSnapshot> change) => new()
    {
        Stream = Guid.Empty,
        Sequence = 1,
        Created = CoverageSite.Now.AddMinutes(-50),
        Expires = CoverageSite.Now.AddDays(30),
        Producer = "test",
        Sources = [.. SourceCatalog.All.Select(CoverageSite.Fresh).Select(change)],
    };
}

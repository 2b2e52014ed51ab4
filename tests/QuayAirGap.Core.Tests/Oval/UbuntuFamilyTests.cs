using System.Text.Json;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Oval;

public sealed class UbuntuFamilyTests
{
    private const string Series = "api.launchpad.net/1.0/ubuntu/series";
    private const string Oval = "security-metadata.canonical.com/oval/";

    [Fact]
    public async Task The_active_series_that_have_a_document_are_taken()
    {
        await using FamilyRig rig = await UpstreamAsync();

        CollectedContent content = await rig.CollectContentAsync();

        Assert.Equal(["noble", "jammy"], content.Releases);
        Assert.Equal(["ubuntu/updater/noble", "ubuntu/updater/jammy"], content.Updaters);
        Assert.Equal(2, content.AdvisoryCount);
        Assert.Empty(content.Deselected);
        Assert.Equal(["https://" + Series, "https://" + Packed("noble"), "https://" + Packed("jammy")], content.Files.Select(f => f.Url));
    }

    [Fact]
    public async Task The_mirror_has_a_series_document_for_either_way_of_serving_and_the_packed_bytes_at_both_addresses()
    {
        await using FamilyRig rig = await UpstreamAsync();

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        (string, string, bool)[] all = [("devel", "99.04", true), ("noble", "24.04", true), ("jammy", "22.04", true), ("eoan", "19.10", false)];
        Assert.Equal(all.Select(s => (s.Item1, s.Item2, false)), Entries(rig, generation, "/" + Series));
        Assert.Equal(all, Entries(rig, generation, "/as-upstream/" + Series));
        foreach (string name in new[] { "noble", "jammy" })
        {
            GenerationEntry packed = generation.Entries.Single(e => e.Path == "/" + Packed(name));
            GenerationEntry plain = generation.Entries.Single(e => e.Path == "/" + Packed(name)[..^4]);
            Assert.Null(packed.Derivation);
            Assert.Equal("application/x-bzip2", packed.ContentType);
            Assert.Equal(packed with { Path = plain.Path, Derivation = plain.Derivation }, plain);
        }

        Assert.Equal(6, generation.Entries.Count);
        Assert.Equal("devel", Assert.Single(generation.HeldBack).Item);
        rig.AssertFaithful(generation);
    }

    [Theory]
    [InlineData("jammy", "")]
    [InlineData("22.04", "")]
    [InlineData("22.*", "")]
    [InlineData("", "noble")]
    [InlineData("", "24.04")]
    [InlineData("jammy,noble", "24.*")]
    public async Task Releases_are_chosen_by_codename_or_version_and_what_is_left_out_is_said(string include, string exclude)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Settings = rig.Settings with { Include = Split(include), Exclude = Split(exclude) };

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(["ubuntu/updater/jammy"], source.Updaters);
        Assert.Equal(["noble"], source.Deselected);
        Assert.Contains(generation.Entries, e => e.Path == "/" + Packed("jammy"));
        Assert.DoesNotContain(generation.Entries, e => e.Path.Contains("noble", StringComparison.Ordinal));
        Assert.DoesNotContain(generation.HeldBack, h => h.Item == "noble");
        Assert.Contains("noble", Entries(rig, generation, "/" + Series).Select(s => s.Name));

        static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task A_selection_that_leaves_nothing_is_an_error_that_names_the_choices()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Settings = rig.Settings with { Include = ["warty"] };

        FeedException e = await rig.FailsAsync(ErrorIds.SettingsInvalid, "leaves no release");

        Assert.Contains("noble (24.04)", e.Remedy);
    }

    [Fact]
    public async Task A_release_whose_support_ended_is_carried_on_as_long_as_it_is_there()
    {
        await using FamilyRig rig = await UpstreamAsync();
        await rig.CollectAsync();
        rig.Put(Series, Document(("noble", "24.04", true), ("jammy", "22.04", false), ("eoan", "19.10", false)));

        CollectedContent kept = await rig.CollectContentAsync();
        rig.Upstream.Remove(Packed("jammy"));
        rig.Upstream.Remove(Packed("jammy")[..^4]);
        CollectedContent gone = await rig.CollectContentAsync();

        Assert.Equal(["noble", "jammy"], kept.Releases);
        Assert.Equal(["noble"], gone.Releases);
    }

    [Fact]
    public async Task A_document_of_which_only_the_plain_form_is_there_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.Remove(Packed("jammy"));

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "jammy");
    }

    [Fact]
    public async Task No_document_of_any_active_series_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.RemoveFolder("security-metadata.canonical.com");

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "noble");
    }

    [Fact]
    public async Task Later_pages_of_the_series_are_read_and_travel_along()
    {
        await using FamilyRig rig = await UpstreamAsync();
        string next = $"https://{Series}?ws.size=75&memo=75&ws.start=75";
        rig.Put(Series, Document(("noble", "24.04", true)).Replace("\"start\"", $"\"next_collection_link\":\"{next}\",\"start\"", StringComparison.Ordinal));
        rig.Upstream.ReplaceAfter(Series, 1, OvalText.Bytes(Document(("jammy", "22.04", true), ("noble", "24.04", true))));

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(2, source.Updaters.Count);
        Assert.Contains(rig.Upstream.Requests, r => r.Target.EndsWith("?ws.size=75&memo=75&ws.start=75", StringComparison.Ordinal));
        Assert.Equal(["noble", "jammy"], Entries(rig, generation, "/" + Series).Select(s => s.Name));
    }

    [Theory]
    [InlineData("https://elsewhere.example/1.0/ubuntu/series?start=75")]
    [InlineData("not an address")]
    public async Task Pages_that_lead_elsewhere_are_not_followed(string next)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Series, Document(("noble", "24.04", true)).Replace("\"start\"", $"\"next_collection_link\":\"{next}\",\"start\"", StringComparison.Ordinal));
        rig.Upstream.ReplaceAfter(Series, 1, OvalText.Bytes(Document(("jammy", "22.04", true))));

        if (next.Contains("/1.0/ubuntu/series", StringComparison.Ordinal))
        {
            // The path is right: the host is Launchpad's all the same.
            await rig.CollectContentAsync();
            Assert.All(rig.Upstream.Requests, r => Assert.NotEqual("elsewhere.example", r.Host));
        }
        else
        {
            await rig.FailsAsync(ErrorIds.UpstreamContent, next);
        }
    }

    [Fact]
    public async Task Pages_without_an_end_fail_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Series, Document(("noble", "24.04", true)).Replace("\"start\"", $"\"next_collection_link\":\"https://{Series}?start=1\",\"start\"", StringComparison.Ordinal));

        await rig.FailsAsync(ErrorIds.UpstreamContent, "pages");
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>Sign in</html>")]
    [InlineData("[]")]
    [InlineData("{\"entries\":{}}")]
    [InlineData("{\"entries\":[]}")]
    [InlineData("{\"entries\":[{\"name\":\"noble\",\"version\":\"24.04\"}]}")]
    [InlineData("{\"entries\":[{\"name\":\"noble\",\"version\":24.04,\"active\":true}]}")]
    [InlineData("{\"entries\":[{\"name\":\"../x\",\"version\":\"24.04\",\"active\":true}]}")]
    [InlineData("{\"entries\":[{\"name\":\"noble\",\"version\":\"24.04\",\"active\":false}]}")]
    [InlineData("{\"entries\":[{\"name\":\"noble\",\"version\":\"24.04\",\"active\":true}")]
    public async Task What_is_not_Launchpads_document_fails_the_source(string content)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Series, content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Series);
    }

    public static TheoryData<byte[]> Broken =>
    [
        "<html>Sign in</html>"u8.ToArray(), OvalText.Bz2(OvalText.With("1"))[..^5], OvalText.Bz2(OvalText.Empty), OvalText.Bz2("<html/>"),
        OvalText.Bz2("<oval_definitions><definitions><definition class=\"inventory\" id=\"a\"/></definitions></oval_definitions>"),
    ];

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task One_broken_document_fails_the_source_by_name(byte[] content)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.Replace(Packed("noble"), content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Packed("noble"));
    }

    [Theory]
    [InlineData(Series)]
    [InlineData("api.launchpad.net/1.0/ubuntu/other")]
    public async Task A_capture_that_does_not_fit_itself_is_not_published(string url)
    {
        await using FamilyRig rig = await UpstreamAsync();
        SourceSnapshot source = await rig.CollectAsync();
        SnapshotFile series = source.Files.Single(f => f.Url == "https://" + Series);
        List<SnapshotFile> files = [.. source.Files.Where(f => url != Series || f != series)];
        if (url != Series)
        {
            files.Add(series with { Url = "https://" + url });
        }

        Generation generation = await rig.PublishAsync(source with { Files = [.. files.OrderBy(f => f.Url, StringComparer.Ordinal)] });

        Assert.Equal(CaptureState.Failed, Assert.Single(generation.Sources).State);
        Assert.Empty(generation.Entries);
    }

    /// <summary>Both releases of Clair, by path, against what is published: the release that was left out is the only thing that it lacks.</summary>
    [Theory]
    [InlineData(ClairRelease.V490)]
    [InlineData(ClairRelease.Main)]
    public async Task Clair_takes_what_was_chosen_and_a_second_poll_transfers_nothing(ClairRelease release)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("ubuntu", SampleUpstream.Folder(1));
        rig.Settings = rig.Settings with { Exclude = ["noble"] };
        Generation generation = await rig.PublishAsync(await rig.CollectAsync());
        await using UpstreamServer mirror = await UpstreamServer.StartAsync(Array.Empty<UpstreamLayer>());
        foreach (GenerationEntry entry in generation.Entries)
        {
            mirror.Replace(entry.Path[1..], File.ReadAllBytes(rig.Site.Store.PathOf(entry.Sha256)), entry.LastModified);
        }

        using var clair = new ClairMatcher(ClairConfig.ByPath(mirror.Root) with { Release = release, UbuntuForce = [("jammy", "22.04")] }, rig.Clock);
        using var reference = new ClairMatcher(ClairConfig.AsUpstream(rig.Upstream.Root) with { Release = release }, rig.Clock);
        ClairOutcome first = (await clair.Ubuntu.PollAsync()).Outcome;
        ClairOutcome second = (await clair.Ubuntu.PollAsync()).Outcome;
        await reference.Ubuntu.PollAsync();

        Assert.Equal((ClairOutcome.Updated, ClairOutcome.Unchanged), (first, second));
        Assert.Equal(304, mirror.Requests[^1].Status);
        Assert.Equal(["ubuntu/updater/jammy"], clair.Ubuntu.Held.Keys);
        Assert.NotEmpty(clair.Ubuntu.Held["ubuntu/updater/jammy"]);
        Assert.Equal(reference.Ubuntu.Held["ubuntu/updater/jammy"], clair.Ubuntu.Held["ubuntu/updater/jammy"]);
    }

    private static string Packed(string name) => $"{Oval}com.ubuntu.{name}.cve.oval.xml.bz2";

    private static string Document(params (string Name, string Version, bool Active)[] series) => JsonSerializer.Serialize(new
    {
        total_size = series.Length,
        start = 0,
        entries = series.Select(s => new { self_link = "https://api.launchpad.net/1.0/ubuntu/" + s.Name, name = s.Name, version = s.Version, active = s.Active }),
    });

    private static List<(string Name, string Version, bool Active)> Entries(FamilyRig rig, Generation generation, string path)
    {
        using JsonDocument document = JsonDocument.Parse(rig.ContentOf(generation.Entries.Single(e => e.Path == path)));
        return
        [
            .. document.RootElement.GetProperty("entries").EnumerateArray().Select(e =>
                (e.GetProperty("name").GetString()!, e.GetProperty("version").GetString()!, e.GetProperty("active").GetBoolean())),
        ];
    }

    private static async Task<FamilyRig> UpstreamAsync()
    {
        FamilyRig rig = await FamilyRig.StartAsync("ubuntu");
        rig.Put(Series, Document(("devel", "99.04", true), ("noble", "24.04", true), ("jammy", "22.04", true), ("eoan", "19.10", false)));
        foreach (string name in new[] { "noble", "jammy", "eoan" })
        {
            rig.Put(Packed(name)[..^4], OvalText.With(name));
            rig.Upstream.Replace(Packed(name), OvalText.Bz2(OvalText.With(name)));
        }

        return rig;
    }
}

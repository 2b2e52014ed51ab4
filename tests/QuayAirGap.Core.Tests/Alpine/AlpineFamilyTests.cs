using System.Net;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Alpine;

public sealed class AlpineFamilyTests
{
    private const string Host = "secdb.alpinelinux.org/";

    [Fact]
    public async Task Every_release_is_found_as_Clair_finds_it_and_named_as_Clair_names_it()
    {
        await using FamilyRig rig = await UpstreamAsync();

        SourceSnapshot source = await rig.CollectAsync();

        Assert.Equal(
            ["alpine-community-v3.4-updater", "alpine-main-edge-updater", "alpine-main-v3.3-updater", "alpine-main-v3.4-updater", "alpine-main-v4.0-updater"],
            source.Updaters.Order(StringComparer.Ordinal));
        Assert.Equal(["v3.3/", "v3.4/", "v3.5/", "v4.0/"], source.Directories.Select(d => d["https://secdb.alpinelinux.org/".Length..]));
        Assert.Equal(6, source.Files.Count);
        Assert.Equal(5, source.AdvisoryCount);
        Assert.Equal(new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero), source.UpstreamModified);
    }

    [Fact]
    public async Task The_mirror_answers_release_directories_without_a_gap_and_every_document_verbatim()
    {
        await using FamilyRig rig = await UpstreamAsync();

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.Equal(CaptureState.Captured, Assert.Single(generation.Sources).State);
        Assert.Equal(
            [
                "/secdb.alpinelinux.org/edge/main.json", "/secdb.alpinelinux.org/last-update", "/secdb.alpinelinux.org/v3.3/",
                "/secdb.alpinelinux.org/v3.3/main.json", "/secdb.alpinelinux.org/v3.4/", "/secdb.alpinelinux.org/v3.4/community.json",
                "/secdb.alpinelinux.org/v3.4/main.json", "/secdb.alpinelinux.org/v3.5/", "/secdb.alpinelinux.org/v4.0/",
                "/secdb.alpinelinux.org/v4.0/main.json",
            ],
            generation.Entries.Select(e => e.Path));
        Assert.All(generation.Entries, e => Assert.Equal(e.Path.EndsWith('/'), e.Derivation is not null));
        Assert.All(generation.Entries, e => Assert.True(e.Validators));
        GenerationEntry listing = generation.Entries.Single(e => e.Path.EndsWith("/v3.4/", StringComparison.Ordinal));
        Assert.Contains("<a href=\"community.json\">", rig.ContentOf(listing));
        rig.AssertFaithful(generation);
    }

    [Fact]
    public async Task Without_the_first_release_there_is_no_Alpine_in_Clair_so_the_source_fails()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.RemoveFolder(Host + "v3.3");

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "v3.3/");
    }

    [Fact]
    public async Task A_gap_behind_which_Clair_would_lose_every_later_release_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.RemoveFolder(Host + "v3.4");

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "v3.4/");
    }

    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    public async Task A_directory_that_answers_neither_200_nor_404_fails_the_source(int status)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.AddFault(Host + "v3.5/", UpstreamFault.Status(status));

        await rig.FailsAsync(ErrorIds.UpstreamStatus, "v3.5/");
    }

    [Fact]
    public async Task A_server_that_answers_200_to_everything_ends_the_discovery_instead_of_never()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.AddFault(Host + "v*/", UpstreamFault.Status((int)HttpStatusCode.OK), method: "HEAD");

        await rig.FailsAsync(ErrorIds.UpstreamContent, "any directory");
    }

    [Fact]
    public async Task A_document_that_Clair_passes_over_silently_fails_the_source_when_it_was_there_before()
    {
        await using FamilyRig rig = await UpstreamAsync();
        SourceSnapshot good = await rig.CollectAsync();
        rig.Upstream.Remove(Host + "v3.4/community.json");

        SourceSnapshot failed = await rig.TakeAsync();
        SourceSnapshot accepted = await rig.TakeAsync(acceptRegression: true);

        Assert.Equal((CaptureState.Failed, ErrorIds.UpstreamRegressed), (failed.State, failed.ErrorId));
        Assert.Contains("the updater alpine-community-v3.4-updater is gone", failed.Error);
        Assert.Contains("4 advisories instead of 5", failed.Error);
        Assert.Equal(good.Files, failed.Files);
        Assert.Equal(CaptureState.Captured, accepted.State);
        Assert.Contains("alpine-community-v3.4-updater", accepted.AcceptedRegression);
        Assert.DoesNotContain("alpine-community-v3.4-updater", accepted.Updaters);
    }

    [Fact]
    public async Task Releases_that_nobody_wants_are_left_out_without_a_gap_in_Clairs_discovery()
    {
        await using FamilyRig rig = await UpstreamAsync();
        SourceSnapshot all = await rig.CollectAsync();
        rig.Settings = rig.Settings with { Include = ["v4.*"], Exclude = ["edge"] };

        SourceSnapshot source = await rig.TakeAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal((CaptureState.Captured, null), (source.State, source.Error));
        Assert.Equal(["v4.0"], source.Releases);
        Assert.Equal(["edge", "v3.3", "v3.4", "v3.5"], source.Deselected);
        Assert.Equal(["alpine-main-v4.0-updater"], source.Updaters);
        Assert.Equal(all.Directories, source.Directories);
        Assert.Equal(
            [
                "/secdb.alpinelinux.org/last-update", "/secdb.alpinelinux.org/v3.3/", "/secdb.alpinelinux.org/v3.4/", "/secdb.alpinelinux.org/v3.5/",
                "/secdb.alpinelinux.org/v4.0/", "/secdb.alpinelinux.org/v4.0/main.json",
            ],
            generation.Entries.Select(e => e.Path));
    }

    [Fact]
    public async Task A_selection_that_leaves_nothing_is_said_to_be_one()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Settings = rig.Settings with { Include = ["v9.9"] };

        await rig.FailsAsync(ErrorIds.SelectionEmpty, "v4.0");
    }

    [Fact]
    public async Task A_database_that_changes_once_underneath_is_taken_again_as_a_whole()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.ReplaceAfter(Host + "v3.4/main.json", 1, Document("3.4-new"u8), new DateTimeOffset(2026, 2, 3, 0, 0, 0, TimeSpan.Zero));
        rig.Upstream.ReplaceAfter(Host + "last-update", 1, "1770000001"u8.ToArray());

        SourceSnapshot source = await rig.CollectAsync();

        SnapshotFile taken = source.Files.Single(f => f.Url.EndsWith("v3.4/main.json", StringComparison.Ordinal));
        Assert.Equal(rig.Upstream.Content(Host + "v3.4/main.json"), File.ReadAllBytes(rig.Site.Store.PathOf(taken.Sha256)));
        SnapshotFile stamp = source.Files.Single(f => f.Url.EndsWith("last-update", StringComparison.Ordinal));
        Assert.Equal("1770000001"u8.ToArray(), File.ReadAllBytes(rig.Site.Store.PathOf(stamp.Sha256)));
        Assert.Equal(source.Files.Count, source.Files.Select(f => f.Url).Distinct().Count());
    }

    [Fact]
    public async Task A_database_that_never_settles_fails_after_three_times()
    {
        await using FamilyRig rig = await UpstreamAsync();
        int changes = 0;
        rig.WhileCollecting = progress =>
        {
            if (progress.Item?.EndsWith("last-update", StringComparison.Ordinal) == true)
            {
                rig.Put(Host + "last-update", $"177000{++changes:0000}");
            }
        };

        SourceSnapshot source = await rig.TakeAsync();

        Assert.Equal((CaptureState.Failed, ErrorIds.UpstreamChanged), (source.State, source.ErrorId));
        Assert.Contains("each of the 3 times", source.Error);
        Assert.Equal(6, rig.Upstream.RequestsFor(Host + "last-update").Count);
    }

    public static TheoryData<string> Broken =>
    [
        "", "{", "null", "[]", "<html>", "{\"packages\":[]} x", "{\"packages\":{}}", "{\"error\":\"gone\"}", "\uFEFF{\"packages\":[]}",
        "{\"packages\":[{\"pkg\":{\"name\":1}}]}", "{\"packages\":[null]}", "{\"packages\":[{\"pkg\":{\"secfixes\":[]}}]}",
        "{\"packages\":[{\"pkg\":{\"secfixes\":{\"1-r0\":\"CVE-2026-1\"}}}]}", "{\"packages\":[{\"pkg\":{\"secfixes\":{\"1-r0\":[1]}}}]}",
    ];

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task A_document_that_Clair_could_not_decode_fails_the_source_and_is_named(string content)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Host + "v3.4/main.json", content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://secdb.alpinelinux.org/v3.4/main.json");
    }

    [Fact]
    public async Task A_document_cut_at_any_byte_is_never_taken_for_a_whole_one()
    {
        byte[] whole = Document("3.4"u8);
        for (int length = 0; length < whole.Length; length += 7)
        {
            using var cut = new MemoryStream(whole, 0, length);
            FeedException e = await Assert.ThrowsAsync<FeedException>(() => Core.Sources.Json.JsonShapeReader.ReadAsync(
                cut, Core.Sources.Json.JsonShape.Record("packages"), "https://x.example/", CancellationToken.None));
            Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
        }
    }

    [Fact]
    public async Task Documents_without_one_fixed_package_anywhere_are_no_database()
    {
        await using FamilyRig rig = await UpstreamAsync();
        foreach (string document in new[] { "v3.3/main", "v3.4/main", "v3.4/community", "v4.0/main", "edge/main" })
        {
            rig.Put($"{Host}{document}.json", "{\"packages\":[]}");
        }

        await rig.FailsAsync(ErrorIds.UpstreamContent, "not one fixed package");
    }

    [Fact]
    public async Task A_capture_with_a_gap_is_not_published_and_what_is_served_stays()
    {
        await using FamilyRig rig = await UpstreamAsync();
        SourceSnapshot good = await rig.CollectAsync();
        Generation first = await rig.PublishAsync(good);

        Generation second = await rig.PublishAsync(good with { Directories = [good.Directories[0], good.Directories[2]] });

        Assert.Equal(CaptureState.Failed, Assert.Single(second.Sources).State);
        Assert.Equal(first.Entries.Select(e => (e.Path, e.Sha256)), second.Entries.Select(e => (e.Path, e.Sha256)));
    }

    [Theory]
    [InlineData("small")]
    [InlineData("day0")]
    [InlineData("day1")]
    public async Task The_real_database_is_collected_and_published_byte_for_byte(string layer)
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("alpine", FamilyRig.RealFeeds(layer));

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        SourceSnapshot source = Assert.Single(generation.Sources);
        Assert.Equal(CaptureState.Captured, source.State);
        Assert.True(source.AdvisoryCount > 20, $"{source.AdvisoryCount} packages");
        Assert.Contains("alpine-main-edge-updater", source.Updaters);
        rig.AssertFaithful(generation);
    }

    private static byte[] Document(ReadOnlySpan<byte> name) =>
        [.. "{\"distroversion\":\"v3.4\",\"packages\":[{\"pkg\":{\"name\":\""u8, .. name,
            .. "\",\"secfixes\":{\"1.0-r0\":[\"CVE-2026-0001\"],\"1.1-r0\":null}}},{\"pkg\":{\"name\":\"b\",\"secfixes\":{}}}]}"u8];

    private static async Task<FamilyRig> UpstreamAsync()
    {
        FamilyRig rig = await FamilyRig.StartAsync("alpine");
        rig.Upstream.Replace(Host + "last-update", "1770000000"u8.ToArray(), new DateTimeOffset(2026, 2, 2, 0, 0, 0, TimeSpan.Zero));
        foreach (string document in new[] { "v3.3/main", "v3.4/main", "v3.4/community", "v4.0/main", "edge/main" })
        {
            rig.Upstream.Replace($"{Host}{document}.json", Document("a"u8), new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        }

        rig.Upstream.AddFolder(Host + "v3.5");
        return rig;
    }
}

using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Debian;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Debian;

public sealed partial class DebianFamilyTests
{
    private const string Json = "security-tracker.debian.org/tracker/data/json";
    private const string Dists = "ftp.debian.org/debian/dists/";
    private static readonly DateTimeOffset s_modified = new(2026, 2, 1, 3, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(ListingStyle.Apache)]
    [InlineData(ListingStyle.Nginx)]
    [InlineData(ListingStyle.Iis)]
    [InlineData(ListingStyle.Lighttpd)]
    public async Task Whatever_server_lists_the_releases_Clair_finds_the_same_ones_in_ours(ListingStyle style)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.SetHost("ftp.debian.org", new UpstreamHost(Listing: style));

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(CaptureState.Captured, Assert.Single(generation.Sources).State);
        Assert.Equal(["bookworm", "trixie"], ReleasesInClair(rig, generation));
        Assert.Equal(3, source.AdvisoryCount);
        Assert.Equal(["debian/updater"], source.Updaters);
        Assert.Equal(s_modified, source.UpstreamModified);
        Assert.Empty(generation.HeldBack);
        rig.AssertFaithful(generation);
    }

    [Fact]
    public async Task Releases_that_Clair_passes_over_are_not_asked_for()
    {
        await using FamilyRig rig = await UpstreamAsync();

        await rig.CollectAsync();

        Assert.Equal(
            ["bookworm", "forky", "trixie", "woody"],
            rig.Upstream.RequestsFor(Dists + "*/Release").Select(r => r.Path.Split('/')[^2]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_release_that_the_tracker_knows_and_the_listing_forgot_is_asked_for_and_listed()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Dists + "index.html", "<html><a href=\"trixie/\">trixie/</a></html>");

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.Equal(["bookworm", "trixie"], ReleasesInClair(rig, generation));
    }

    [Fact]
    public async Task A_release_whose_advisories_Clair_would_drop_is_said_to_be_held_back()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Json, Tracker("bookworm", "trixie", "forky", "sid", "woody"));

        SourceSnapshot captured = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(captured);

        Assert.Equal("woody", Assert.Single(generation.HeldBack).Item);

        // A collector that says nothing of it, or goes by other rules: the site reads the tracker itself.
        Assert.NotNull(captured.Findings);
        Assert.Equal(generation.HeldBack, (await rig.PublishAsync(captured with { Findings = null })).HeldBack);
        Assert.Equal(generation.HeldBack, (await rig.PublishAsync(captured with { Findings = [captured.Findings[0] with { Rules = "other/1", HeldBack = [] }] })).HeldBack);
    }

    [Fact]
    public async Task A_release_lost_by_the_mirror_while_the_tracker_still_has_it_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        SourceSnapshot good = await rig.CollectAsync();
        rig.Upstream.RemoveFolder(Dists + "bookworm");

        SourceSnapshot failed = await rig.TakeAsync();

        Assert.Equal((CaptureState.Failed, ErrorIds.UpstreamRegressed), (failed.State, failed.ErrorId));
        Assert.Contains("the release bookworm is gone", failed.Error);
        Assert.Equal(good.Files, failed.Files);

        rig.Put(Json, Tracker("trixie"));
        Assert.DoesNotContain((await rig.CollectAsync()).Files, f => f.Url.Contains("bookworm", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listing_without_a_versioned_release_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Dists + "bookworm/Release", "Origin: Debian\nCodename: bookworm\n");
        rig.Put(Dists + "trixie/Release", "Origin: Debian\nVersion: 13\n");

        await rig.FailsAsync(ErrorIds.UpstreamContent, "no release with a version");
    }

    [Fact]
    public async Task Releases_and_tracker_that_have_nothing_in_common_fail_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Json, Tracker("sid"));

        await rig.FailsAsync(ErrorIds.UpstreamContent, "bookworm");
    }

    [Theory]
    [InlineData("<html><p>Sign in</p></html>")]
    [InlineData("<html><a href='/login'>Sign in</a><a href=\"mailto:x\">x</a><a href=\"../\">up</a></html>")]
    public async Task A_page_that_is_no_listing_fails_the_source(string page)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Dists + "index.html", page);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Dists);
    }

    [Fact]
    public async Task A_release_that_answers_neither_200_nor_404_fails_the_source()
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Upstream.AddFault(Dists + "trixie/Release", UpstreamFault.Status(403));

        await rig.FailsAsync(ErrorIds.UpstreamStatus, "trixie/Release");
    }

    public static TheoryData<string> Broken =>
    [
        "", "{", "[]", "null", "{}", "{\"a\":{}}", "{\"a\":{\"CVE-1\":null}}", "{\"a\":{\"CVE-1\":{\"releases\":[]}}}",
        "{\"a\":{\"CVE-1\":{\"releases\":{\"bookworm\":null}}}}", "{\"a\":{\"CVE-1\":{\"description\":1}}}",
        "{\"a\":{\"CVE-1\":{\"releases\":{\"bookworm\":{\"urgency\":[]}}}}}", "{\"a\":{\"CVE-1\":{}}}}", "<html>",
    ];

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task A_tracker_document_that_Clair_could_not_decode_fails_the_source(string content)
    {
        await using FamilyRig rig = await UpstreamAsync();
        rig.Put(Json, content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "https://" + Json);
    }

    [Theory]
    [InlineData("Origin: Debian\nVersion: 12.9\nCodename: bookworm\n", 12)]
    [InlineData("Origin: Debian\r\nversion:12.9\r\n\r\nrest", 12)]
    [InlineData("Origin: Debian\nVersion: 7\n", null)]
    [InlineData("Origin: Debian\nSuite: testing\nMD5Sum:\n abc 1 x\n", null)]
    [InlineData("Origin: Debian\n\nVersion: 12.9\n", null)]
    [InlineData("Version: x.9\n", null)]
    public async Task A_Release_file_is_read_as_Clair_reads_it(string content, int? major)
    {
        Assert.Equal(major, await ReadReleaseAsync(content));
    }

    [Fact]
    public async Task A_version_beyond_the_bytes_that_Clair_asks_for_does_not_count()
    {
        string padding = string.Concat(Enumerable.Repeat("Description: 1234567890\n", 25));

        Assert.Null(await ReadReleaseAsync(padding + "Version: 12.9\n"));
        Assert.Equal(12, await ReadReleaseAsync("Version: 12.9\nMD5Sum:\n" + string.Concat(Enumerable.Repeat(" 0123456789 1 main\n", 50))));
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData(" Origin: Debian\n")]
    [InlineData("Version: 12.9\nno field here\nX: y\n")]
    public async Task A_Release_file_that_Clair_could_not_read_is_refused(string content)
    {
        FeedException e = await Assert.ThrowsAsync<FeedException>(() => ReadReleaseAsync(content));

        Assert.Equal(ErrorIds.UpstreamContent, e.ErrorId);
    }

    /// <summary>Clair compares the stamp that it stored, at whatever generation, with the one it is answered: equal means unchanged.</summary>
    [Fact]
    public async Task One_stamp_never_stands_for_two_contents_across_changes_reverts_and_missed_generations()
    {
        await using FamilyRig rig = await UpstreamAsync();
        var random = new Random(20260301);
        Dictionary<DateTimeOffset, string> seen = [];
        List<SourceSnapshot> captures = [];
        for (int generation = 0; generation < 40; generation++)
        {
            if (captures.Count > 2 && random.Next(4) == 0)
            {
                captures.Add(captures[random.Next(captures.Count)]); // somebody goes back
            }
            else
            {
                // Few stamps and few contents: upstream stamps that stand still, go back, or return with other content.
                rig.Put(Json, Tracker("bookworm", "trixie", "x" + random.Next(6)), s_modified.AddHours(random.Next(3)));
                captures.Add(await rig.CollectAsync());
            }

            SourceSnapshot source = captures[^1];
            if (random.Next(6) == 0)
            {
                source = source with { Files = [.. source.Files.Select(f => f with { LastModified = null })] };
            }

            rig.Clock.Advance(TimeSpan.FromSeconds(random.Next(2)));
            Generation published = await rig.PublishAsync(source);
            GenerationEntry entry = published.Entries.Single(e => e.Path == "/" + Json);

            Assert.NotNull(entry.LastModified);
            Assert.Equal(source.Files.Single(f => f.Url == "https://" + Json).Sha256, entry.Sha256);
            Assert.Equal(entry.Sha256, seen.GetValueOrDefault(entry.LastModified.Value, entry.Sha256));
            seen[entry.LastModified.Value] = entry.Sha256;
        }

        Assert.True(seen.Count >= 6, $"only {seen.Count} stamps");
    }

    [Fact]
    public async Task An_upstream_stamp_that_tells_contents_apart_is_served_as_it_is_and_unchanged_content_keeps_its_stamp()
    {
        await using FamilyRig rig = await UpstreamAsync();

        GenerationEntry first = Entry(await rig.PublishAsync(await rig.CollectAsync()));
        rig.Clock.Advance(TimeSpan.FromDays(1));
        GenerationEntry second = Entry(await rig.PublishAsync(await rig.CollectAsync()));
        SourceSnapshot unstamped = rig.Previous! with { Files = [.. rig.Previous!.Files.Select(f => f with { LastModified = null })] };
        GenerationEntry third = Entry(await rig.PublishAsync(unstamped));

        Assert.Equal(s_modified, first.LastModified);
        Assert.Null(first.Derivation);
        Assert.Equal(first, second);
        Assert.Equal(s_modified, third.LastModified);
        Assert.NotNull(third.Derivation);

        static GenerationEntry Entry(Generation generation) => generation.Entries.Single(e => e.Path == "/" + Json);
    }

    [Fact]
    public async Task The_real_tracker_and_releases_are_collected_and_published_byte_for_byte()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("debian", FamilyRig.RealFeeds("small"), FamilyRig.RealFeeds("synthetic"));

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(173, source.AdvisoryCount);
        Assert.Equal(["bookworm", "bullseye", "buster", "jessie", "stretch"], ReleasesInClair(rig, generation));
        Assert.Empty(generation.HeldBack);
        rig.AssertFaithful(generation);
    }

    /// <summary>What claircore's debian factory would find: its own expression, its own skip list, its own window.</summary>
    private static List<string> ReleasesInClair(FamilyRig rig, Generation generation)
    {
        string[] skipped = ["-", "Debian", "sid", "stable", "testing", "experimental", "README", "updates", "backports"];
        string listing = rig.ContentOf(generation.Entries.Single(e => e.Path == "/" + Dists));
        List<string> found = [];
        foreach (string name in Anchor().Matches(listing).Select(m => m.Groups[1].Value))
        {
            if (name[0] is '/' or '?' || skipped.Any(s => name.Contains(s, StringComparison.Ordinal)))
            {
                continue;
            }

            GenerationEntry? release = generation.Entries.SingleOrDefault(e => e.Path == $"/{Dists}{name.Trim('/')}/Release");
            if (release is not null && Regex.IsMatch(rig.ContentOf(release)[..Math.Min(513, (int)release.Size)], @"^Version: \d+\.\d", RegexOptions.Multiline))
            {
                found.Add(name.Trim('/'));
            }
        }

        return found;
    }

    private static async Task<int?> ReadReleaseAsync(string content)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        return await DebianRelease.ReadMajorAsync(stream, "https://x.example/Release", CancellationToken.None);
    }

    private static string Tracker(params string[] codenames)
    {
        string releases = string.Join(",", codenames.Select(c =>
            $"\"{c}\":{{\"status\":\"open\",\"fixed_version\":\"0\",\"urgency\":\"low\",\"repositories\":{{\"{c}\":\"1\"}}}}"));
        string advisory = $"{{\"description\":\"d\",\"scope\":\"remote\",\"releases\":{{{releases}}}}}";
        return $"{{\"a\":{{\"CVE-2026-1\":{advisory},\"CVE-2026-2\":{advisory}}},\"b\":{{\"CVE-2026-1\":{advisory}}}}}";
    }

    private static async Task<FamilyRig> UpstreamAsync()
    {
        FamilyRig rig = await FamilyRig.StartAsync("debian");
        rig.Put(Json, Tracker("bookworm", "trixie", "forky", "sid"), s_modified);
        rig.Put(Dists + "bookworm/Release", "Origin: Debian\nSuite: oldstable\nVersion: 12.12\nCodename: bookworm\n");
        rig.Put(Dists + "trixie/Release", "Origin: Debian\nSuite: stable\nVersion: 13.1\nCodename: trixie\n");
        rig.Put(Dists + "forky/Release", "Origin: Debian\nSuite: testing\nCodename: forky\n");
        rig.Put(Dists + "sid/Release", "Origin: Debian\nSuite: unstable\nCodename: sid\n");
        rig.Put(Dists + "stable/Release", "Origin: Debian\nSuite: stable\nVersion: 13.1\nCodename: trixie\n");
        rig.Put(Dists + "trixie-updates/Release", "Origin: Debian\nVersion: 13-updates\n");
        rig.Put(Dists + "README", "text");
        rig.Upstream.AddFolder(Dists + "woody");
        return rig;
    }

    [GeneratedRegex("href=\"([^\"]+)\"")]
    private static partial Regex Anchor();
}

using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Aws;

public sealed class AwsFamilyTests
{
    private const string List1 = "repo.us-west-2.amazonaws.com/2018.03/updates/x86_64/mirror.list";
    private const string List2 = "cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list";
    private const string List2023 = "cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list";
    private const string Path1 = "/2018.03/updates/0123456789ab/x86_64";
    private const string Host1 = "packages.us-west-2.amazonaws.com";
    private static readonly string s_repository2 = "cdn.amazonlinux.com/2/core/2.0/x86_64/" + new string('2', 64);
    private static readonly string s_repository2023 = $"cdn.amazonlinux.com/al2023/core/guids/{new string('a', 64)}/x86_64";

    [Fact]
    public async Task Three_releases_are_taken_and_published_as_they_are()
    {
        await using FamilyRig rig = await StartAsync();

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(["aws-AL1-updater", "aws-AL2-updater", "aws-AL2023-updater"], source.Updaters);
        Assert.Equal(3, source.AdvisoryCount);
        Assert.Equal(9, source.Files.Count);
        Assert.All(generation.Entries, e => Assert.Null(e.Derivation));
        rig.AssertFaithful(generation);

        // Of the oldest list, the first mirror alone is asked.
        Assert.DoesNotContain(rig.Upstream.Requests, r => r.Host.Contains("us-east-1", StringComparison.Ordinal));
        Assert.Equal(
            new DateTimeOffset(2026, 1, 7, 23, 22, 0, TimeSpan.Zero), (await rig.CollectContentAsync()).Census!.Newest);
        Assert.Equal(["AL1", "AL2", "AL2023"], (await rig.CollectContentAsync()).Releases);
    }

    [Fact]
    public async Task A_second_time_only_headers_come()
    {
        await using FamilyRig rig = await StartAsync();
        SourceSnapshot first = await rig.CollectAsync();
        rig.Upstream.ClearRequests();

        SourceSnapshot second = await rig.CollectAsync();

        Assert.Equal(9, rig.Upstream.Requests.Count);
        Assert.All(rig.Upstream.Requests, r => Assert.Equal(304, r.Status));
        Assert.Equal(first.Files.Select(f => f with { Status = null }), second.Files.Select(f => f with { Status = null }));
    }

    [Theory]
    [InlineData("sha512")]
    [InlineData("sha")]
    public async Task Other_checksums_are_held_against_the_file_too(string type)
    {
        await using FamilyRig rig = await StartAsync();
        byte[] packed = rig.Upstream.Content(s_repository2 + "/repodata/updateinfo.xml.gz");
        byte[] repoMd = GzipFeeds.RepoMd(GzipFeeds.Unpack(packed), packed, type);
        rig.Upstream.Replace(s_repository2 + "/repodata/repomd.xml", repoMd);
        await rig.CollectAsync();

        // The same size, other content.
        rig.Upstream.Replace(s_repository2 + "/repodata/updateinfo.xml.gz", [.. packed[..^9], (byte)(packed[^9] ^ 1), .. packed[^8..]]);
        await rig.FailsAsync(ErrorIds.UpstreamChanged, s_repository2);
    }

    [Theory]
    [InlineData("<size>", "<size>9")]
    [InlineData("<open-size>", "<open-size>9")]
    public async Task Sizes_are_held_against_the_file_too(string old, string with)
    {
        await using FamilyRig rig = await StartAsync();
        ReplaceLast(rig, s_repository2023 + "/repodata/repomd.xml", old, with);

        await rig.FailsAsync(ErrorIds.UpstreamChanged, s_repository2023);
    }

    [Fact]
    public async Task A_repository_that_changes_between_its_two_files_is_not_taken_and_the_next_time_it_is()
    {
        await using FamilyRig rig = await StartAsync();
        byte[] document = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(SampleUpstream.GzipDocuments(1)[s_repository2 + "/repodata/updateinfo.xml.gz"])
            .Replace("ALAS2-2099-001", "ALAS2-2099-002", StringComparison.Ordinal));
        byte[] packed = GzipFeeds.Pack(document);
        rig.Upstream.ReplaceAfter(s_repository2 + "/repodata/repomd.xml", 1, GzipFeeds.RepoMd(document, packed));
        rig.Upstream.Replace(s_repository2 + "/repodata/updateinfo.xml.gz", packed);

        await rig.FailsAsync(ErrorIds.UpstreamChanged, "updateinfo.xml.gz");
        SourceSnapshot source = await rig.CollectAsync();

        Assert.Equal(3, source.AdvisoryCount);
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n\n")]
    public async Task A_list_that_Clair_cannot_read_is_published_with_the_one_mirror_that_is_held(string lineEnd)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put(List1, $"http://{Host1}{Path1}{lineEnd}http://packages.us-east-1.amazonaws.com{Path1}{lineEnd}");

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        GenerationEntry list = generation.Entries.Single(e => e.Path == "/" + List1);
        Assert.Equal("aws.mirror-list", list.Derivation!.Rule);
        Assert.Equal($"http://{Host1}{Path1}\n", rig.ContentOf(list));
    }

    [Fact]
    public async Task A_mirror_that_is_away_is_passed_over_and_Clair_is_not_sent_there()
    {
        await using FamilyRig rig = await StartAsync();
        foreach (string file in new[] { "/repodata/repomd.xml", "/repodata/updateinfo.xml.gz" })
        {
            rig.Upstream.Replace("packages.us-east-1.amazonaws.com" + Path1 + file, rig.Upstream.Content(Host1 + Path1 + file));
        }

        rig.Upstream.AddFault(Host1 + "/*", UpstreamFault.Status(503));

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.Equal(
            $"http://packages.us-east-1.amazonaws.com{Path1}\n", rig.ContentOf(generation.Entries.Single(e => e.Path == "/" + List1)));
        Assert.DoesNotContain(generation.Entries, e => e.Path.StartsWith("/" + Host1, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/\n")]
    [InlineData("http://packages.us-west-2.amazonaws.com.example.com/x86_64\n")]
    [InlineData("https://cdn.amazonlinux.com@example.com/x\n")]
    [InlineData("http://packages.us-west-2.amazonaws.com:8080/x86_64\n")]
    [InlineData("http://packages.us-west-2.amazonaws.com/x?y=z\n")]
    [InlineData("http://packages.us-west-2.amazonaws.com/a/../../b\n")]
    [InlineData("http://packages.us-west-2.amazonaws.com/a%2f..\n")]
    [InlineData("file:///etc/passwd\n")]
    [InlineData("<html>Sign in</html>\n")]
    [InlineData("")]
    public async Task A_list_that_leads_elsewhere_is_refused_and_nobody_else_is_asked(string content)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put(List1, content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "http://" + List1);

        Assert.All(rig.Upstream.Requests, r => Assert.True(r.Host is "repo.us-west-2.amazonaws.com" or "cdn.amazonlinux.com", r.HostPath));
    }

    [Fact]
    public async Task A_foreign_line_before_a_good_one_is_neither_asked_nor_published()
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put(List1, $"http://attacker.example.com{Path1}\nhttp://{Host1}{Path1}\n");

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        Assert.DoesNotContain(rig.Upstream.Requests, r => r.Host == "attacker.example.com");
        Assert.Equal($"http://{Host1}{Path1}\n", rig.ContentOf(generation.Entries.Single(e => e.Path == "/" + List1)));
    }

    [Theory]
    [InlineData("<html><body>Sign in</body></html>")]
    [InlineData("<repomd><data type=\"primary\"/></repomd>")]
    [InlineData("<repomd><data type=\"updateinfo\"><size>1</size></data></repomd>")]
    [InlineData("<repomd><data type=\"updateinfo\"><checksum type=\"md5\">00</checksum></data></repomd>")]
    [InlineData("<repomd><data type=\"updateinfo\"><checksum type=\"sha256\">00</checksum></data></repomd>")]
    [InlineData("<!DOCTYPE repomd [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><repomd>&a;</repomd>")]
    [InlineData("<repomd>")]
    [InlineData("")]
    public async Task A_repomd_that_vouches_for_nothing_fails(string content)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put(s_repository2 + "/repodata/repomd.xml", content);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "repomd.xml");
    }

    [Theory]
    [InlineData("<updates></updates>", "no advisory")]
    [InlineData("<html><body>Sign in</body></html>", "updates")]
    [InlineData("<updates><update><title>x</title></update></updates>", "no id")]
    [InlineData("<updates><update><id>A-1</id><issued date=\"yesterday\"/></update></updates>", "yesterday")]
    [InlineData("<updates><update><id>A-1</id></update>", "updates")]
    [InlineData("<!DOCTYPE updates [<!ENTITY a \"aaaa\">]><updates><update><id>&a;</id></update></updates>", "DTD")]
    public async Task Advisories_that_Clair_could_not_read_or_that_are_none_fail_though_the_checksums_fit(string document, string names)
    {
        await using FamilyRig rig = await StartAsync();
        Publish(rig, s_repository2, Encoding.UTF8.GetBytes(document));

        await rig.FailsAsync(ErrorIds.UpstreamContent, names);
    }

    [Fact]
    public async Task A_bomb_is_stopped()
    {
        await using FamilyRig rig = await StartAsync();
        byte[] document = new byte[64 << 20];
        Encoding.ASCII.GetBytes("<updates>").CopyTo(document, 0);
        document.AsSpan(9).Fill((byte)' ');
        Publish(rig, s_repository2, document);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "honest");
    }

    [Theory]
    [InlineData("/repodata/repomd.xml")]
    [InlineData("/repodata/updateinfo.xml.gz")]
    public async Task A_missing_file_fails(string file)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Upstream.Remove(s_repository2023 + file);

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, file == "/repodata/repomd.xml" ? List2023 : file);
    }

    [Fact]
    public async Task A_page_in_the_place_of_the_advisories_is_said_to_be_one()
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put(s_repository2 + "/repodata/updateinfo.xml.gz", "<html>Sign in</html>");

        await rig.FailsAsync(ErrorIds.UpstreamContent, "no gzip file");
    }

    [Fact]
    public async Task Files_that_do_not_fit_each_other_are_not_published()
    {
        await using FamilyRig rig = await StartAsync();
        SourceSnapshot source = await rig.CollectAsync();
        Generation first = await rig.PublishAsync(source);
        SnapshotFile other = source.Files.Single(f => f.Url.EndsWith(s_repository2 + "/repodata/updateinfo.xml.gz", StringComparison.Ordinal));
        SourceSnapshot torn = source with
        {
            Files = [.. source.Files.Select(f => f.Url.EndsWith(s_repository2023 + "/repodata/updateinfo.xml.gz", StringComparison.Ordinal)
                ? f with { Sha256 = other.Sha256, Size = other.Size }
                : f)],
        };

        Generation second = await rig.PublishAsync(torn);

        Assert.Equal(CaptureState.Failed, second.Sources.Single().State);
        Assert.Equal(first.Entries.Select(e => (e.Path, e.Sha256)), second.Entries.Select(e => (e.Path, e.Sha256)));
    }

    [Fact]
    public async Task Real_advisories_are_counted_to_the_last()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("aws", FamilyRig.RealFeeds("day1"));

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.True(source.AdvisoryCount > 4000, $"{source.AdvisoryCount}");
        Assert.All(generation.Entries, e => Assert.Null(e.Derivation));
        rig.AssertFaithful(generation);
    }

    private static Task<FamilyRig> StartAsync() => FamilyRig.StartAsync("aws", SampleUpstream.Complete(1));

    private static void Publish(FamilyRig rig, string repository, byte[] document)
    {
        byte[] packed = GzipFeeds.Pack(document);
        rig.Upstream.Replace(repository + "/repodata/updateinfo.xml.gz", packed);
        rig.Upstream.Replace(repository + "/repodata/repomd.xml", GzipFeeds.RepoMd(document, packed));
    }

    private static void ReplaceLast(FamilyRig rig, string hostPath, string old, string with)
    {
        string text = Encoding.UTF8.GetString(rig.Upstream.Content(hostPath));
        int at = text.LastIndexOf(old, StringComparison.Ordinal);
        rig.Put(hostPath, text[..at] + with + text[(at + old.Length)..]);
    }
}

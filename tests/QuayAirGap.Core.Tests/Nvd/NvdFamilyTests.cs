using System.Globalization;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Tests.Families;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Nvd;

public sealed class NvdFamilyTests
{
    private const string Root = "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-";
    private const string OneCve =
        "{\"totalResults\":1,\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-2099-1\",\"vulnStatus\":\"Analyzed\",\"lastModified\":\"2026-02-01T10:00:00.000\",\"metrics\":{}}}]}";

    [Fact]
    public async Task Every_year_is_taken_published_as_it_is_and_the_next_one_prepared()
    {
        await using FamilyRig rig = await StartAsync();

        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);

        Assert.Equal(["clair.cvss"], source.Updaters);
        Assert.Equal(4, source.AdvisoryCount);
        Assert.Equal(50, source.Files.Count);
        rig.AssertFaithful(generation);
        Assert.Equal(
            [$"/{Root}2027.json.gz", $"/{Root}2027.meta"],
            generation.Entries.Where(e => e.Derivation is not null).Select(e => e.Path).Order(StringComparer.Ordinal));
        Assert.Empty(generation.HeldBack);
        Assert.All(generation.Entries, e => Assert.True(e.ContentType is "text/plain" or "application/gzip", e.ContentType));

        Core.Collecting.CollectedContent content = await rig.CollectContentAsync();
        Assert.Equal(Enumerable.Range(2002, 25).Select(Text), content.Releases);
        Assert.Equal(new DateTimeOffset(2026, 1, 11, 12, 0, 0, TimeSpan.Zero), content.Census!.Newest);
    }

    [Fact]
    public async Task A_year_that_has_not_changed_costs_headers_only()
    {
        await using FamilyRig rig = await StartAsync();
        await rig.CollectAsync();
        rig.Upstream.ClearRequests();
        Pair(rig, 2026, OneCve);

        SourceSnapshot second = await rig.CollectAsync();

        Assert.Equal(5, second.AdvisoryCount);
        Assert.Equal(50, rig.Upstream.Requests.Count);
        Assert.All(rig.Upstream.Requests, r => Assert.Equal(r.Path.Contains("2026", StringComparison.Ordinal) ? 200 : 304, r.Status));
    }

    [Fact]
    public async Task On_new_years_day_the_year_that_is_not_there_is_said_and_Clair_lives_on()
    {
        await using FamilyRig rig = await StartAsync();
        RemoveYearsFrom(rig, 2027);
        rig.Clock.SetUtcNow(new DateTimeOffset(2026, 12, 31, 20, 0, 0, TimeSpan.Zero));
        Generation before = await rig.PublishAsync(await rig.CollectAsync());
        await using UpstreamServer mirror = await ServeAsync(rig, before);
        using var clair = new ClairMatcher(ClairConfig.ByPath(mirror.Root), rig.Clock);
        Assert.Equal(ClairOutcome.Updated, (await clair.Cvss.PollAsync()).Outcome);
        Dictionary<string, string> scores = new(clair.Cvss.Held);
        Assert.Equal(2, scores.Count);

        // The mirror of last year, and Clair's clock has moved on: it goes on with what it has, and the second time nothing is new.
        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 1, 2, 0, 0, TimeSpan.Zero));
        Assert.Equal((ClairOutcome.Updated, null), await PollAsync(clair));
        Assert.Equal(scores, clair.Cvss.Held);
        Assert.Equal((ClairOutcome.Unchanged, null), await PollAsync(clair));

        // A capture of the new year: on the upstream itself Clair would fail.
        using var unhelped = new ClairMatcher(ClairConfig.AsUpstream(rig.Upstream.Root), rig.Clock);
        Assert.Equal(ClairOutcome.Failed, (await unhelped.Cvss.PollAsync()).Outcome);
        SourceSnapshot source = await rig.CollectAsync();
        Generation generation = await rig.PublishAsync(source);
        Assert.Equal(50, source.Files.Count);
        Assert.Equal("2027", Assert.Single(generation.HeldBack).Item);
        Assert.Contains(generation.Entries, e => e.Path == $"/{Root}2028.meta" && e.Derivation is not null);
        await ServeOnAsync(rig, mirror, generation);
        Assert.Equal((ClairOutcome.Unchanged, null), await PollAsync(clair));

        // Some days later it is there, and Clair takes it.
        Pair(rig, 2027, OneCve.Replace("\"metrics\":{}", "\"metrics\":{\"cvssMetricV31\":[{\"type\":\"Primary\",\"cvssData\":{\"baseScore\":7.5}}]}"));
        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 5, 2, 0, 0, TimeSpan.Zero));
        generation = await rig.PublishAsync(await rig.CollectAsync());
        Assert.Empty(generation.HeldBack);
        await ServeOnAsync(rig, mirror, generation);
        Assert.Equal((ClairOutcome.Updated, null), await PollAsync(clair));
        Assert.Equal("{\"baseScore\":7.5}", clair.Cvss.Held["CVE-2099-1"]);

        // Once there, it must not go again; and from February on it must be there.
        rig.Upstream.Remove($"{Root}2027.meta");
        rig.Upstream.Remove($"{Root}2027.json.gz");
        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "2027");
        rig.Previous = null;
        await rig.CollectContentAsync();
        rig.Clock.SetUtcNow(new DateTimeOffset(2027, 2, 1, 0, 0, 0, TimeSpan.Zero));
        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, "2027");
    }

    [Theory]
    [InlineData(2002, ".meta")]
    [InlineData(2014, ".json.gz")]
    [InlineData(2026, ".meta")]
    public async Task A_missing_file_fails_and_names_it(int year, string extension)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Upstream.Remove(Root + Text(year) + extension);

        await rig.FailsAsync(ErrorIds.UpstreamIncomplete, Root + Text(year) + extension);
    }

    [Fact]
    public async Task A_meta_that_runs_ahead_of_its_document_is_taken_again_and_then_fails()
    {
        await using FamilyRig rig = await StartAsync();
        byte[] document = Encoding.UTF8.GetBytes(OneCve);
        rig.Upstream.Replace($"{Root}2025.meta", GzipFeeds.NvdMeta(document, GzipFeeds.Pack(document), rig.Clock.GetUtcNow()));

        await rig.FailsAsync(ErrorIds.UpstreamChanged, "2025");

        Assert.Equal(2, rig.Upstream.RequestsFor($"{Root}2025.meta").Count);
        Assert.Equal(2, rig.Upstream.RequestsFor($"{Root}2025.json.gz").Count);
    }

    [Fact]
    public async Task A_pair_that_is_renewed_while_it_is_read_is_taken_as_it_is_then()
    {
        await using FamilyRig rig = await StartAsync();
        byte[] document = Encoding.UTF8.GetBytes(OneCve);
        byte[] packed = GzipFeeds.Pack(document);
        rig.Upstream.ReplaceAfter($"{Root}2026.meta", 1, GzipFeeds.NvdMeta(document, packed, rig.Clock.GetUtcNow()));
        rig.Upstream.Replace($"{Root}2026.json.gz", packed);

        SourceSnapshot source = await rig.CollectAsync();

        Assert.Equal(5, source.AdvisoryCount);
        await rig.PublishAsync(source);
    }

    [Theory]
    [InlineData("<html>Sign in</html>")]
    [InlineData("")]
    [InlineData("lastModifiedDate:2026-01-01T00:00:00-05:00\r\nsize:1\r\n")]
    [InlineData("lastModifiedDate:yesterday\r\nsha256:{0}\r\n")]
    [InlineData("size:many\r\nsha256:{0}\r\n")]
    [InlineData("sha256:abc\r\n")]
    public async Task A_meta_that_Clair_could_not_go_by_fails(string meta)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put($"{Root}2025.meta", string.Format(CultureInfo.InvariantCulture, meta, new string('A', 64)));

        await rig.FailsAsync(ErrorIds.UpstreamContent, $"{Root}2025.meta");
    }

    [Fact]
    public async Task A_meta_whose_last_line_has_no_end_is_published_with_one()
    {
        await using FamilyRig rig = await StartAsync();
        string meta = Encoding.ASCII.GetString(rig.Upstream.Content($"{Root}2025.meta"));
        rig.Put($"{Root}2025.meta", meta.TrimEnd());

        Generation generation = await rig.PublishAsync(await rig.CollectAsync());

        GenerationEntry entry = generation.Entries.Single(e => e.Path == $"/{Root}2025.meta");
        Assert.Equal("clair.cvss.meta-line-end", entry.Derivation!.Rule);
        Assert.Equal(meta, rig.ContentOf(entry));
    }

    [Theory]
    [InlineData("<html>Sign in</html>", "UpstreamContent")]
    [InlineData("", "UpstreamContent")]
    public async Task A_page_in_a_documents_place_fails(string page, string errorId)
    {
        await using FamilyRig rig = await StartAsync();
        rig.Put($"{Root}2025.json.gz", page);

        await rig.FailsAsync(errorId, $"{Root}2025.json.gz");
    }

    [Theory]
    [InlineData(100)]
    [InlineData(8)]
    [InlineData(1)]
    public async Task A_document_that_breaks_off_fails_also_where_the_meta_does_not_state_its_size(int missing)
    {
        await using FamilyRig rig = await StartAsync();
        byte[] packed = rig.Upstream.Content($"{Root}2025.json.gz");
        rig.Upstream.Replace($"{Root}2025.json.gz", packed[..^missing]);
        await rig.FailsAsync(ErrorIds.UpstreamChanged, $"{Root}2025.json.gz");

        string meta = Encoding.ASCII.GetString(rig.Upstream.Content($"{Root}2025.meta"));
        rig.Put($"{Root}2025.meta", string.Join("\r\n", meta.Split("\r\n").Where(l => !l.StartsWith("gzSize", StringComparison.Ordinal))));
        await rig.FailsAsync(ErrorIds.UpstreamContent, $"{Root}2025.json.gz");
    }

    [Theory]
    [InlineData("{\"totalResults\":2,\"vulnerabilities\":[]}")]
    [InlineData("{\"totalResults\":-1,\"vulnerabilities\":[]}")]
    [InlineData("{\"totalResults\":\"0\",\"vulnerabilities\":[]}")]
    [InlineData("{\"totalResults\":0}")]
    [InlineData("{\"vulnerabilities\":{}}")]
    [InlineData("{\"vulnerabilities\":[null]}")]
    [InlineData("{\"vulnerabilities\":[{}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cve\":{\"id\":7}}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-1\",\"metrics\":[]}}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-1\",\"metrics\":{\"cvssMetricV31\":{}}}}]}")]
    [InlineData("{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-1\",\"metrics\":{\"CvssMetricV30\":[{\"type\":1}]}}}]}")]
    [InlineData("{\"vulnerabilities\":[]} more")]
    [InlineData("[]")]
    [InlineData("\uFEFF{\"vulnerabilities\":[]}")]
    public async Task A_document_that_Clair_could_not_decode_fails_though_its_hash_fits(string document)
    {
        await using FamilyRig rig = await StartAsync();
        Pair(rig, 2020, document);

        await rig.FailsAsync(ErrorIds.UpstreamContent, $"{Root}2020.json.gz");
    }

    [Fact]
    public async Task Pairs_without_a_single_CVE_are_no_capture()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.cvss", SampleUpstream.EmptyNvdYears);

        await rig.FailsAsync(ErrorIds.UpstreamContent, "nvd.nist.gov");
    }

    [Fact]
    public async Task A_capture_with_a_gap_is_not_published_and_what_was_served_stays()
    {
        await using FamilyRig rig = await StartAsync();
        SourceSnapshot source = await rig.CollectAsync();
        Generation first = await rig.PublishAsync(source);

        Generation second = await rig.PublishAsync(source with { Files = [.. source.Files.Where(f => !f.Url.Contains("2011"))] });

        Assert.Equal(CaptureState.Failed, second.Sources.Single().State);
        Assert.Contains("2011", second.Sources.Single().Error);
        Assert.Equal(first.Entries.Select(e => (e.Path, e.Sha256)), second.Entries.Select(e => (e.Path, e.Sha256)));
    }

    [Fact]
    public async Task The_real_year_at_true_scale_is_read_to_its_end()
    {
        await using FamilyRig rig = await FamilyRig.StartAsync("clair.cvss", FamilyRig.RealFeeds("day1"), SampleUpstream.EmptyNvdYears);

        SourceSnapshot source = await rig.CollectAsync();

        Assert.True(source.AdvisoryCount > 7000, $"{source.AdvisoryCount}");
    }

    internal static void Pair(FamilyRig rig, int year, string document)
    {
        byte[] json = Encoding.UTF8.GetBytes(document);
        byte[] packed = GzipFeeds.Pack(json);
        rig.Upstream.Replace($"{Root}{year}.meta", GzipFeeds.NvdMeta(json, packed, rig.Clock.GetUtcNow()));
        rig.Upstream.Replace($"{Root}{year}.json.gz", packed);
    }

    private static Task<FamilyRig> StartAsync() => FamilyRig.StartAsync("clair.cvss", SampleUpstream.Complete(1));

    private static void RemoveYearsFrom(FamilyRig rig, int year)
    {
        for (; year <= SampleUpstream.LastYear; year++)
        {
            rig.Upstream.Remove($"{Root}{year}.meta");
            rig.Upstream.Remove($"{Root}{year}.json.gz");
        }
    }

    private static async Task<(ClairOutcome Outcome, string? Error)> PollAsync(ClairMatcher clair)
    {
        ClairPoll<IReadOnlyDictionary<string, string>> poll = await clair.Cvss.PollAsync();
        return (poll.Outcome, poll.Error);
    }

    private static async Task<UpstreamServer> ServeAsync(FamilyRig rig, Generation generation)
    {
        UpstreamServer server = await UpstreamServer.StartAsync(Array.Empty<string>());
        await ServeOnAsync(rig, server, generation);
        return server;
    }

    /// <summary>Serves a generation as a web server that knows nothing of it would.</summary>
    private static async Task ServeOnAsync(FamilyRig rig, UpstreamServer server, Generation generation)
    {
        foreach (GenerationEntry entry in generation.Entries)
        {
            server.Replace(entry.Path[1..], await File.ReadAllBytesAsync(rig.Site.Store.PathOf(entry.Sha256)), entry.LastModified);
        }
    }

    private static string Text(int year) => year.ToString(CultureInfo.InvariantCulture);
}

using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Publishing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>
/// Acts as Clair's updaters against the served mirror: whatever the courier does, Clair ends with what a new Clair would have had from
/// the upstream itself, at the state that the current generation carries.
/// </summary>
public sealed class ConformanceTests
{
    private const string Vex = "security.access.redhat.com/data/csaf/v2/vex/";
    private const string Series = "api.launchpad.net/1.0/ubuntu/series";
    private static readonly DateTimeOffset s_upstreamTime = new(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);

    public static TheoryData<ClairRelease> Releases() => [ClairRelease.V490, ClairRelease.Main];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_new_clair_ends_with_what_upstream_has_and_asks_for_no_single_document(ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites, release);

        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
        Assert.Equal(0, clair.RhelVex.LastCost.DocumentRequests);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_second_poll_of_the_same_generation_transfers_nothing(ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites, release);
        await PollAsync(clair, sites);

        IReadOnlyList<ClairUpdate> second = await PollAsync(clair, sites);

        // rhel-vex makes an operation at each run, whatever the answers are (M17); all else says "unchanged".
        Assert.All(second.Where(u => u.Updater != "rhel-vex"), u => Assert.Equal(ClairOutcome.Unchanged, u.Outcome));
        Assert.Equal(2, clair.RhelVex.LastCost.Requests);
        await SameAsUpstreamAsync(clair, sites);
    }

    /// <summary>
    /// As upstream itself: a Clair without any setting, only name resolution and a certificate, which are the server's part. This stands
    /// in for that: each host's documents, the ones for this way of serving first.
    /// </summary>
    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_clair_without_any_setting_finds_the_published_OVAL_at_the_upstreams_own_names(ClairRelease release)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        await using UpstreamServer hosts = await UpstreamServer.StartAsync(Array.Empty<UpstreamLayer>());
        string[] sources = ["oracle", "photon", "suse", "ubuntu"];
        foreach (GenerationEntry entry in new GenerationStore(sites.Inside).LoadCurrent()!.Entries.Where(e => sources.Contains(e.Source)).OrderBy(e => e.Path.StartsWith("/as-upstream/", StringComparison.Ordinal)))
        {
            string path = entry.Path.StartsWith("/as-upstream/", StringComparison.Ordinal) ? entry.Path["/as-upstream/".Length..] : entry.Path[1..];
            hosts.Replace(path.EndsWith('/') ? path + "index.html" : path, File.ReadAllBytes(sites.Inside.Store.PathOf(entry.Sha256)), entry.LastModified);
            hosts.SetContentType(path, entry.ContentType);
        }

        using var clair = new ClairMatcher(ClairConfig.AsUpstream(hosts.Root) with { Release = release }, sites.Clock);
        using var reference = new ClairMatcher(ClairConfig.AsUpstream(sites.Upstream.Root) with { Release = release }, sites.Clock);
        await clair.Oracle.PollAsync();
        await clair.Photon.PollAsync();
        await clair.Suse.PollAsync();
        ClairPoll<IReadOnlyDictionary<string, IReadOnlySet<OvalRow>>> ubuntu = await clair.Ubuntu.PollAsync();
        await reference.Oracle.PollAsync();
        await reference.Photon.PollAsync();
        await reference.Suse.PollAsync();
        await reference.Ubuntu.PollAsync();

        Assert.Null(ubuntu.Error);
        SameOval(reference.Oracle, clair.Oracle);
        SameOval(reference.Photon, clair.Photon);
        SameOval(reference.Suse, clair.Suse);
        SameOval(reference.Ubuntu, clair.Ubuntu);
    }

    [Fact]
    public async Task On_the_first_of_January_the_new_years_updater_of_Oracle_fails_alone()
    {
        await using TwoSites sites = await SampleAsync();
        sites.Upstream.Remove("linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2");
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        sites.Clock.SetUtcNow(new DateTimeOffset(2027, 1, 1, 6, 0, 0, TimeSpan.Zero));

        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();

        Assert.Equal("oracle-2027-updater", Assert.Single(updates, u => u.Outcome > ClairOutcome.Updated).Updater);

        // Oracle publishes its first advisory of the year.
        sites.Upstream.Replace(
            "linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2", sites.Upstream.Content("linux.oracle.com/security/oval/com.oracle.elsa-2026.xml.bz2"));
        await sites.CarryAsync();
        await ServedAsync(sites, "linux.oracle.com/security/oval/com.oracle.elsa-2027.xml.bz2");
        await PollAsync(clair, sites);
        Assert.NotEmpty(clair.Oracle.Held["oracle-2027-updater"]);
    }

    [Fact]
    public async Task A_late_courier_loses_nothing()
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromHours(1));
        string bundle = (await sites.SaveAsync()).Path;

        // Nine days on the road, with a Clair that polls all the time: its own clock passes every stamp that upstream ever gave.
        for (int i = 0; i < 9; i++)
        {
            sites.Clock.Advance(TimeSpan.FromDays(1));
            await PollAsync(clair, sites);
        }

        await sites.ImportAsync(bundle);
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
        Assert.True(clair.RhelVex.LastCost.DocumentRequests is > 0 and < 10, $"{clair.RhelVex.LastCost}");
    }

    [Fact]
    public async Task A_missed_generation_loses_nothing()
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();

        // The second generation comes and goes without a poll.
        ChangeOneDocument(sites, "third");
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        sites.Clock.Advance(TimeSpan.FromHours(3));
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task A_bundle_that_never_arrived_is_not_missed()
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.SaveAsync();
        ChangeOneDocument(sites, "third");
        sites.Clock.Advance(TimeSpan.FromDays(1));
        string third = (await sites.SaveAsync()).Path;

        await sites.ImportAsync(third);
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_revert_takes_clair_back_and_going_forward_again_takes_it_forward(bool polledBetween)
    {
        await using TwoSites sites = await SampleAsync();
        int first = (await sites.CarryAsync()).Generation.Number;
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        int second = (await sites.CarryAsync()).Generation.Number;
        await PollAsync(clair, sites);

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(first);
        if (polledBetween)
        {
            await PollAsync(clair, sites);
            MoveUpstream(sites, "day1", 0);
            await SameAsUpstreamAsync(clair, sites);
            MoveUpstream(sites, "day2", 1);
        }

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(second);
        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task A_clair_that_was_down_or_new_or_upgraded_ends_the_same()
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using ClairMatcher old = await ClairAsync(sites);
        await PollAsync(old, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(2));
        await sites.CarryAsync();
        sites.Clock.Advance(TimeSpan.FromDays(3));

        old.Restart();
        await PollAsync(old, sites);
        await SameAsUpstreamAsync(old, sites);

        // After an upgrade the fingerprint's version differs: the archive is read again, over a database that has documents already.
        ChangeOneDocument(sites, "third");
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        old.RhelVex.UpdaterVersion = "7";
        await PollAsync(old, sites);
        await SameAsUpstreamAsync(old, sites);

        using ClairMatcher fresh = await ClairAsync(sites);
        await PollAsync(fresh, sites);
        await SameAsUpstreamAsync(fresh, sites);
        Assert.Equal(0, fresh.RhelVex.LastCost.DocumentRequests);
    }

    [Theory]
    [InlineData(-30)]
    [InlineData(30)]
    public async Task Clocks_half_an_hour_apart_lose_nothing(int minutes)
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        var clairClock = new FakeTimeProvider(sites.Clock.GetUtcNow().AddMinutes(minutes));
        using ClairMatcher clair = await ClairAsync(sites, clock: clairClock);
        await PollAsync(clair, sites);
        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromMinutes(1));
        clairClock.Advance(TimeSpan.FromMinutes(1));
        await sites.CarryAsync();

        await PollAsync(clair, sites);

        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task A_random_courier_over_many_days_loses_nothing()
    {
        await using TwoSites sites = await SampleAsync();
        var random = new Random(4711);
        var kept = new List<int> { (await sites.CarryAsync()).Generation.Number };
        using ClairMatcher clair = await ClairAsync(sites);
        var states = new Dictionary<int, (string Day, string? Change)> { [kept[0]] = ("day1", null) };
        (string Day, string? Change) now = ("day1", null);
        var road = new List<(string Path, (string, string?) State)>();
        int current = kept[0];
        for (int step = 0; step < 60; step++)
        {
            sites.Clock.Advance(TimeSpan.FromHours(random.Next(1, 40)));
            switch (random.Next(6))
            {
                case 0:
                    // An upstream only goes forward: documents change, and one day the sample's second state has come.
                    now = (now.Day == "day2" || step > 25 ? "day2" : "day1", random.Next(3) > 0 ? $"change {step}" : now.Change);
                    Show(sites, now, step);
                    break;
                case 1:
                    road.Add(((await sites.SaveAsync()).Path, now));
                    break;
                case 2 when road.Count > 0:
                    // The newest arrives; what was still on the road is too old by then.
                    (string path, (string, string?) state) = road[^1];
                    road.Clear();
                    current = (await sites.ImportAsync(path)).Generation.Number;
                    states[current] = state;
                    kept.Add(current);
                    break;
                case 3 when kept.Count > 1:
                    int target = kept[^Math.Min(kept.Count, random.Next(1, 4))];
                    int made = (await sites.RestoreAsync(target)).Generation.Number;
                    states[made] = states[target];
                    current = made;
                    if (!kept.Contains(made))
                    {
                        kept.Add(made);
                    }

                    break;
                case 4:
                    clair.Restart();
                    break;
                default:
                    await PollAsync(clair, sites);
                    Show(sites, states[current], step);
                    await SameAsUpstreamAsync(clair, sites);
                    Show(sites, now, step);
                    break;
            }
        }

        await PollAsync(clair, sites);
        Show(sites, states[current], 99);
        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task The_indexer_gets_both_mappings_and_their_changes()
    {
        await using TwoSites sites = await SampleAsync();
        await sites.CarryAsync();
        using var indexer = new ClairIndexer(ClairConfig.ByPath(await sites.MirrorAsync()), sites.Clock);
        using var reference = new ClairIndexer(ClairConfig.AsUpstream(sites.Upstream.Root), sites.Clock);
        foreach ((ClairMapping ours, ClairMapping theirs) in new[]
        {
            (indexer.RepositoryToCpe, reference.RepositoryToCpe), (indexer.ContainerNameReposMap, reference.ContainerNameReposMap),
        })
        {
            Assert.Equal(ClairOutcome.Updated, (await ours.PollAsync()).Outcome);
            await theirs.PollAsync();
            Assert.NotEmpty(ours.Held!);
            Assert.Equal(theirs.Held!.Keys.Order(StringComparer.Ordinal), ours.Held!.Keys.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Epss_and_kev_end_as_upstream_has_them_and_outlive_polls_and_days_without_a_bundle()
    {
        await using TwoSites sites = await SampleAsync();
        PutEpss(sites, "CVE-2099-10001,0.5,0.9", "CVE-2099-10002,0.00012,0.02");
        await sites.CarryAsync("clair.epss", "clair.kev", "rhel-vex");
        using ClairMatcher clair = await ClairAsync(sites);
        await ServedAsync(sites);
        await SameAsync();

        // With an ETag the second poll would end the process; and the mirror answers though each day asks for another name.
        for (int day = 0; day < 3; day++)
        {
            Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(clair.Epss));
            Assert.Equal((ClairOutcome.Unchanged, null), await OutcomeAsync(clair.Kev));
            sites.Clock.Advance(TimeSpan.FromDays(1));
        }

        MoveUpstream(sites, "day2", 3);
        PutEpss(sites, "CVE-2099-10001,0.75,0.95", "CVE-2099-10002,0.0002,0.03");
        await sites.CarryAsync("clair.epss", "clair.kev", "rhel-vex");
        await ServedAsync(sites);
        await SameAsync();
        Assert.Equal(2, clair.Kev.Held.Count);

        async Task SameAsync()
        {
            using var reference = new ClairMatcher(ClairConfig.AsUpstream(sites.Upstream.Root), sites.Clock);
            foreach (ClairMatcher matcher in new[] { reference, clair })
            {
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Epss));
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Kev));
            }

            Assert.NotEmpty(clair.Epss.Held);
            Assert.Equal(reference.Epss.Held, clair.Epss.Held);
            Assert.Equal(reference.Kev.Held, clair.Kev.Held);
        }
    }

    [Fact]
    public async Task Amazon_linux_that_has_moved_to_another_repository_is_followed_and_reverted()
    {
        await using TwoSites sites = await SampleAsync();
        int first = (await sites.CarryAsync()).Generation.Number;
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        Assert.Equal(2, clair.Aws.Held["aws-AL2023-updater"].Count);

        MoveUpstream(sites, "day2", 1);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        IReadOnlyList<ClairUpdate> updates = await PollAsync(clair, sites);
        Assert.Equal(
            ["aws-AL2023-updater"],
            updates.Where(u => u.Updater.StartsWith("aws", StringComparison.Ordinal) && u.Outcome == ClairOutcome.Updated).Select(u => u.Updater));
        Assert.Equal(3, clair.Aws.Held["aws-AL2023-updater"].Count);

        sites.Clock.Advance(TimeSpan.FromHours(1));
        await sites.RestoreAsync(first);
        await PollAsync(clair, sites);
        Assert.Equal(2, clair.Aws.Held["aws-AL2023-updater"].Count);
    }

    [Fact]
    public async Task Real_feeds_end_as_upstream_has_them()
    {
        string? small = Repository.Feeds("small");
        string? next = Repository.Feeds("small-next");
        string? synthetic = Repository.Feeds("synthetic");

        // A checkout keeps no file times, and this one decides which documents are newer than the archive.
        var archived = new DateTimeOffset(2025, 2, 1, 6, 0, 0, TimeSpan.Zero);
        Assert.SkipUnless(small is not null && next is not null && synthetic is not null, "The real feed data is not beside the checkout.");
        var years = new UpstreamLayer(Repository.EmptyNvdYears, s_upstreamTime);
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(small!, s_upstreamTime), new UpstreamLayer(synthetic!, s_upstreamTime), years);
        sites.Upstream.SetLastModified(Vex + "csaf_vex_2025-02-01.tar.zst", archived);
        RealFeeds.FillGaps(sites.Upstream);
        await sites.CarryAsync();
        using ClairMatcher clair = await ClairAsync(sites);
        await PollAsync(clair, sites);
        await SameAsUpstreamAsync(clair, sites);

        sites.Upstream.SetLayers(new UpstreamLayer(next!, s_upstreamTime.AddDays(1)), new UpstreamLayer(synthetic!, s_upstreamTime), years);
        sites.Upstream.SetLastModified(Vex + "csaf_vex_2025-02-01.tar.zst", archived);
        RealFeeds.FillGaps(sites.Upstream);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await sites.CarryAsync();
        await PollAsync(clair, sites);
        await SameAsUpstreamAsync(clair, sites);
    }

    [Fact]
    public async Task Real_days_of_amazon_nvd_and_kev_end_as_upstream_has_them()
    {
        string? day0 = Repository.Feeds("day0");
        string? day1 = Repository.Feeds("day1");
        Assert.SkipUnless(day0 is not null && day1 is not null, "The real feed data is not beside the checkout.");
        var years = new UpstreamLayer(Repository.EmptyNvdYears, s_upstreamTime);
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(day0!, s_upstreamTime), years);
        using ClairMatcher clair = await ClairAsync(sites);
        await TakeAsync();
        int advisories = clair.Aws.Held.Values.Sum(h => h.Count);
        int scores = clair.Cvss.Held.Count;
        Assert.True(advisories > 10_000 && scores > 1000, $"{advisories} {scores}");

        Assert.All(new[] { await OutcomeAsync(clair.Aws), await OutcomeAsync(clair.Cvss) }, o => Assert.Equal((ClairOutcome.Unchanged, null), o));

        sites.Upstream.SetLayers(new UpstreamLayer(day1!, s_upstreamTime.AddDays(1)), years);
        sites.Clock.Advance(TimeSpan.FromDays(1));
        await TakeAsync();
        Assert.True(clair.Aws.Held.Values.Sum(h => h.Count) > advisories);
        Assert.True(clair.Cvss.Held.Count > scores);

        async Task TakeAsync()
        {
            ImportResult import = await sites.CarryAsync("aws", "clair.cvss", "clair.kev");
            Assert.All(
                import.Generation.Sources.Where(s => s.Name is "aws" or "clair.cvss" or "clair.kev"), s => Assert.Null(s.Error));
            await ServedAsync(sites, "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2026.meta");
            using var reference = new ClairMatcher(ClairConfig.AsUpstream(sites.Upstream.Root), sites.Clock);
            foreach (ClairMatcher matcher in new[] { reference, clair })
            {
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Aws));
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Cvss));
                Assert.Equal((ClairOutcome.Updated, null), await OutcomeAsync(matcher.Kev));
            }

            Assert.All(reference.Aws.Held, held => Assert.True(held.Value.SetEquals(clair.Aws.Held[held.Key]), held.Key));
            Assert.Equal(reference.Cvss.Held, clair.Cvss.Held);
            Assert.Equal(reference.Kev.Held, clair.Kev.Held);
        }
    }

    private static async Task<(ClairOutcome Outcome, string? Error)> OutcomeAsync<THeld>(ClairUpdaterSet<THeld> set)
    {
        ClairPoll<THeld> poll = await set.PollAsync();
        return (poll.Outcome, poll.Error);
    }

    /// <summary>The scores of yesterday, by the sites' clock.</summary>
    private static void PutEpss(TwoSites sites, params string[] rows)
    {
        (string hostPath, byte[] content) = GzipFeeds.Epss(DateOnly.FromDateTime(sites.Clock.GetUtcNow().UtcDateTime).AddDays(-1), rows);
        sites.Upstream.Replace(hostPath, content);
    }

    private static Task<TwoSites> SampleAsync() => TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));

    private static void MoveUpstream(TwoSites sites, string day, int age) =>
        sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample(day), s_upstreamTime.AddDays(age)));

    private static void Show(TwoSites sites, (string Day, string? Change) state, int step)
    {
        MoveUpstream(sites, state.Day, step + 1);
        if (state.Change is not null)
        {
            ChangeOneDocument(sites, state.Change);
        }
    }

    /// <summary>Upstream changes one VEX document, and says so in changes.csv.</summary>
    private static void ChangeOneDocument(TwoSites sites, string mark)
    {
        string[] rows = Encoding.UTF8.GetString(sites.Upstream.Content(Vex + "changes.csv")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string path = rows[0].Split('"')[1];
        string document = Encoding.UTF8.GetString(sites.Upstream.Content(Vex + path));
        sites.Upstream.Replace(Vex + path, Encoding.UTF8.GetBytes(document.Insert(document.IndexOf('{') + 1, $"\"x_mark\":\"{mark}\",")));
        rows[0] = $"\"{path}\",\"{sites.Clock.GetUtcNow():yyyy-MM-ddTHH:mm:sszzz}\"";
        sites.Upstream.Replace(Vex + "changes.csv", Encoding.UTF8.GetBytes(string.Join('\n', rows) + "\n"));
    }

    /// <summary>
    /// A Clair that is told the mirror's paths; what cannot be told, Amazon Linux, comes by a proxy that rewrites. The real ways of serving
    /// as upstream itself are in <see cref="UpstreamConformanceTests"/>.
    /// </summary>
    private static async Task<ClairMatcher> ClairAsync(TwoSites sites, ClairRelease release = ClairRelease.V490, TimeProvider? clock = null)
    {
        Uri mirror = await sites.MirrorAsync();
        return new(ClairConfig.ByPath(mirror) with { Release = release, UbuntuForce = Forced(sites), OtherHostsUnder = mirror }, clock ?? sites.Clock);
    }

    /// <summary>The releases of Ubuntu that the current generation has, as whoever configures Clair lists them.</summary>
    internal static List<(string Name, string Version)> Forced(TwoSites sites)
    {
        IReadOnlyList<GenerationEntry> entries = new GenerationStore(sites.Inside).LoadCurrent()?.Entries ?? [];
        if (entries.SingleOrDefault(e => e.Path == "/" + Series) is not { } document)
        {
            return [];
        }

        using JsonDocument series = JsonDocument.Parse(File.ReadAllBytes(sites.Inside.Store.PathOf(document.Sha256)));
        return
        [
            .. series.RootElement.GetProperty("entries").EnumerateArray()
                .Select(s => (Name: s.GetProperty("name").GetString()!, Version: s.GetProperty("version").GetString()!))
                .Where(s => entries.Any(e => e.Path == $"/security-metadata.canonical.com/oval/com.ubuntu.{s.Name}.cve.oval.xml.bz2")),
        ];
    }

    /// <summary>Polls once the mirror serves the newest generation; nothing may fail.</summary>
    private static async Task<IReadOnlyList<ClairUpdate>> PollAsync(ClairMatcher clair, TwoSites sites)
    {
        await ServedAsync(sites);
        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();
        Assert.All(updates, u => Assert.True(u.Outcome <= ClairOutcome.Updated, $"{u.Updater}: {u.Outcome} {u.Error}"));
        return updates;
    }

    private static async Task ServedAsync(TwoSites sites, string path = Vex + "archive_latest.txt")
    {
        Uri mirror = await sites.MirrorAsync();
        GenerationEntry newest = new GenerationStore(sites.Inside).LoadCurrent()!.Entries.Single(e => e.Path == "/" + path);
        using var http = new HttpClient(new SocketsHttpHandler(), disposeHandler: true);
        for (int i = 0; i < 200; i++)
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(mirror, path));
            if (answer.Headers.ETag?.Tag == $"\"{newest.Sha256}\"")
            {
                return;
            }

            await Task.Delay(50);
        }

        Assert.Fail("The mirror does not serve the newest generation.");
    }

    /// <summary>Clair holds what a new Clair gets from the upstream itself.</summary>
    internal static async Task SameAsUpstreamAsync(ClairMatcher clair, TwoSites sites)
    {
        using var reference = new ClairMatcher(
            ClairConfig.AsUpstream(sites.Upstream.Root) with { OsvAllowlist = ["go", "maven", "pypi", "rubygems"], Release = ClairRelease.Main }, sites.Clock);
        IReadOnlyList<ClairUpdate> updates = await reference.PollAsync();
        Assert.All(updates, u => Assert.True(u.Outcome <= ClairOutcome.Updated, $"The upstream itself: {u.Updater}: {u.Outcome} {u.Error}"));

        Assert.NotEmpty(clair.Alpine.Held);
        Assert.Equal(reference.Alpine.Held.Keys.Order(StringComparer.Ordinal), clair.Alpine.Held.Keys.Order(StringComparer.Ordinal));
        Assert.All(reference.Alpine.Held, held => Assert.True(held.Value.SetEquals(clair.Alpine.Held[held.Key]), held.Key));

        Assert.Equal(reference.Debian.Held.Releases, clair.Debian.Held.Releases);
        Assert.True(reference.Debian.Held.Rows.SetEquals(clair.Debian.Held.Rows));
        Assert.NotEmpty(clair.Debian.Held.Rows);

        Assert.Equal(4, clair.Osv.Held.Count);
        Assert.All(reference.Osv.Held, held => Assert.Equal(held.Value, clair.Osv.Held[held.Key]));

        Assert.NotEmpty(clair.RhelVex.Held);
        Assert.Equal(reference.RhelVex.Held, clair.RhelVex.Held);

        Assert.Equal(3, clair.Aws.Held.Count);
        Assert.All(reference.Aws.Held, held => Assert.True(held.Value.Count > 0 && held.Value.SetEquals(clair.Aws.Held[held.Key]), held.Key));

        Assert.NotEmpty(clair.Cvss.Held);
        Assert.Equal(reference.Cvss.Held, clair.Cvss.Held);

        SameOval(reference.Oracle, clair.Oracle);
        SameOval(reference.Suse, clair.Suse);
        SameOval(reference.Ubuntu, clair.Ubuntu);

        // Released Clair calls the updaters otherwise, and has three of them.
        Assert.Equal(clair.Photon.Held.ContainsKey("photon-updater-photon1") ? 3 : 5, clair.Photon.Held.Count);
        Assert.All(clair.Photon.Held, held => Assert.True(
            held.Value.SetEquals(reference.Photon.Held[held.Key.EndsWith(".0", StringComparison.Ordinal) ? held.Key : $"photon-updater-{held.Key[^1]}.0"]), held.Key));
    }

    private static void SameOval(OvalUpdaterSet reference, OvalUpdaterSet clair)
    {
        Assert.NotEmpty(reference.Held.Keys);
        Assert.Equal(reference.Held.Keys.Order(StringComparer.Ordinal), clair.Held.Keys.Order(StringComparer.Ordinal));
        Assert.All(reference.Held, held => Assert.True(held.Value.SetEquals(clair.Held[held.Key]), held.Key));
    }
}

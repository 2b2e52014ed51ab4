using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Publishing;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>A Clair against the served mirror, and what it must end with: what the conformance tests of all sources share.</summary>
internal static class ConformanceRig
{
    public const string Vex = "security.access.redhat.com/data/csaf/v2/vex/";
    public static readonly DateTimeOffset UpstreamTime = new(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);

    private const string Series = "api.launchpad.net/1.0/ubuntu/series";

    public static async Task<(ClairOutcome Outcome, string? Error)> OutcomeAsync<THeld>(ClairUpdaterSet<THeld> set)
    {
        ClairPoll<THeld> poll = await set.PollAsync();
        return (poll.Outcome, poll.Error);
    }

    /// <summary>The scores of yesterday, by the sites' clock.</summary>
    public static void PutEpss(TwoSites sites, params string[] rows)
    {
        (string hostPath, byte[] content) = GzipFeeds.Epss(DateOnly.FromDateTime(sites.Clock.GetUtcNow().UtcDateTime).AddDays(-1), rows);
        sites.Upstream.Replace(hostPath, content);
    }

    public static Task<TwoSites> SampleAsync() => TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), UpstreamTime));

    public static void MoveUpstream(TwoSites sites, string day, int age) =>
        sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample(day), UpstreamTime.AddDays(age)));

    public static void Show(TwoSites sites, (string Day, string? Change) state, int step)
    {
        MoveUpstream(sites, state.Day, step + 1);
        if (state.Change is not null)
        {
            ChangeOneDocument(sites, state.Change);
        }
    }

    /// <summary>Upstream changes one VEX document, and says so in changes.csv.</summary>
    public static void ChangeOneDocument(TwoSites sites, string mark)
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
    public static async Task<ClairMatcher> ClairAsync(TwoSites sites, ClairRelease release = ClairRelease.V490, TimeProvider? clock = null)
    {
        Uri mirror = await sites.MirrorAsync();
        return new(ClairConfig.ByPath(mirror) with { Release = release, UbuntuForce = Forced(sites), OtherHostsUnder = mirror }, clock ?? sites.Clock);
    }

    /// <summary>The releases of Ubuntu that the current generation has, as whoever configures Clair lists them.</summary>
    public static List<(string Name, string Version)> Forced(TwoSites sites)
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
    public static async Task<IReadOnlyList<ClairUpdate>> PollAsync(ClairMatcher clair, TwoSites sites)
    {
        await ServedAsync(sites);
        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();
        Assert.All(updates, u => Assert.True(u.Outcome <= ClairOutcome.Updated, $"{u.Updater}: {u.Outcome} {u.Error}"));
        return updates;
    }

    public static async Task ServedAsync(TwoSites sites, string path = Vex + "archive_latest.txt")
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
    public static async Task SameAsUpstreamAsync(ClairMatcher clair, TwoSites sites)
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

    public static void SameOval(OvalUpdaterSet reference, OvalUpdaterSet clair)
    {
        Assert.NotEmpty(reference.Held.Keys);
        Assert.Equal(reference.Held.Keys.Order(StringComparer.Ordinal), clair.Held.Keys.Order(StringComparer.Ordinal));
        Assert.All(reference.Held, held => Assert.True(held.Value.SetEquals(clair.Held[held.Key]), held.Key));
    }
}

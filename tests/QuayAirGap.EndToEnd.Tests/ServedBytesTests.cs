using System.Formats.Tar;
using System.Security.Cryptography;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.TestKit.Upstream;
using Xunit;
using ZstdSharp;
using RealFeeds = QuayAirGap.TestKit.Samples.RealFeeds;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>Nothing is served that is neither the upstream's bytes nor named as derived, with what it was derived from.</summary>
public sealed class ServedBytesTests
{
    private const string Vex = "security.access.redhat.com/data/csaf/v2/vex/";

    [Fact]
    public Task Every_byte_of_the_sample_is_accounted_for() => CheckAsync([Repository.Sample("day1")], [Repository.Sample("day2")], real: false);

    [Fact]
    public Task Every_byte_of_real_feeds_is_accounted_for()
    {
        string? small = Repository.Feeds("small");
        string? next = Repository.Feeds("small-next");
        string? synthetic = Repository.Feeds("synthetic");
        Assert.SkipUnless(small is not null && next is not null && synthetic is not null, "The real feed data is not beside the checkout.");
        return CheckAsync([small!, synthetic!, Repository.EmptyNvdYears], [next!, synthetic!, Repository.EmptyNvdYears], real: true);
    }

    private static async Task CheckAsync(string[] first, string[] second, bool real)
    {
        var time = new DateTimeOffset(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);
        await using TwoSites sites = await TwoSites.StartAsync([.. first.Select(f => new UpstreamLayer(f, time))]);
        if (real)
        {
            RealFeeds.FillGaps(sites.Upstream);
        }

        Uri mirror = await sites.MirrorAsync();

        ImportResult one = await sites.CarryAsync();
        await WaitForAsync(mirror, one.Generation);
        await CheckGenerationAsync(sites, mirror, one.Generation);

        sites.Upstream.SetLayers([.. second.Select(f => new UpstreamLayer(f, time.AddDays(1)))]);
        if (real)
        {
            RealFeeds.FillGaps(sites.Upstream);
        }

        sites.Clock.Advance(TimeSpan.FromDays(1));
        ImportResult two = await sites.CarryAsync();
        Assert.Equal(one.Generation.Number + 1, two.Generation.Number);
        await WaitForAsync(mirror, two.Generation);
        await CheckGenerationAsync(sites, mirror, two.Generation);
    }

    private static async Task CheckGenerationAsync(TwoSites sites, Uri mirror, Generation generation)
    {
        using var http = new HttpClient(new SocketsHttpHandler(), disposeHandler: true);
        int verbatim = 0;
        foreach (GenerationEntry entry in generation.Entries)
        {
            byte[] served = await GetAsync(http, new Uri(mirror, Uri.EscapeDataString(entry.Path[1..]).Replace("%2F", "/")));
            Assert.Equal(entry.Sha256, Convert.ToHexStringLower(SHA256.HashData(served)));
            if (entry.Derivation is null)
            {
                verbatim++;
                Assert.True(sites.Upstream.Content(entry.Path[1..]).AsSpan().SequenceEqual(served), $"{entry.Path} differs from the upstream's.");
            }
            else
            {
                Assert.NotEmpty(entry.Derivation.Rule);
                Assert.NotEmpty(entry.Derivation.Inputs);
            }
        }

        Assert.True(verbatim > 10);
        Assert.DoesNotContain(generation.Sources, s => s.State is CaptureState.Failed or CaptureState.Missing);
        ArchiveMembers archive = Assert.Single(generation.Archives);
        Dictionary<string, byte[]> current = VexDocuments(sites.Upstream);
        Assert.Equal(current.Keys.Order(StringComparer.Ordinal), archive.Members.Select(m => m.Path));
        foreach (ArchiveMember member in archive.Members)
        {
            byte[] served = await GetAsync(http, new Uri(mirror, archive.PathPrefix[1..] + member.Path));
            Assert.True(current[member.Path].AsSpan().SequenceEqual(served), $"{member.Path} differs from the upstream's.");
        }
    }

    private static async Task<byte[]> GetAsync(HttpClient http, Uri url)
    {
        using HttpResponseMessage answer = await http.GetAsync(url);
        Assert.True(answer.IsSuccessStatusCode, $"{url}: {(int)answer.StatusCode}");
        return await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>What a reader of the upstream itself would have: the archive, overlaid by newer documents, without the deleted ones.</summary>
    private static Dictionary<string, byte[]> VexDocuments(UpstreamServer upstream)
    {
        var documents = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        string name = System.Text.Encoding.ASCII.GetString(upstream.Content(Vex + "archive_latest.txt")).Trim();
        using var zstd = new DecompressionStream(new MemoryStream(upstream.Content(Vex + name)));
        using var tar = new TarReader(zstd);
        while (tar.GetNextEntry() is { } entry)
        {
            // What is older than 2015 no Clair reads (lookBackToYear in claircore's rhel/vex/updater.go), and we do not publish.
            if (entry.DataStream is { } data && string.CompareOrdinal(entry.Name, "2015") >= 0)
            {
                using var copy = new MemoryStream();
                data.CopyTo(copy);
                documents[entry.Name] = copy.ToArray();
            }
        }

        foreach (string path in Rows(upstream, "changes.csv").Where(p => string.CompareOrdinal(p, "2015") >= 0))
        {
            documents[path] = upstream.Content(Vex + path);
        }

        foreach (string path in Rows(upstream, "deletions.csv"))
        {
            documents.Remove(path);
        }

        return documents;
    }

    private static IEnumerable<string> Rows(UpstreamServer upstream, string file) =>
        System.Text.Encoding.UTF8.GetString(upstream.Content(Vex + file))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.Split(',')[0].Trim('"'));

    private static async Task WaitForAsync(Uri mirror, Generation generation)
    {
        using var http = new HttpClient(new SocketsHttpHandler(), disposeHandler: true);
        ArchiveMembers archive = generation.Archives[0];
        for (int i = 0; i < 100; i++)
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(mirror, Vex + "archive_latest.txt"));
            string name = answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync() : "";
            if (generation.Entries.Any(e => e.Path == "/" + Vex + name && e.Sha256 == archive.ArchiveSha256))
            {
                return;
            }

            await Task.Delay(100);
        }

        Assert.Fail("The mirror never switched to the new generation.");
    }
}

using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>A site that takes deltas publishes what a site that takes full bundles publishes.</summary>
public sealed class DeltaConformanceTests
{
    [Fact]
    public async Task A_site_that_takes_deltas_ends_with_what_a_site_that_takes_full_bundles_has()
    {
        await using TwoSites sites = await TwoSites.StartAsync(Layer("day1", 0));
        Site other = Site.OpenOrCreate(Path.Combine(sites.Folder, "other"));
        new TrustStore(other).Add(sites.CertificatePath);
        SaveResult first = await sites.SaveAsync();
        await sites.ImportAsync(first.Path);
        await ImportAsync(other, first.Path);

        sites.Upstream.SetLayers(Layer("day2", 1));
        sites.Clock.Advance(TimeSpan.FromDays(1));
        SaveResult delta = await sites.SaveDeltaAsync();
        Assert.Equal(first.SnapshotSha256, delta.Snapshot.Base);
        Generation byDelta = (await sites.ImportAsync(delta.Path)).Generation;
        Generation byFull = (await ImportAsync(other, (await sites.SaveAsync()).Path)).Generation;
        Assert.Equal(Served(byFull), Served(byDelta));

        // Cumulative, on the first again; and back to what the first day had.
        sites.Upstream.SetLayers(Layer("day1", 2));
        sites.Clock.Advance(TimeSpan.FromDays(1));
        byDelta = (await sites.ImportAsync((await sites.SaveDeltaAsync(first.Path)).Path)).Generation;
        byFull = (await ImportAsync(other, (await sites.SaveAsync()).Path)).Generation;
        Assert.Equal(Served(byFull), Served(byDelta));

        // Another site, which has nothing, takes no delta; and what the delta says of the sources is what a full bundle says.
        Site empty = Site.OpenOrCreate(Path.Combine(sites.Folder, "empty"));
        new TrustStore(empty).Add(sites.CertificatePath);
        Core.FeedException e = await Assert.ThrowsAsync<Core.FeedException>(() => ImportAsync(empty, delta.Path));
        Assert.Equal(Core.ErrorIds.BundleBase, e.ErrorId);
        Assert.Equal(byFull.Sources.Select(s => (s.Name, s.State, s.AdvisoryCount)), byDelta.Sources.Select(s => (s.Name, s.State, s.AdvisoryCount)));

        Task<ImportResult> ImportAsync(Site site, string path) =>
            new FeedImporter(site, SiteSettings.Load(site), sites.Clock).ImportAsync(path, null, TestContext.Current.CancellationToken);
    }

    /// <summary>Path, content and validators of everything that is served; the archive's name and stamps are the generation's own.</summary>
    private static string[] Served(Generation generation) =>
    [
        .. generation.Entries.Where(e => e.Derivation is null || !e.Derivation.Rule.StartsWith("rhel-vex", StringComparison.Ordinal))
            .Select(e => $"{e.Path} {e.Sha256}"),
        .. generation.Archives.SelectMany(a => a.Members).Select(m => $"{m.Path} {m.Sha256}"),
    ];

    private static UpstreamLayer Layer(string day, int age) =>
        new(Repository.Sample(day), new DateTimeOffset(2026, 11, 1, 6, 0, 0, TimeSpan.Zero).AddHours(age));
}

using QuayAirGap.Core.Freshness;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>A disk that rots: found, told of, never called fresh, and mended by the next full bundle.</summary>
public sealed class StoreCheckTests : IAsyncLifetime
{
    private const string Main = "https://secdb.alpinelinux.org/v3.3/main.json";

    private static readonly byte[] s_document = System.Text.Encoding.UTF8.GetBytes("""{"reponame":"main","distroversion":"v3.3","packages":[]}""");

    private BundleKit _kit = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Site Inside => _kit.Inside;

    private string BlobPath => Inside.Store.PathOf(Sha256Digest.Of(s_document));

    public async ValueTask InitializeAsync()
    {
        _kit = new BundleKit();
        (string sha256, long size) = await _kit.Outside.Store.AddAsync(new MemoryStream(s_document), Token);
        await _kit.WithAsync("osv", ("x.zip", [1, 2, 3]));
        Snapshot snapshot = _kit.Snapshot with
        {
            Sources =
            [
                .. _kit.Snapshot.Sources,
                new SourceSnapshot
                {
                    Name = "alpine",
                    State = CaptureState.Captured,
                    CapturedAt = _kit.Snapshot.Created,
                    Files = [new SnapshotFile { Url = Main, Sha256 = sha256, Size = size }],
                    Directories = ["https://secdb.alpinelinux.org/v3.3/"],
                },
            ],
        };
        await _kit.WriteAsync("full.tar", snapshot);
        await ImportAsync();
        Assert.Contains(new GenerationStore(Inside).LoadCurrent()!.Entries, e => e.Sha256 == sha256);
        Assert.Equal(FeedState.Fresh, Alpine().State);
    }

    public ValueTask DisposeAsync()
    {
        _kit.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void A_store_that_is_whole_is_called_that()
    {
        StoreCheck check = Check();
        Assert.Empty(check.Faults);
        Assert.True(check.Contents >= 2);
        Assert.True(check.Bytes >= s_document.Length + 3);
        Assert.Equal(LedgerEvents.StoreChecked, new Ledger(Inside, _kit.Clock).Read().Last().Event);
        Assert.False(File.Exists(Path.Combine(Inside.Root, "store", "damaged.json")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_damaged_content_is_found_its_source_is_not_fresh_and_the_very_same_bundle_brings_it_back(bool repair)
    {
        byte[] rotten = [.. s_document];
        rotten[5] ^= 4;
        File.WriteAllBytes(BlobPath, rotten);
        Assert.Equal(FeedState.Fresh, Alpine().State); // nobody has looked yet

        StoreFault fault = Assert.Single(Check(repair).Faults);
        Assert.Equal((Sha256Digest.Of(s_document), false, true, repair), (fault.Sha256, fault.IsMissing, fault.IsServed, fault.Removed));
        Assert.Equal(["alpine"], fault.Sources);
        Assert.Equal(repair, !File.Exists(BlobPath));
        Assert.Equal(FeedState.Failed, Alpine().State);
        Assert.NotEqual(FreshnessLevel.Ok, Alpine().Level);
        Assert.Contains("Repair-ClairFeedStore", Alpine().Reason);

        ImportResult again = await ImportAsync();
        Assert.True(again.Changed);
        Assert.Equal(s_document, File.ReadAllBytes(BlobPath));
        Assert.Equal(FeedState.Fresh, Alpine().State);
        Assert.Empty(Check().Faults);
        Assert.False((await ImportAsync()).Changed);
    }

    [Fact]
    public async Task A_lost_content_is_found_and_brought_back_also_where_nobody_has_checked()
    {
        File.Delete(BlobPath);
        Assert.True((await ImportAsync()).Changed);
        Assert.Equal(s_document, File.ReadAllBytes(BlobPath));

        File.Delete(BlobPath);
        StoreFault fault = Assert.Single(Check().Faults);
        Assert.True(fault.IsMissing);
        Assert.Equal(FeedState.Failed, Alpine().State);
        Assert.True((await ImportAsync()).Changed);
        Assert.Equal(FeedState.Fresh, Alpine().State);
    }

    [Fact]
    public async Task What_the_mirror_derives_is_made_anew()
    {
        GenerationEntry listing = new GenerationStore(Inside).LoadCurrent()!.Entries.Single(e => e.Derivation is not null && e.Source == "alpine");
        string path = Inside.Store.PathOf(listing.Sha256);
        byte[] whole = File.ReadAllBytes(path);
        byte[] rotten = [.. whole];
        rotten[3] ^= 1;
        File.WriteAllBytes(path, rotten);
        Assert.Equal(listing.Sha256, Assert.Single(Check().Faults).Sha256);
        Assert.Equal(FeedState.Failed, Alpine().State);
        Assert.True((await ImportAsync()).Changed);
        Assert.Equal(whole, File.ReadAllBytes(path));
        Assert.Equal(FeedState.Fresh, Alpine().State);
        Assert.Empty(Check().Faults);
    }

    [Fact]
    public void A_record_that_cannot_be_read_is_no_clean_bill()
    {
        File.WriteAllText(Path.Combine(Inside.Root, "store", "damaged.json"), "[\"x\"]");
        Assert.Equal(ErrorIds.SiteDamaged, Assert.Throws<FeedException>(() => Alpine()).ErrorId);
        Assert.Empty(Check().Faults);
        Assert.Equal(FeedState.Fresh, Alpine().State);
    }

    private StoreCheck Check(bool repair = false) => new StoreChecker(Inside, _kit.Clock).Check(repair, null, Token);

    private SourceFreshness Alpine() => SiteFreshness.Of(Inside, SiteSettings.Load(Inside), _kit.Clock).Single(s => s.Name == "alpine");

    private Task<ImportResult> ImportAsync() =>
        new FeedImporter(Inside, SiteSettings.Load(Inside), _kit.Clock).ImportAsync(_kit.PathOf("full.tar"), null, Token);
}

using System.Text;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Families;

/// <summary>One source between a test upstream and a site: collected by the real session, published by the real publisher.</summary>
internal sealed class FamilyRig : IAsyncDisposable
{
    private readonly string _folder;
    private readonly UpstreamOptions _options = new()
    {
        Attempts = 2,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        StallTimeout = TimeSpan.FromSeconds(5),
        RetakeDelay = TimeSpan.FromMilliseconds(1),
    };

    private long _sequence;

    private FamilyRig(string folder, UpstreamServer upstream, string source)
    {
        _folder = folder;
        Upstream = upstream;
        Site = Site.OpenOrCreate(Path.Combine(folder, "site"));
        Settings = new SourceSettings { Definition = SourceCatalog.Get(source) };
    }

    public UpstreamServer Upstream { get; }

    /// <summary>What the site's settings say of the source.</summary>
    public SourceSettings Settings { get; set; }

    public Site Site { get; }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    /// <summary>Called while collecting, before the collector goes on.</summary>
    public Action<FeedProgress>? WhileCollecting { get; set; }

    /// <summary>The last good capture, as the next one sees it.</summary>
    public SourceSnapshot? Previous { get; set; }

    public static async Task<FamilyRig> StartAsync(string source, params string[] layers)
    {
        string folder = Directory.CreateTempSubdirectory("family").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "upstream"));
        return new FamilyRig(folder, await UpstreamServer.StartAsync([Path.Combine(folder, "upstream"), .. layers]), source);
    }

    /// <summary>The folder of real feeds, where it is there; skips the test otherwise.</summary>
    public static string RealFeeds(string layer)
    {
        string? root = Environment.GetEnvironmentVariable("QUAYAIRGAP_FEEDS");
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); root is null && at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "QuayAirGap.sln")))
            {
                root = Path.Combine(at.FullName, "..", "shared", "feeds");
            }
        }

        string folder = Path.Combine(root ?? "", layer);
        Assert.SkipUnless(root is not null && Directory.Exists(folder), "The real feeds are not here.");
        return folder;
    }

    public void Put(string hostPath, string content, DateTimeOffset? lastModified = null) =>
        Upstream.Replace(hostPath, Encoding.UTF8.GetBytes(content), lastModified);

    public async Task<SourceSnapshot> CollectAsync()
    {
        using var client = new UpstreamClient(_options);
        var taker = new SourceTaker(client, Site.Store, _options, Upstream.Root, new HashSet<string>(), Clock, new Listener(this));
        return Previous = await taker.CollectAsync(Family, Session(client), CancellationToken.None);
    }

    /// <summary>One take, as the family sees it.</summary>
    public async Task<CollectedContent> CollectContentAsync()
    {
        using var client = new UpstreamClient(_options);
        return await Family.CollectAsync(Session(client), CancellationToken.None);
    }

    /// <summary>Collects as a run does: held against the last good capture, which stays where this one is worse.</summary>
    public async Task<SourceSnapshot> TakeAsync(bool acceptRegression = false)
    {
        using var client = new UpstreamClient(_options);
        HashSet<string> accepted = acceptRegression ? [Settings.Name] : [];
        return await new SourceTaker(client, Site.Store, _options, Upstream.Root, accepted, Clock, new Listener(this))
            .TakeAsync(Family, Settings, Previous, CancellationToken.None);
    }

    /// <summary>Asserts that collecting fails with an id and that the message or target names something.</summary>
    public async Task<FeedException> FailsAsync(string errorId, string names)
    {
        FeedException e = await Assert.ThrowsAsync<FeedException>(CollectContentAsync);
        Assert.Equal(errorId, e.ErrorId);
        Assert.Contains(names, e.Message + " " + e.Target, StringComparison.Ordinal);
        Assert.NotNull(e.Remedy);
        return e;
    }

    public async Task<Generation> PublishAsync(SourceSnapshot source)
    {
        using SiteLock held = Site.Lock();
        var snapshot = new Snapshot
        {
            Stream = new Guid("6f0b1a4e-0000-4000-8000-000000000001"),
            Sequence = ++_sequence,
            Created = Clock.GetUtcNow(),
            Expires = Clock.GetUtcNow().AddDays(30),
            Producer = "test",
            Sources = [source],
        };
        return await new Publisher(Site, Clock).PublishAsync(snapshot, new string('0', 64), progress: null, CancellationToken.None);
    }

    public string ContentOf(GenerationEntry entry)
    {
        using var reader = new StreamReader(Site.Store.OpenRead(entry.Sha256), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Every file published verbatim is the upstream's, byte for byte; everything else says what it was made from.</summary>
    public void AssertFaithful(Generation generation)
    {
        foreach (GenerationEntry entry in generation.Entries)
        {
            if (entry.Derivation is null)
            {
                Assert.Equal(Upstream.Content(entry.Path.TrimStart('/')), File.ReadAllBytes(Site.Store.PathOf(entry.Sha256)));
            }
            else
            {
                Assert.NotEmpty(entry.Derivation.Inputs);
            }
        }
    }

    private IFeedFamily Family => SourceCatalog.FamilyOf(Settings.Definition);

    private CollectSession Session(UpstreamClient client) =>
        new(client, Site.Store, Settings, Previous, _options, Upstream.Root, Clock, new Listener(this));

    public async ValueTask DisposeAsync()
    {
        await Upstream.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class Listener(FamilyRig rig) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value) => rig.WhileCollecting?.Invoke(value);
    }
}

using System.Text;
using Microsoft.Extensions.Time.Testing;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Sources.Osv;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.Core.Tests.Osv;

/// <summary>An OSV upstream, a site that collects from it, and its publications: all real but the bytes.</summary>
internal sealed class OsvLab : IAsyncDisposable
{
    public const string Host = "osv-vulnerabilities.storage.googleapis.com";

    private readonly TempFolder _folder = new();
    private readonly UpstreamClient _client = new(new UpstreamOptions { Attempts = 2, RetryDelay = TimeSpan.FromMilliseconds(1) });

    private OsvLab(UpstreamServer upstream)
    {
        Upstream = upstream;
        Site = Site.OpenOrCreate(_folder.Of("site"));
        Directory.CreateDirectory(Site.StagingFolder);
    }

    public UpstreamServer Upstream { get; }

    public Site Site { get; }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2025, 2, 7, 0, 0, 0, TimeSpan.Zero));

    public OsvFamily Family { get; } = new();

    public static async Task<OsvLab> StartAsync(string list = "Go\nMaven\nPyPI\nRubyGems\n", params string[] layers)
    {
        var lab = new OsvLab(await UpstreamServer.StartAsync(layers));
        if (layers.Length == 0)
        {
            lab.Upstream.Replace($"{Host}/ecosystems.txt", Encoding.UTF8.GetBytes(list));
            foreach (string ecosystem in new[] { "Go", "Maven", "PyPI", "RubyGems" })
            {
                lab.SetArchive(ecosystem, Advisories.Many(40, ecosystem));
            }
        }

        return lab;
    }

    public void SetArchive(string ecosystem, params (string Name, string Content)[] documents) =>
        SetArchive(ecosystem, ZipForge.Make([.. documents.Select(d => new ForgedMember(d.Name, d.Content))]));

    public void SetArchive(string ecosystem, byte[] zip) => Upstream.Replace($"{Host}/{ecosystem}/all.zip", zip);

    public Task<CollectedContent> CollectAsync(
        SourceSnapshot? previous = null, InspectionMemory? inspections = null, CancellationToken cancellationToken = default) => Family.CollectAsync(
        new CollectSession(
            _client, Site.Store, new SourceSettings { Definition = Family.Sources[0] }, previous, new UpstreamOptions(), Upstream.Root, Clock, progress: null,
            inspections),
        cancellationToken);

    public async Task<SourceSnapshot> CaptureAsync(SourceSnapshot? previous = null) => Captured(await CollectAsync(previous));

    public SourceSnapshot Captured(CollectedContent content) => new()
    {
        Name = "osv",
        State = CaptureState.Captured,
        CapturedAt = Clock.GetUtcNow(),
        Files = content.Files,
        Updaters = content.Updaters,
        AdvisoryCount = content.AdvisoryCount,
        Findings = content.Findings,
        Deselected = content.Deselected,
        UpstreamModified = content.UpstreamModified,
    };

    /// <summary>Publishes the next generation of a site that carries nothing else.</summary>
    public async Task<Generation> PublishAsync(SourceSnapshot source)
    {
        Clock.Advance(TimeSpan.FromHours(6));
        var snapshot = new Snapshot
        {
            Stream = Guid.Empty,
            Sequence = Clock.GetUtcNow().ToUnixTimeSeconds(),
            Created = Clock.GetUtcNow(),
            Expires = Clock.GetUtcNow().AddDays(30),
            Producer = "test",
            Sources = [source],
        };
        return await new Publisher(Site, Clock).PublishAsync(snapshot, Sha256Digest.Of("snapshot"u8), progress: null, default);
    }

    public async Task<Generation> CaptureAndPublishAsync(SourceSnapshot? previous = null) => await PublishAsync(await CaptureAsync(previous));

    /// <summary>What the mirror serves at a path.</summary>
    public byte[] Served(Generation generation, string path)
    {
        using FileStream blob = Site.Store.OpenRead(generation.Entries.Single(e => e.Path == path).Sha256);
        byte[] content = new byte[blob.Length];
        blob.ReadExactly(content);
        return content;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Upstream.DisposeAsync();
        _folder.Dispose();
    }
}

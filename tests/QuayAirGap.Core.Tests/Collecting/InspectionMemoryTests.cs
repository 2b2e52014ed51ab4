using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Osv;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.Core.Tests.Collecting;

/// <summary>What a capture remembers of contents saves time, and never changes what the next one says.</summary>
public sealed class InspectionMemoryTests : IAsyncLifetime
{
    /// <summary>Of all whose contents take long to read, one of each kind.</summary>
    private static readonly string[] s_sources = ["osv", "debian", "clair.cvss", "oracle"];

    private readonly TempFolder _folder = new();
    private readonly List<string> _read = [];
    private UpstreamServer _upstream = null!;
    private Site _site = null!;
    private BundleSigner _signer = null!;
    private int _saves;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _upstream = await UpstreamServer.StartAsync([SampleUpstream.Complete(1)]);
        _site = Site.OpenOrCreate(_folder.Of("site"));
        string pfx = _folder.Of("signer.pfx");
        SignerFactory.Create(pfx, "CN=Collector", null, TimeSpan.FromDays(30), TimeProvider.System);
        _signer = BundleSigner.Load(pfx, null);
    }

    public async ValueTask DisposeAsync()
    {
        _signer.Dispose();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_unchanged_capture_reads_nothing_again_and_says_the_same()
    {
        string first = await SaveAsync();
        Assert.Equal(s_sources.Order(), _read.Order());

        string remembered = await SaveAsync();
        Assert.Empty(_read);
        File.Delete(_site.InspectionsFile);
        string readAgain = await SaveAsync();
        Assert.Equal(s_sources.Order(), _read.Order());
        Assert.Equal(first, remembered);
        Assert.Equal(readAgain, remembered);
    }

    [Fact]
    public async Task Content_that_changed_is_read()
    {
        await SaveAsync();
        string tracker = "security-tracker.debian.org/tracker/data/json";
        string more = Encoding.UTF8.GetString(_upstream.Content(tracker)).TrimEnd()[..^1]
            + ",\"zz-new\":{\"CVE-2099-1\":{\"releases\":{\"bookworm\":{\"status\":\"open\",\"urgency\":\"low\",\"repositories\":{\"bookworm\":\"1\"}}}}}}";
        _upstream.Replace(tracker, Encoding.UTF8.GetBytes(more), new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        Snapshot before = _last;
        await SaveAsync();
        Assert.Equal(["debian"], _read);
        Assert.Equal(CountOf(before, "debian") + 1, CountOf(_last, "debian"));
    }

    [Theory]
    [InlineData("a digit is another")]
    [InlineData("cut in half")]
    [InlineData("empty")]
    [InlineData("no file but a folder")]
    [InlineData("whole, but another build's")]
    public async Task What_is_damaged_or_of_other_rules_is_not_believed(string what)
    {
        string honest = await SaveAsync();
        byte[] file = await File.ReadAllBytesAsync(_site.InspectionsFile, Token);
        string wrong = Encoding.UTF8.GetString(file).Replace("\"Count\":", "\"Count\":9", StringComparison.Ordinal);
        File.Delete(_site.InspectionsFile);
        switch (what)
        {
            case "a digit is another":
                await File.WriteAllTextAsync(_site.InspectionsFile, wrong, Token);
                break;
            case "cut in half":
                await File.WriteAllBytesAsync(_site.InspectionsFile, file[..(file.Length / 2)], Token);
                break;
            case "empty":
                await File.WriteAllBytesAsync(_site.InspectionsFile, [], Token);
                break;
            case "no file but a folder":
                Directory.CreateDirectory(_site.InspectionsFile);
                break;
            default:
                await File.WriteAllTextAsync(
                    _site.InspectionsFile, Sealed(wrong.Replace(InspectionMemory.ThisBuild, Guid.NewGuid().ToString(), StringComparison.Ordinal)), Token);
                break;
        }

        Assert.Equal(honest, await SaveAsync());
        Assert.Equal(s_sources.Order(), _read.Order());
    }

    /// <summary>The test above means something only if a file of this build would have been believed.</summary>
    [Fact]
    public async Task What_this_build_wrote_is_believed()
    {
        await SaveAsync();
        Snapshot honest = _last;
        string wrong = (await File.ReadAllTextAsync(_site.InspectionsFile, Token)).Replace("\"Count\":", "\"Count\":9", StringComparison.Ordinal);
        await File.WriteAllTextAsync(_site.InspectionsFile, Sealed(wrong), Token);
        await SaveAsync();
        Assert.True(CountOf(_last, "debian") > CountOf(honest, "debian"));
    }

    [Fact]
    public async Task Contents_that_the_store_has_let_go_are_forgotten()
    {
        string path = _folder.Of("memory.json");
        int reads = 0;
        Task<Inspection> Read()
        {
            reads++;
            return Task.FromResult(new Inspection { Count = 3 });
        }

        string kept = new('a', 64), gone = new('b', 64);
        InspectionMemory memory = InspectionMemory.Load(path, "build");
        await memory.OfAsync(kept, "rules", Read);
        await memory.OfAsync(gone, "rules", Read);
        memory.Save(path, _ => true);
        InspectionMemory.Load(path, "build").Save(path, sha256 => sha256 == kept);

        reads = 0;
        memory = InspectionMemory.Load(path, "build");
        Assert.Equal(3, (await memory.OfAsync(kept, "rules", Read)).Count);
        Assert.Equal(0, reads);
        await memory.OfAsync(kept, "other rules", Read);
        await memory.OfAsync(gone, "rules", Read);
        Assert.Equal(2, reads);
    }

    /// <summary>An advisory that harms Clair is passed over by it from a day after its withdrawal: what was found before is then wrong.</summary>
    [Fact]
    public async Task What_another_day_would_judge_otherwise_is_not_remembered()
    {
        await using OsvLab lab = await OsvLab.StartAsync();
        string withdrawn = lab.Clock.GetUtcNow().AddHours(-1).ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
        lab.SetArchive(
            "Go", ("GHSA-1.json", Advisories.With("GHSA-1", Advisories.BadVector, "Go", more: $"\n  \"withdrawn\": \"{withdrawn}\",")),
            ("GHSA-2.json", Advisories.Sound("GHSA-2", "Go")));
        var memory = new InspectionMemory();
        Assert.Contains((await lab.CollectAsync(inspections: memory)).Findings, f => f.HeldBack.Count == 1);

        lab.Clock.Advance(TimeSpan.FromDays(3));
        Assert.DoesNotContain((await lab.CollectAsync(inspections: memory)).Findings, f => f.HeldBack.Count > 0);
    }

    private Snapshot _last = null!;

    /// <returns>What the capture says, but for the moment and the requests.</returns>
    private async Task<string> SaveAsync()
    {
        _read.Clear();
        SaveResult saved = await new FeedCollector(_site, SiteSettings.Load(_site), TimeProvider.System).SaveAsync(
            new SaveRequest
            {
                Destination = _folder.Of($"{++_saves}.tar"),
                Signers = [_signer],
                UpstreamRoot = _upstream.Root,
                Names = s_sources,
            },
            new Listener(_read), Token);
        Assert.Empty(saved.Incomplete);
        _last = saved.Snapshot;
        return string.Join('\n', saved.Snapshot.Sources.Where(s => s_sources.Contains(s.Name)).Select(Text));
    }

    private static string Text(SourceSnapshot source) => string.Join(
        ' ', source.Name, source.AdvisoryCount, source.NewestAdvisory, string.Join(',', source.Sample), string.Join(',', source.Releases), string.Join(',', source.Updaters),
        string.Join(',', source.Findings?.Select(f => $"{f.Sha256} {f.Rules} {string.Join(',', f.HeldBack)}") ?? []), string.Join(',', source.Files.Select(f => f.Sha256)));

    private static long CountOf(Snapshot snapshot, string source) => snapshot.Sources.Single(s => s.Name == source).AdvisoryCount;

    /// <summary>The file with the digest that it must have.</summary>
    private static string Sealed(string file)
    {
        string json = file[(file.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        return Sha256Digest.Of(Encoding.UTF8.GetBytes(json)) + "\n" + json;
    }

    private sealed class Listener(List<string> read) : IProgress<FeedProgress>
    {
        public void Report(FeedProgress value)
        {
            lock (read)
            {
                if (value.Activity is "Reading" or "Checking" && !read.Contains(value.Source!))
                {
                    read.Add(value.Source!);
                }
            }
        }
    }
}

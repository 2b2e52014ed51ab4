using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Support;
using Xunit;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>
/// The rule for RHEL: a Clair that polls at any rhythm, with any lag of the courier, across reverts and missed generations, ends with
/// exactly the documents of the current generation.
/// </summary>
public sealed class RhelVexWalkTests
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_Clair_ends_with_exactly_the_current_documents_whatever_happens(int seed)
    {
        using var folder = new TempFolder();
        var walk = new Walk(new Random(seed), folder);
        await walk.StartAsync();
        for (int step = 0; step < 300; step++)
        {
            await walk.StepAsync();
        }

        await walk.FinishAsync();

        // A walk that never does the hard things proves nothing.
        Assert.True(walk.Exact > 80, $"{walk.Exact} polls compared");
        Assert.True(walk.Reverts > 2, $"{walk.Reverts} reverts");
        Assert.True(walk.SwitchesWithinFetch > 2, $"{walk.SwitchesWithinFetch} switches within a fetch");
        Assert.True(walk.Unchanged > 2, $"{walk.Unchanged} unchanged generations");
    }

    private sealed class Walk(Random random, TempFolder folder)
    {
        private readonly BlobStore _store = new(folder.Of("store"), folder.Of("staging"));
        private readonly List<(SourceSnapshot Snapshot, SortedDictionary<string, string> Documents)> _captures = [];
        private readonly List<ClairModel> _clairs = [];
        private VexUpstream _upstream = null!;
        private VexMirror _mirror = null!;
        private DateTimeOffset _now = s_start;
        private TimeSpan _mirrorSkew;
        private int _version;
        private int _published;

        public int Exact { get; private set; }

        public int Reverts { get; private set; }

        public int SwitchesWithinFetch { get; private set; }

        public int Unchanged { get; private set; }

        public async Task StartAsync()
        {
            Directory.CreateDirectory(folder.Of("staging"));
            _upstream = new VexUpstream(_store);
            _mirror = new VexMirror(_store, folder.Of("state"));
            for (int i = 0; i < 24; i++)
            {
                _upstream.Put(PathOf(i), ++_version, _now.AddDays(-random.Next(1, 60)));
            }

            _upstream.Pack(_now.AddHours(-3), random);
            await CaptureAsync();
            await PublishAsync(_captures.Count - 1);
            for (int i = 0; i < 3; i++)
            {
                _clairs.Add(new ClairModel { Skew = TimeSpan.FromMinutes(random.Next(-60, 61)) });
            }
        }

        public async Task StepAsync()
        {
            _now += TimeSpan.FromMinutes(random.Next(4) == 0 ? random.Next(1, 3000) : random.Next(1, 200));
            switch (random.Next(14))
            {
                case < 3:
                    ChangeUpstream();
                    break;
                case 3:
                    // Its time is that of its end, or of its arrival; what changed meanwhile is not in it.
                    _upstream.Pack(_now.AddMinutes(random.Next(-60, 300)), random);
                    break;
                case 4:
                    ChangeUpstream();
                    await CaptureAsync();
                    break;
                case 5:
                    await CaptureAsync();
                    await PublishAsync(_captures.Count - 1);
                    break;
                case 6:
                    // The courier is late, or somebody goes back, or the same bundle comes again.
                    await PublishAsync(random.Next(3) == 0 ? _published : random.Next(_captures.Count));
                    break;
                case 7:
                    Trouble();
                    break;
                default:
                    await PollAsync(_clairs[random.Next(_clairs.Count)], disturbed: random.Next(4) == 0);
                    break;
            }
        }

        public async Task FinishAsync()
        {
            _upstream.Put(PathOf(0), ++_version, _now);
            await CaptureAsync();
            await PublishAsync(_captures.Count - 1);
            _clairs.Add(new ClairModel());
            foreach (ClairModel clair in _clairs)
            {
                await PollAsync(clair, disturbed: false);
                Assert.False(clair.Undead);
            }

            Assert.Equal(_upstream.Documents, _mirror.Documents());
        }

        private static string PathOf(int i) => $"20{15 + (i % 9)}/cve-20{15 + (i % 9)}-{1000 + i}.json";

        private void ChangeUpstream()
        {
            for (int n = random.Next(1, 5); n > 0; n--)
            {
                _now += TimeSpan.FromSeconds(1);
                string path = PathOf(random.Next(40));
                if (_upstream.Documents.ContainsKey(path) && random.Next(4) == 0)
                {
                    _upstream.Delete(path, _now);
                }
                else
                {
                    _upstream.Put(path, ++_version, _now);
                }
            }
        }

        private async Task CaptureAsync()
        {
            // Now and then the collecting side starts anew.
            SourceSnapshot? previous = _captures.Count == 0 || random.Next(4) == 0 ? null : _captures[^1].Snapshot;
            SourceSnapshot snapshot = await _upstream.CaptureAsync(_now, previous);
            Assert.Equal(_upstream.Documents.Count, snapshot.AdvisoryCount);
            _captures.Add((snapshot, new(_upstream.Documents, StringComparer.Ordinal)));
        }

        private async Task PublishAsync(int capture)
        {
            Reverts += capture < _published ? 1 : 0;
            _published = capture;
            Generation? before = _mirror.Current;
            DateTimeOffset at = _now + _mirrorSkew;
            Generation generation = await _mirror.PublishAsync(_captures[capture].Snapshot, at);

            Assert.Equal(_captures[capture].Documents, _mirror.Documents());
            string archive = _mirror.Text("archive_latest.txt");
            if (archive.EndsWith($"_g{generation.Number}.tar.zst", StringComparison.Ordinal))
            {
                Assert.Equal(await _mirror.ArchiveFromScratchAsync(_captures[capture].Snapshot, at), generation.Archives[0].ArchiveSha256);
                if (before is not null)
                {
                    string old = before.Entries.Where(e => e.Path.EndsWith(".tar.zst", StringComparison.Ordinal)).MaxBy(e => e.LastModified)!.Path;
                    Assert.Contains(generation.Entries, e => e.Path == old);
                }
            }
            else
            {
                Unchanged++;
                Assert.Equal(before!.Entries, generation.Entries);
            }
        }

        private void Trouble()
        {
            switch (random.Next(5))
            {
                case 0:
                    _clairs[random.Next(_clairs.Count)].Version += "+";
                    break;
                case 1:
                    _clairs[random.Next(_clairs.Count)] = new ClairModel { Skew = TimeSpan.FromMinutes(random.Next(-60, 61)) };
                    break;
                case 2:
                    _clairs[random.Next(_clairs.Count)].Skew = TimeSpan.FromMinutes(random.Next(-60, 61));
                    break;
                default:
                    // Also backwards from one publication to the next; now and then far ahead, until somebody notices.
                    _mirrorSkew = random.Next(6) == 0 ? TimeSpan.FromDays(3) : TimeSpan.FromMinutes(random.Next(-45, 46));
                    break;
            }
        }

        /// <summary>A fetch takes up to two hours; with clocks up to 105 minutes apart that is just within the margin.</summary>
        private async Task PollAsync(ClairModel clair, bool disturbed)
        {
            bool quiet = true;
            DateTimeOffset until = _now.AddMinutes(disturbed ? 120 : 10);
            bool done = await clair.PollAsync(
                async name =>
                {
                    TimeSpan pause = TimeSpan.FromMinutes(random.Next(disturbed ? 25 : 2));
                    _now = _now + pause < until ? _now + pause : _now;
                    if (disturbed && quiet && random.Next(3) == 0)
                    {
                        if (random.Next(2) == 0)
                        {
                            ChangeUpstream();
                            await CaptureAsync();
                        }

                        await PublishAsync(random.Next(2) == 0 ? _captures.Count - 1 : random.Next(_captures.Count));
                        quiet = false;
                        SwitchesWithinFetch++;
                    }

                    return _mirror.Get(name);
                },
                () => _now);
            if (quiet)
            {
                Assert.True(done, "a fetch within one generation failed");
                if (!clair.Undead)
                {
                    Exact++;
                    Assert.Equal(_mirror.Documents().Values.Order(StringComparer.Ordinal), clair.Database.Values.Order(StringComparer.Ordinal));
                }
            }
        }
    }
}

using System.Text;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>
/// Every collected source of the catalogue against every fault: each ends failed with a reason, keeps what it had with its true age, and
/// leaves the others alone; or, where a change underneath cannot hurt it, is captured whole. What each ends with stands in the table of
/// tests/README.md, and this holds it there. <c>QUAYAIRGAP_WRITE_TABLE=1</c> writes it anew.
/// </summary>
public sealed class FaultTableTests(FaultTableTests.Laboratory laboratory) : IClassFixture<FaultTableTests.Laboratory>
{
    private const string Begin = "<!-- fault table: written by EndToEnd.Tests/FaultTableTests -->";
    private const string End = "<!-- end of the fault table -->";

    private static readonly string[] s_faults =
        ["404", "403", "500", "dropped", "cut off", "short", "stalled", "login page", "garbage", "regressed", "changing"];

    public static TheoryData<string> Sources => [.. SourceCatalog.All.Where(s => s.EnabledByDefault).Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task A_source_is_broken_in_every_way_and_never_in_silence(string source)
    {
        var row = new StringBuilder($"| `{source}` |");
        foreach (string fault in s_faults)
        {
            IReadOnlyList<string> outcomes = await laboratory.BreakAsync(source, fault);
            row.Append($" {string.Join("<br>", outcomes.Distinct())} |");
        }

        AssertInReadme(row.ToString(), source);
    }

    [Fact]
    public void The_table_has_a_row_for_each_source_that_is_on_by_default()
    {
        Assert.Equal(
            SourceCatalog.All.Where(s => s.EnabledByDefault).Select(s => s.Name), TableRows(File.ReadAllText(Readme)).Select(r => r.Split('`')[1]));
    }

    private static string Readme => Path.Combine(Repository.Root, "tests", "README.md");

    private static IEnumerable<string> TableRows(string readme) => readme[readme.IndexOf(Begin, StringComparison.Ordinal)..readme.IndexOf(End, StringComparison.Ordinal)]
        .Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal));

    private static void AssertInReadme(string row, string source)
    {
        string readme = File.ReadAllText(Readme);
        if (Environment.GetEnvironmentVariable("QUAYAIRGAP_WRITE_TABLE") == "1")
        {
            Dictionary<string, string> rows = TableRows(readme).ToDictionary(r => r.Split('`')[1]);
            rows[source] = row;
            IEnumerable<string> table =
            [
                Begin, $"| source | {string.Join(" | ", s_faults)} |", $"|---|{string.Concat(s_faults.Select(_ => "---|"))}",
                .. SourceCatalog.All.Where(s => rows.ContainsKey(s.Name)).Select(s => rows[s.Name]),
            ];
            readme = readme[..readme.IndexOf(Begin, StringComparison.Ordinal)] + string.Join('\n', table) + "\n"
                + readme[readme.IndexOf(End, StringComparison.Ordinal)..];
            File.WriteAllText(Readme, readme);
        }

        Assert.Contains(row, TableRows(readme));
    }

    /// <summary>Both sites and an upstream, with everything captured once; each fault is put in force, looked at, and taken back.</summary>
    public sealed class Laboratory : IAsyncLifetime
    {
        private static readonly UpstreamLayer s_layer = new(Repository.Sample("day1"));
        private readonly string[] _all = [.. SourceCatalog.All.Where(s => s.EnabledByDefault).Select(s => s.Name)];
        private readonly Dictionary<string, (string First, string Content)> _targets = [];
        private TwoSites _sites = null!;
        private Snapshot _good = null!;

        public async ValueTask InitializeAsync()
        {
            _sites = await TwoSites.StartAsync(s_layer);
            _sites.Patience = _sites.Patience with { StallTimeout = TimeSpan.FromSeconds(1) };
            SaveResult good = await _sites.SaveAsync(_all);
            Assert.True(good.Incomplete.Count == 0, "The sample upstream must have every source: " + string.Join("; ", good.Incomplete.Select(s => $"{s.Name}: {s.Error}")));
            _good = good.Snapshot;
        }

        public async ValueTask DisposeAsync() => await _sites.DisposeAsync();

        /// <returns>What became of the source, for each of its files that the fault was tried on.</returns>
        public async Task<IReadOnlyList<string>> BreakAsync(string source, string fault)
        {
            List<string> outcomes = [];
            (string first, string content) = await TargetsAsync(source);
            foreach (string target in fault switch
            {
                "404" or "login page" or "garbage" => new[] { first, content }.Distinct(),
                "403" or "500" or "dropped" => [first],
                _ => [content],
            })
            {
                Apply(source, fault, target);
                _sites.Clock.Advance(TimeSpan.FromHours(1));
                SaveResult save = await _sites.SaveAsync(_all);
                _sites.Upstream.ClearFaults();
                _sites.Upstream.SetLayers(s_layer);
                outcomes.Add(Judge(source, fault, target, save));
                if (Of(save.Snapshot, source).State == CaptureState.Captured)
                {
                    _good = save.Snapshot;
                }

                if (fault is "regressed" or "changing")
                {
                    await RecoverAsync(source, fault);
                }
            }

            return outcomes;
        }

        /// <summary>These two leave another last good capture behind; the loss is only taken for good where somebody accepts it.</summary>
        private async Task RecoverAsync(string source, string fault)
        {
            _sites.AcceptRegression = [source];
            SaveResult save = await _sites.SaveAsync(_all);
            _sites.AcceptRegression = [];
            Assert.Empty(save.Incomplete);
            Assert.Equal(fault == "regressed", Of(save.Snapshot, source).AcceptedRegression is not null);
            _good = save.Snapshot;
        }

        private string Judge(string source, string fault, string target, SaveResult save)
        {
            string at = $"{source}, {fault} at {target}: ";
            SourceSnapshot before = Of(_good, source);
            SourceSnapshot now = Of(save.Snapshot, source);
            foreach (SourceSnapshot other in save.Snapshot.Sources.Where(s => s.Name != source && _all.Contains(s.Name)))
            {
                Assert.True(
                    other.State == CaptureState.Captured && other.CapturedAt == _sites.Clock.GetUtcNow()
                    && other.Files.Select(f => f.Sha256).SequenceEqual(Of(_good, other.Name).Files.Select(f => f.Sha256)),
                    $"{at}{other.Name} is {other.State}: {other.Error}");
            }

            if (now.State == CaptureState.Captured)
            {
                // Nothing of it is missing: what changes while it is read, in files that do not depend on each other, as it was met; and what
                // was found in another way than by the listing that is broken.
                bool isSame = before.Files.Select(f => (f.Url, f.Sha256)).SequenceEqual(now.Files.Select(f => (f.Url, f.Sha256)));
                Assert.True(fault == "changing" || isSame, at + "captured without a word");
                Assert.Equal(before.Files.Select(f => f.Url), now.Files.Select(f => f.Url));
                Assert.Equal((before.AdvisoryCount, before.Updaters.Count), (now.AdvisoryCount, now.Updaters.Count));

                // What was found in another way than by the listing that is broken is said to be so.
                Assert.True((fault == "changing") == (now.Note is null), $"{at}{now.Note ?? "captured without a word"}");
                Assert.True(now.Note is null || now.Note.Contains(target.Split('/')[0], StringComparison.Ordinal), $"{at}{now.Note}");
                return now.Note is null ? "taken whole" : "taken whole, and said";
            }

            Assert.True(save.Incomplete is [{ } only] && only.Name == source, at + "is not the one incomplete source");
            Assert.Equal(CaptureState.Failed, now.State);
            Assert.Equal(before.CapturedAt, now.CapturedAt);
            Assert.Equal(before.Files.Select(f => (f.Url, f.Sha256)), now.Files.Select(f => (f.Url, f.Sha256)));
            Assert.False(string.IsNullOrEmpty(now.ErrorId), at + now.Error);

            // A person must see which file or what loss it is about.
            string name = target.TrimEnd('/').Split('/')[^1];
            bool isUnderstood = now.Error!.Contains(name, StringComparison.Ordinal) || now.Error.StartsWith("Regressed: ", StringComparison.Ordinal)
                || now.Error.Contains(target.Split('/')[0], StringComparison.Ordinal);
            Assert.True(isUnderstood, $"{at}{now.Error}");
            return now.ErrorId!;
        }

        private void Apply(string source, string fault, string target)
        {
            string file = target.EndsWith('/') ? target + "index.html" : target;
            switch (fault)
            {
                case "404" or "403" or "500":
                    _sites.Upstream.AddFault(target, UpstreamFault.Status(int.Parse(fault)));
                    break;
                case "dropped":
                    _sites.Upstream.AddFault(target, UpstreamFault.Drop());
                    break;
                case "cut off" or "short" or "stalled":
                    // What has not changed has no body that could break off.
                    _sites.Upstream.Replace(file, [.. _sites.Upstream.Content(file), .. "\n\n"u8]);
                    UpstreamFault Shape(int bytes) => fault switch
                    {
                        "cut off" => UpstreamFault.CutOff(bytes),
                        "short" => UpstreamFault.BodyShorterThanItsLength(7),
                        _ => UpstreamFault.Stall(bytes),
                    };

                    // After its beginning nothing more: a line that brings a little each time brings the file in the end.
                    _sites.Upstream.AddFault(target, Shape(5), times: 1);
                    _sites.Upstream.AddFault(target, Shape(0), after: 1);
                    break;
                case "login page":
                    _sites.Upstream.Replace(file, "<!DOCTYPE html>\n<html><body><form>Sign in to continue</form></body></html>"u8.ToArray());
                    break;
                case "garbage":
                    byte[] garbage = new byte[4000];
                    new Random(7).NextBytes(garbage);
                    _sites.Upstream.Replace(file, garbage);
                    break;
                case "regressed":
                    BelieveInMore(source);
                    break;
                case "changing":
                    foreach (string path in Of(_good, source).Files.Select(f => HostPath(f.Url)).Where(IsText))
                    {
                        string existing = path.EndsWith('/') ? path + "index.html" : path;
                        byte[] content = _sites.Upstream.Content(existing);
                        _sites.Upstream.ReplaceAtEachHit(existing, n => [.. content, .. Encoding.ASCII.GetBytes(new string('\n', n))]);
                    }

                    break;
            }
        }

        /// <summary>What upstream has is the last capture's half, and one updater short: the same as a loss, for any format.</summary>
        private void BelieveInMore(string source)
        {
            var store = new SnapshotStore(_sites.Outside);
            StoredSnapshot newest = store.List()[^1];
            Snapshot snapshot = store.Load(newest.Sha256);
            Snapshot more = snapshot with
            {
                Sources = [.. snapshot.Sources.Select(s => s.Name != source ? s : s with
                {
                    AdvisoryCount = s.AdvisoryCount * 2,
                    Updaters = [.. s.Updaters.Append("an-updater-more").Order(StringComparer.Ordinal)],
                })],
            };
            store.Remove(newest.Sha256);
            store.Save(SnapshotDocument.Serialize(more), [], more.Sequence);
        }

        /// <summary>What the source asks for first, and the largest file that it asks for when it has everything already.</summary>
        private async Task<(string First, string Content)> TargetsAsync(string source)
        {
            if (!_targets.TryGetValue(source, out (string First, string Content) targets))
            {
                _sites.Upstream.ClearRequests();
                _good = (await _sites.SaveAsync(source)).Snapshot;
                List<string> asked = [.. _sites.Upstream.Requests.Where(r => r.Method == "GET" && r.Status is 200 or 304).Select(r => r.HostPath)];
                string content = Of(_good, source).Files.Where(f => asked.Contains(HostPath(f.Url))).MaxBy(f => f.Size)?.Url
                    ?? throw new InvalidOperationException($"'{source}' asks for none of its files.");
                targets = (asked[0], HostPath(content));
                _targets.Add(source, targets);
            }

            return targets;
        }

        private static bool IsText(string path) => !path.EndsWith(".zip", StringComparison.Ordinal) && !path.EndsWith(".zst", StringComparison.Ordinal)
            && !path.EndsWith(".gz", StringComparison.Ordinal) && !path.EndsWith(".bz2", StringComparison.Ordinal) && !path.EndsWith(".xz", StringComparison.Ordinal);

        private static string HostPath(string url) => Uri.UnescapeDataString(new Uri(url).Host + new Uri(url).AbsolutePath);

        private static SourceSnapshot Of(Snapshot snapshot, string name) => snapshot.Sources.Single(s => s.Name == name);
    }
}

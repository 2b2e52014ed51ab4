using System.Diagnostics;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Server.Contents;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>Measures the whole process, so nothing else may run.</summary>
[CollectionDefinition(nameof(ScaleTests), DisableParallelization = true)]
[Collection(nameof(ScaleTests))]
public sealed class ScaleTests(ITestOutputHelper output) : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void A_hundred_thousand_documents_take_little_memory()
    {
        const int Count = 100_000;
        ArchiveMembers archive = _site.Archive("/vex/", [("a.json", TestSite.Bytes("{}"))], 1);
        ArchiveMember only = archive.Members[0];
        _site.Publish(1, [], archive with
        {
            Members = [.. Enumerable.Range(0, Count).Select(i => only with { Path = $"{2015 + (i / 10_000)}/cve-{2015 + (i / 10_000)}-{i:d6}.json" })],
        });
        var generations = new GenerationStore(_site.Site);

        long before = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        GenerationView view = GenerationView.Load(generations, 1, _site.Site.Store);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        long memory = GC.GetTotalMemory(forceFullCollection: true) - before;

        output.WriteLine($"{Count} documents: loaded in {took.TotalMilliseconds:F0} ms, {memory / 1e6:F1} MB held");
        Assert.Equal(Count, view.Count);
        for (int i = 0; i < Count; i += 997)
        {
            using Found? found = view.Find($"/vex/{2015 + (i / 10_000)}/cve-{2015 + (i / 10_000)}-{i:d6}.json");
            Assert.Equal(2, Assert.IsType<Resource>(found).Body.Length);
        }

        Assert.Null(view.Find("/vex/2015/cve-2015-1.json"));
        Assert.InRange(memory, 1, 100_000_000 / 3); // 300,000 documents in less than 100 MB
        GC.KeepAlive(view);
    }
}

using System.Diagnostics;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.Bench;

/// <summary>
/// A quiet day of large feeds: a full bundle, collected as users collect it, and the delta of a day on which files changed that hold about one in a hundred of
/// its bytes. What an import of the delta takes beyond those bytes is what the unchanged rest costs.
/// </summary>
internal static class SyntheticDelta
{
    public static async Task RunAsync(string work, int documents, int megabytes, int runs)
    {
        Console.WriteLine("Making an upstream …");
        string feeds = Path.Combine(work, "feeds");
        SyntheticFeeds.Write(feeds, documents, megabytes);
        await using UpstreamServer upstream = await UpstreamServer.StartAsync(feeds, SampleUpstream.Complete(1));
        string pfx = Path.Combine(work, "signer.pfx");
        CreatedSigner created = SignerFactory.Create(pfx, "CN=Bench", "bench", TimeSpan.FromDays(30), TimeProvider.System);
        using BundleSigner signer = BundleSigner.Load(pfx, "bench");
        Site outside = Site.OpenOrCreate(Path.Combine(work, "outside"));
        Console.WriteLine("Collecting …");
        SaveResult full = await SaveAsync("full.tar", sinceLast: false);
        SyntheticFeeds.ChangeADay(feeds, upstream, Content(full.Snapshot) / 100);
        SaveResult delta = await SaveAsync("delta.tar", sinceLast: true);
        HashSet<string> known = [.. full.Snapshot.Sources.SelectMany(s => s.Files).Select(f => f.Sha256)];
        SnapshotFile[] changed = [.. delta.Snapshot.Sources.SelectMany(s => s.Files).DistinctBy(f => f.Sha256).Where(f => !known.Contains(f.Sha256))];
        long content = Content(delta.Snapshot);
        Console.WriteLine(
            $"content {content >> 20} MiB; {changed.Length} changed files hold {changed.Sum(f => f.Size)} bytes, {changed.Sum(f => f.Size) / (double)content:0.00%} of it; bundle files {full.Size} and {delta.Size}");

        var fullTimes = new List<double>();
        var deltaTimes = new List<double>();
        for (int run = 0; run <= runs; run++)
        {
            Site inside = NewSite($"inside-{run}");
            double f = await TimeAsync(() => ImportAsync(inside, full.Path));
            double d = await TimeAsync(() => ImportAsync(inside, delta.Path));
            if (run > 0)
            {
                fullTimes.Add(f);
                deltaTimes.Add(d);
            }

            Directory.Delete(inside.Root, recursive: true);
        }

        Console.WriteLine($"medians of {runs} runs");
        Console.WriteLine($"full: import and publish                   {Median(fullTimes),7:0.000} s");
        Console.WriteLine($"delta: import and publish (goal 0.05 x)    {Median(deltaTimes),7:0.000} s  {Median([.. deltaTimes.Zip(fullTimes, (a, b) => a / b)]),6:0.000} x");

        Site commands = NewSite("commands");
        Console.WriteLine($"Import-ClairFeed in a process of its own, full: {await PeakMemory.OfAsync(Command(full))}");
        Console.WriteLine($"                                          delta: {await PeakMemory.OfAsync(Command(delta))}");
        Console.WriteLine($"                                          again: {await PeakMemory.OfAsync(Command(delta))}, nothing to do");

        string Command(SaveResult bundle) => $"Import-ClairFeed -SitePath '{commands.Root}' -Path '{bundle.Path}'";

        async Task<SaveResult> SaveAsync(string name, bool sinceLast)
        {
            SaveResult saved = await new FeedCollector(outside, SiteSettings.Load(outside), TimeProvider.System).SaveAsync(
                new SaveRequest { Destination = Path.Combine(work, name), Signers = [signer], UpstreamRoot = upstream.Root, SinceLast = sinceLast }, null, default);
            return saved.Incomplete is [{ } failed, ..]
                ? throw new InvalidOperationException($"The figures would be of less than all sources. {failed.Name}: {failed.Error}")
                : saved;
        }

        Site NewSite(string name)
        {
            Site site = Site.OpenOrCreate(Path.Combine(work, name));
            new TrustStore(site).Add(created.CertificatePath);
            return site;
        }
    }

    private static long Content(Snapshot snapshot) => snapshot.Sources.SelectMany(s => s.Files).DistinctBy(f => f.Sha256).Sum(f => f.Size);

    private static Task ImportAsync(Site site, string path) => new FeedImporter(site, SiteSettings.Load(site), TimeProvider.System).ImportAsync(path, null, default);

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        GC.Collect();
        long begin = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

using System.Diagnostics;
using System.Globalization;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Bench;

/// <summary>The collector's own way of fetching (hashed, into the store) beside curl's, with the same list over loopback; and its memory.</summary>
internal static class FetchRate
{
    private const string Host = "feeds.example";

    // .NET compiles what runs often a second and a third time, beside it: about 3 s of the processor, which a process spends once whatever it fetches.
    private const int WarmUps = 8;

    /// <summary>What the child process does: fetches a list of names into a store, as a source's session does.</summary>
    /// <param name="root">The upstream.</param>
    /// <param name="list">A file with a name on each line.</param>
    /// <param name="folder">Where the store goes.</param>
    public static async Task RunChildAsync(Uri root, string list, string folder)
    {
        var store = new BlobStore(Path.Combine(folder, "store"), Path.Combine(folder, "staging"));
        var options = new UpstreamOptions();
        using var client = new UpstreamClient(options);
        var definition = new SourceDefinition { Name = "bench", Kind = SourceKind.UpdaterSet, Covers = "a list", Uri = new Uri($"https://{Host}/") };
        var session = new CollectSession(client, store, new SourceSettings { Definition = definition }, null, options, root, TimeProvider.System, null);
        await Parallel.ForEachAsync(
            await File.ReadAllLinesAsync(list), new ParallelOptions { MaxDegreeOfParallelism = options.RequestsPerHost * 2 },
            async (name, token) => await session.GetAsync(new Uri(definition.Uri, name), token));
        if (session.Log.Others.Count > 0)
        {
            throw new InvalidOperationException($"A request failed: {session.Log.Others[0]}");
        }
    }

    public static async Task MeasureAsync(string work, int runs)
    {
        string feeds = Path.Combine(work, "list");
        (int Count, int Size)[] shapes = [(400, 100 << 10), (30, 4 << 20), (1, 60 << 20)];
        string list = Write(feeds, "mixed", shapes);
        await using (BenchUpstream upstream = await BenchUpstream.StartAsync(feeds, work))
        {
            var ours = new List<double>();
            var curls = new List<double>();
            string fetched = Directory.CreateDirectory(Path.Combine(work, "fetched")).FullName;
            double first = 0;
            for (int run = -WarmUps; run < runs; run++)
            {
                string target = Directory.CreateDirectory(Path.Combine(fetched, $"{run}")).FullName;
                long begin = Stopwatch.GetTimestamp();
                await RunChildAsync(upstream.Root, list, target);
                double our = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                begin = Stopwatch.GetTimestamp();
                await CurlAsync(upstream.Root, list, target);
                double curl = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                first = run == -WarmUps ? our : first;
                if (run >= 0)
                {
                    ours.Add(our);
                    curls.Add(curl);
                }

                Empty(target);
            }

            Directory.Delete(fetched, recursive: true);
            double ratio = ours.Zip(curls, (a, b) => a / b).Order().ElementAt(runs / 2);
            Console.WriteLine(
                $"{"fetch 431 files, 220 MiB, into the store",-40} {ours.Order().ElementAt(runs / 2),7:0.000} s  {ratio,6:0.00} x curl's time (goal 1.3 x) from {upstream.Name}; {first:0.000} s the first time in a process");
        }

        await MemoryAsync("one file of 250 MB", [(1, 250_000_000)]);
        await MemoryAsync("50,000 small files", [(50_000, 700)]);

        async Task MemoryAsync(string what, (int, int)[] files)
        {
            string names = Write(feeds, "memory", files);
            await using BenchUpstream upstream = await BenchUpstream.StartAsync(feeds, work);
            string target = Directory.CreateDirectory(Path.Combine(work, "memory-fetch")).FullName;
            string peak = await PeakMemory.OfProcessAsync(
                [Environment.ProcessPath!, .. Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? [typeof(FetchRate).Assembly.Location] : Array.Empty<string>(),
                    "fetch", upstream.Root.AbsoluteUri, names, target]);
            Console.WriteLine($"peak private memory of collecting {what}: {peak} (goal 300)");
            Directory.Delete(target, recursive: true);
        }
    }

    /// <summary>
    /// Gives the space back and keeps the names until the end: ext4 passes over inodes that were freed a moment ago, one at a time and with the folder locked, so
    /// that each round would be slower by what the ones before removed. No save is in that place.
    /// </summary>
    private static void Empty(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using FileStream file = File.OpenWrite(path);
            file.SetLength(0);
        }
    }

    private static string Write(string feeds, string name, (int Count, int Size)[] shapes)
    {
        string folder = Path.Combine(feeds, Host, name);
        Directory.CreateDirectory(folder);
        string list = Path.Combine(feeds, name + ".list");
        var random = new Random(11);
        List<string> names = [];
        foreach ((int count, int size) in shapes)
        {
            byte[] content = new byte[size];
            for (int i = 0; i < count; i++)
            {
                random.NextBytes(content.AsSpan(0, Math.Min(size, 4096))); // no two are the same
                string file = string.Create(CultureInfo.InvariantCulture, $"{size}-{i}.zip");
                File.WriteAllBytes(Path.Combine(folder, file), content);
                names.Add($"{name}/{file}");
            }
        }

        File.WriteAllLines(list, names);
        return list;
    }

    private static async Task CurlAsync(Uri root, string list, string target)
    {
        string config = Path.Combine(target, "curl.config");
        await File.WriteAllLinesAsync(
            config, (await File.ReadAllLinesAsync(list)).Select(n => $"url = \"{root}{Host}/{n}\"\noutput = \"{Path.Combine(target, n.Replace('/', '-'))}\""));
        using var curl = Process.Start(new ProcessStartInfo("curl", ["--no-progress-meter", "--fail", "--parallel", "--parallel-max", "8", "--config", config]))!;
        await curl.WaitForExitAsync();
        if (curl.ExitCode != 0)
        {
            throw new InvalidOperationException($"curl ended with {curl.ExitCode}.");
        }
    }
}

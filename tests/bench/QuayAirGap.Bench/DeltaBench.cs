using System.Diagnostics;
using System.Security.Cryptography;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Trust;

namespace QuayAirGap.Bench;

/// <summary>
/// What a day costs: two real captures one day apart, as full bundles and as a delta. The captures are taken as they lie in the folders
/// (host/path), so that feeds count that this version does not collect.
/// </summary>
internal static class DeltaBench
{
    private static readonly (string Host, string Source)[] s_sources =
    [
        ("secdb.alpinelinux.org", "alpine"), ("amazon", "aws"), ("nvd.nist.gov", "clair.cvss"), ("www.cisa.gov", "clair.kev"),
        ("osv-vulnerabilities", "osv"), ("security.access.redhat.com", "repository-to-cpe"),
    ];

    private static readonly Guid s_stream = Guid.NewGuid();

    /// <param name="feeds">Holds day0 and day1.</param>
    public static async Task RunAsync(string feeds, int runs)
    {
        string work = Directory.CreateTempSubdirectory("quayairgap-bench-").FullName;
        try
        {
            string pfx = Path.Combine(work, "signer.pfx");
            CreatedSigner created = SignerFactory.Create(pfx, "CN=Bench", "bench", TimeSpan.FromDays(30), TimeProvider.System);
            using BundleSigner signer = BundleSigner.Load(pfx, "bench");
            Site outside = Site.OpenOrCreate(Path.Combine(work, "outside"));
            Snapshot day0 = await CaptureAsync(outside, Path.Combine(feeds, "day0"), 1);
            Snapshot day1 = await CaptureAsync(outside, Path.Combine(feeds, "day1"), 2);
            WrittenBundle first = await WriteAsync(day0, outside.Store.OpenRead, "day0.tar");
            WrittenBundle full = await WriteAsync(day1, outside.Store.OpenRead, "day1.tar");
            var from = new DeltaBase(first.Snapshot, first.SnapshotSha256, null);
            long begin = Stopwatch.GetTimestamp();
            using var maker = new DeltaMaker(outside, from, null);
            Snapshot planned = await maker.MakeAsync(day1, default);
            WrittenBundle delta = await WriteAsync(planned, maker.OpenRead, "delta.tar");
            Console.WriteLine($"Delta made and proved in {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.0} s");

            Console.WriteLine($"{"source",-20} {"full",12} {"delta",10} {"ratio",8}  whole/patched/base");
            foreach (SourceSnapshot source in delta.Snapshot.Sources)
            {
                long whole = full.Snapshot.Sources.Single(s => s.Name == source.Name).Layer!.Size;
                int contents = source.Files.Select(f => f.Sha256).Distinct().Count();
                int carried = source.Delta?.Whole.Count ?? 0;
                int patched = source.Delta?.Recipes.Count ?? 0;
                Console.WriteLine(
                    $"{source.Name,-20} {whole,12} {source.Layer?.Size ?? 0,10} {(source.Layer?.Size ?? 0) / (double)whole,8:0.000%}  {carried}/{patched}/{contents - carried - patched}");
            }

            long layers = delta.Snapshot.Sources.Sum(s => s.Layer?.Size ?? 0);
            Console.WriteLine($"snapshot document {delta.SnapshotBytes.Length}, bundle file {delta.Size} of {full.Size}: {delta.Size / (double)full.Size:0.000%} (goal 0.6 %); layers alone {layers / (double)full.Size:0.000%}");

            HashSet<string> known = [.. day0.Sources.SelectMany(s => s.Files).Select(f => f.Sha256)];
            SnapshotFile[] contentFiles = [.. day1.Sources.SelectMany(s => s.Files).DistinctBy(f => f.Sha256)];
            long changed = contentFiles.Where(f => !known.Contains(f.Sha256)).Sum(f => f.Size);
            long content = contentFiles.Sum(f => f.Size);
            Console.WriteLine($"changed files hold {changed} of the {content} bytes: {changed / (double)content:0.0%} must be written and hashed whole, whatever the delta's size");

            var fullTimes = new List<double>();
            var deltaTimes = new List<double>();
            var fullImports = new List<double>();
            var deltaImports = new List<double>();
            var hashTimes = new List<double>();
            var verifyTimes = new List<double>();
            for (int run = 0; run <= runs; run++)
            {
                Site inside = NewSite($"inside-{run}");
                Site fresh = NewSite($"fresh-{run}");
                await ImportAsync(inside, first.Path);
                await ImportAsync(fresh, first.Path);
                double h = await TimeAsync(async () =>
                {
                    foreach (string blob in day1.Sources.SelectMany(s => s.Files).Select(f => f.Sha256).Distinct())
                    {
                        await using FileStream file = outside.Store.OpenRead(blob);
                        await SHA256.HashDataAsync(file);
                    }
                });
                double v = await TimeAsync(() => VerifyAsync(inside, full.Path, null));
                double d = await TimeAsync(async () =>
                {
                    Bundle bundle = Bundle.Open(delta.Path);
                    using var stage = new BlobStage(inside);
                    using var restorer = new DeltaRestorer(inside, bundle.Snapshot, stage);
                    await VerifyAsync(inside, delta.Path, restorer);
                    await restorer.RestoreAsync(bundle.Snapshot, null, default);
                });
                Site empty = NewSite($"empty-{run}");
                double f = await TimeAsync(async () =>
                {
                    using var stage = new BlobStage(empty);
                    await VerifyAsync(empty, full.Path, stage);
                });
                double di = await TimeAsync(() => ImportAsync(inside, delta.Path));
                double fi = await TimeAsync(() => ImportAsync(empty, full.Path));
                if (run > 0)
                {
                    hashTimes.Add(h);
                    verifyTimes.Add(v);
                    deltaTimes.Add(d);
                    fullTimes.Add(f);
                    deltaImports.Add(di);
                    fullImports.Add(fi);
                }

                foreach (Site site in new[] { inside, fresh, empty })
                {
                    Directory.Delete(site.Root, recursive: true);
                }
            }

            Row("SHA-256 of the full content, .NET's own", hashTimes, hashTimes);
            Row("verify the full bundle", verifyTimes, hashTimes);
            Row("full: verify and take in", fullTimes, fullTimes);
            Row("delta: verify, restore and take in", deltaTimes, fullTimes);
            Row("full: import and publish", fullImports, fullImports);
            Row("delta: import and publish (goal 0.05 x)", deltaImports, fullImports);

            Site memory = NewSite("memory");
            await ImportAsync(memory, first.Path);
            Console.WriteLine($"peak private memory of Import-ClairFeed with the delta: {await PeakMemory.OfAsync($"Import-ClairFeed -SitePath '{memory.Root}' -Path '{delta.Path}'")} (goal 300)");

            Task<WrittenBundle> WriteAsync(Snapshot snapshot, Func<string, FileStream> open, string name) =>
                BundleWriter.WriteAsync(Path.Combine(work, name), snapshot, open, [signer], null, overwrite: false, default);

            Site NewSite(string name)
            {
                Site site = Site.OpenOrCreate(Path.Combine(work, name));
                new TrustStore(site).Add(created.CertificatePath);
                return site;
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static Task ImportAsync(Site site, string path) =>
        new FeedImporter(site, SiteSettings.Load(site), TimeProvider.System).ImportAsync(path, null, default);

    private static async Task VerifyAsync(Site site, string path, IBlobSink? sink)
    {
        Bundle bundle = Bundle.Open(path);
        var verifier = new BundleVerifier(site, TimeProvider.System);
        verifier.CheckPolicy(bundle, null);
        await verifier.VerifyContentAsync(bundle, sink, null, default);
    }

    private static async Task<Snapshot> CaptureAsync(Site site, string folder, long sequence)
    {
        DateTimeOffset created = TimeProvider.System.GetUtcNow().AddSeconds(sequence);
        var files = new List<(string Source, SnapshotFile File)>();
        foreach (string path in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            string hostPath = Path.GetRelativePath(folder, path).Replace(Path.DirectorySeparatorChar, '/');
            await using FileStream content = File.OpenRead(path);
            (string sha256, long size) = await site.Store.AddAsync(content, default);
            string source = Array.Find(s_sources, s => hostPath[..hostPath.IndexOf('/')].Contains(s.Host, StringComparison.Ordinal)).Source ?? "other";
            source = hostPath.EndsWith("container-name-repos-map.json", StringComparison.Ordinal) ? "container-name-repos-map" : source;
            files.Add((source, new SnapshotFile { Url = new Uri("https://" + hostPath).AbsoluteUri, Sha256 = sha256, Size = size, LastModified = created }));
        }

        return new Snapshot
        {
            Stream = s_stream,
            Sequence = sequence,
            Created = created,
            Expires = created.AddDays(10),
            Producer = "QuayAirGap bench",
            Sources =
            [
                .. files.GroupBy(f => f.Source).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new SourceSnapshot
                {
                    Name = g.Key,
                    State = CaptureState.Captured,
                    CapturedAt = created,
                    Files = [.. g.Select(f => f.File).OrderBy(f => f.Url, StringComparer.Ordinal)],
                }),
            ],
        };
    }

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        GC.Collect();
        long begin = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Row(string what, List<double> values, List<double> over) =>
        Console.WriteLine($"{what,-42} {Median(values),7:0.000} s  {Median([.. values.Zip(over, (a, b) => a / b)]),6:0.000} x");
}

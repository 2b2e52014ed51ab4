using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using QuayAirGap.Bench;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- [--documents 3000] [--megabytes 200] [--runs 5] [--fetch-only]
// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- mutations [--rounds 10000] [--seed 20261124]
// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- large [--runs 1]            a synthetic bundle of about 3 GB
// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- delta FOLDER [--runs 5]     FOLDER holds day0 and day1
// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- delta-synthetic [--megabytes 1024] [--documents 3000] [--runs 3]
// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- serving [--runs 5] [--seconds 5]
// dotnet run -c Release --project tests/bench/QuayAirGap.Bench -- gateway [--runs 5] [--clair-milliseconds 100] [--only covered-ready-gzip]   or a part of such a name
// Prints medians and ratios measured side by side in one run, and asserts nothing.
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["module"])
{
    ModuleImport.RunChild();
    return 0;
}

if (args is ["mutations", ..])
{
    return await Mutations.RunAsync(Option("--rounds", 10_000), Option("--seed", 20261124));
}

if (args is ["fetch", var fetchRoot, var fetchList, var fetchFolder])
{
    await FetchRate.RunChildAsync(new Uri(fetchRoot), fetchList, fetchFolder);
    return 0;
}

int Option(string name, int otherwise) =>
    Array.IndexOf(args, name) is >= 0 and int i && i + 1 < args.Length ? int.Parse(args[i + 1], CultureInfo.InvariantCulture) : otherwise;

bool large = args is ["large", ..];
int runs = Option("--runs", large ? 1 : 5);
if (args is ["delta", var captures, ..])
{
    await DeltaBench.RunAsync(Path.GetFullPath(captures), runs);
    return 0;
}

string work = Directory.CreateTempSubdirectory("quayairgap-bench-").FullName;
try
{
    if (args is ["serving", ..])
    {
        await ServingBench.RunAsync(work, runs, Option("--seconds", 5));
        return 0;
    }

    if (args is ["gateway", ..])
    {
        await GatewayBench.RunAsync(work, runs, Option("--clair-milliseconds", 100), Array.IndexOf(args, "--only") is >= 0 and int o ? args[o + 1] : null);
        return 0;
    }

    if (args is ["delta-synthetic", ..])
    {
        await SyntheticDelta.RunAsync(work, Option("--documents", 3000), Option("--megabytes", 1024), Option("--runs", 3));
        return 0;
    }

    await FetchRate.MeasureAsync(work, runs);
    if (args.Contains("--fetch-only"))
    {
        return 0;
    }

    Console.WriteLine("Making an upstream …");
    string feeds = Path.Combine(work, "feeds");
    SyntheticFeeds.Write(feeds, documents: Option("--documents", 3000), megabytes: Option("--megabytes", large ? 4000 : 200));
    await using UpstreamServer upstream = await UpstreamServer.StartAsync(feeds, SampleUpstream.Complete(1)); // the sample's small feeds lie under the large ones
    string pfx = Path.Combine(work, "signer.pfx");
    CreatedSigner created = SignerFactory.Create(pfx, "CN=Bench", "bench", TimeSpan.FromDays(30), TimeProvider.System);
    using BundleSigner signer = BundleSigner.Load(pfx, "bench");

    Site outside = Site.OpenOrCreate(Path.Combine(work, "outside"));
    async Task<SaveResult> SaveAsync(string name) => await new FeedCollector(outside, SiteSettings.Load(outside), TimeProvider.System).SaveAsync(
        new SaveRequest { Destination = Path.Combine(work, name), Signers = [signer], UpstreamRoot = upstream.Root }, null, default);

    Console.WriteLine("Collecting …");
    long begin = Stopwatch.GetTimestamp();
    SaveResult saved = await SaveAsync("bundle.tar");
    Console.WriteLine($"  first save {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.00} s, {saved.BytesReceived >> 20} MiB received");
    begin = Stopwatch.GetTimestamp();
    SaveResult again = await SaveAsync("again.tar");
    Console.WriteLine($"  second, nothing changed {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.00} s, {again.BytesReceived} bytes received");
    if (saved.Incomplete is [{ } failed, ..])
    {
        throw new InvalidOperationException($"The figures would be of less than all sources. {failed.Name}: {failed.Error}");
    }

    string[] blobs = [.. saved.Snapshot.Sources.SelectMany(s => s.Files).Select(f => f.Sha256).Distinct()];
    long content = saved.Snapshot.Sources.SelectMany(s => s.Files).DistinctBy(f => f.Sha256).Sum(f => f.Size);
    Console.WriteLine($"Content {content >> 20} MiB in {blobs.Length} files, bundle {saved.Size >> 20} MiB; medians of {runs} runs");

    var hash = new List<double>();
    var verify = new List<double>();
    var store = new List<double>();
    var import = new List<double>();
    for (int run = 0; run <= runs; run++)
    {
        // One of each in turn, so that a machine that slows down slows all of them; the first round warms up and does not count.
        double h = await TimeAsync(async () =>
        {
            foreach (string blob in blobs)
            {
                await using FileStream file = outside.Store.OpenRead(blob);
                await SHA256.HashDataAsync(file);
            }
        });
        Site inside = NewSite($"inside-{run}");
        double v = await TimeAsync(async () =>
        {
            Bundle bundle = Bundle.Open(saved.Path);
            var verifier = new BundleVerifier(inside, TimeProvider.System);
            verifier.CheckPolicy(bundle, null);
            await verifier.VerifyContentAsync(bundle, null, null, default);
        });
        double s = await TimeAsync(async () =>
        {
            Bundle bundle = Bundle.Open(saved.Path);
            var verifier = new BundleVerifier(inside, TimeProvider.System);
            verifier.CheckPolicy(bundle, null);
            using var stage = new BlobStage(inside);
            await verifier.VerifyContentAsync(bundle, stage, null, default);
            stage.Commit();
        });
        Site fresh = NewSite($"import-{run}");
        double i = await TimeAsync(() => new FeedImporter(fresh, SiteSettings.Load(fresh), TimeProvider.System).ImportAsync(saved.Path, null, default));
        if (run > 0)
        {
            hash.Add(h);
            verify.Add(v);
            store.Add(s);
            import.Add(i);
        }

        Directory.Delete(inside.Root, recursive: true);
        Directory.Delete(fresh.Root, recursive: true);
    }

    Row("SHA-256 of the content, .NET's own", hash, hash, null);
    Row("verify a full bundle", verify, hash, 1.2);
    Row("verify it and take it into the store", store, hash, 2.0);
    Row("verify, import and publish it", import, hash, 2.0);

    Site memorySite = NewSite("memory");
    Site saveSite = Site.OpenOrCreate(Path.Combine(work, "memory-save"));
    Console.WriteLine($"peak private memory: Import-ClairFeed {await PeakMemory.OfAsync($"Import-ClairFeed -SitePath '{memorySite.Root}' -Path '{saved.Path}'")}"
        + $", Test-ClairFeedBundle {await PeakMemory.OfAsync($"Test-ClairFeedBundle -SitePath '{memorySite.Root}' -Path '{saved.Path}'")}"
        + $", Save-ClairFeed {await PeakMemory.OfAsync($"$p = [Security.SecureString]::new(); foreach ($c in 'bench'.ToCharArray()) {{ $p.AppendChar($c) }}; Save-ClairFeed -SitePath '{saveSite.Root}' -Destination '{Path.Combine(work, "m.tar")}' -Signer '{pfx}' -SignerPassword $p -UpstreamRoot '{upstream.Root}'")} (goal 300)");
    Console.WriteLine($"Import-Module QuayAirGap: {Median(ModuleImport.Measure(runs)):0} ms over an empty session (goal 150)");

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

return 0;

static async Task<double> TimeAsync(Func<Task> action)
{
    GC.Collect();
    long begin = Stopwatch.GetTimestamp();
    await action();
    return Stopwatch.GetElapsedTime(begin).TotalSeconds;
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

static void Row(string what, List<double> values, List<double> over, double? goal) =>
    Console.WriteLine($"{what,-40} {Median(values),7:0.000} s  {Median([.. values.Zip(over, (a, b) => a / b)]),6:0.00} x{(goal is null ? "" : $"  (goal {goal:0.0} x)")}");

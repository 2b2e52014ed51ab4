using System.Diagnostics;
using QuayAirGap.Core;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Mutations;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

namespace QuayAirGap.Bench;

/// <summary>
/// Random damage to a bundle that was truly collected and signed. Each time it must be refused with an error of the product's own, soon, in
/// bounded memory, and with nothing in the store; or be the same bundle in another form, by the word of another tar reader.
/// </summary>
internal static class Mutations
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <returns>The exit code: 0 where all of it held.</returns>
    public static async Task<int> RunAsync(int rounds, int seed)
    {
        string work = Directory.CreateTempSubdirectory("quayairgap-mutations-").FullName;
        try
        {
            CreatedSigner created = SignerFactory.Create(Path.Combine(work, "signer.pfx"), "CN=Bench", null, TimeSpan.FromDays(30), TimeProvider.System);
            Site outside = Site.OpenOrCreate(Path.Combine(work, "outside"));
            Site inside = Site.OpenOrCreate(Path.Combine(work, "inside"));
            new TrustStore(inside).Add(created.CertificatePath);
            await using UpstreamServer upstream = await SampleUpstream.StartAsync();
            using BundleSigner signer = BundleSigner.Load(created.PfxPath, null);
            SaveResult saved = await new FeedCollector(outside, SiteSettings.Load(outside), TimeProvider.System).SaveAsync(
                new SaveRequest { Destination = Path.Combine(work, "bundle.tar"), Signers = [signer], UpstreamRoot = upstream.Root }, null, default);
            byte[] whole = await File.ReadAllBytesAsync(saved.Path);
            return await RunAsync(whole, inside, Path.Combine(work, "changed.tar"), rounds, seed) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<bool> RunAsync(byte[] whole, Site inside, string path, int rounds, int seed)
    {
        string meaning = BundleMutator.MeaningOf(whole);
        var mutator = new BundleMutator(whole, seed);
        var refusals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int same = 0, accepted = 0, hangs = 0, unhandled = 0;
        TimeSpan longest = TimeSpan.Zero;
        long allocated = 0;
        Console.WriteLine($"{rounds} mutations of a bundle of {whole.Length} bytes, seed {seed}");
        if (await TryAsync(whole, inside, path) is { } wrong)
        {
            Console.WriteLine($"The bundle itself is refused: {wrong}");
            return false;
        }

        for (int round = 0; round < rounds; round++)
        {
            (byte[] changed, string how) = mutator.Next();
            long begin = Stopwatch.GetTimestamp();
            long before = GC.GetTotalAllocatedBytes();
            try
            {
                string? id = await TryAsync(changed, inside, path).WaitAsync(s_limit);
                if (id is not null)
                {
                    refusals[id] = refusals.GetValueOrDefault(id) + 1;
                }
                else if (BundleMutator.MeaningOf(changed) == meaning)
                {
                    same++;
                }
                else
                {
                    accepted++;
                    Console.WriteLine($"ACCEPTED round {round}: {how}");
                }
            }
            catch (TimeoutException)
            {
                hangs++;
                Console.WriteLine($"HANGS round {round}: {how}");
            }
            catch (Exception e)
            {
                unhandled++;
                Console.WriteLine($"UNHANDLED round {round}: {how}: {e}");
            }

            TimeSpan took = Stopwatch.GetElapsedTime(begin);
            longest = took > longest ? took : longest;
            allocated = Math.Max(allocated, GC.GetTotalAllocatedBytes() - before);
        }

        using var process = Process.GetCurrentProcess();
        int left = inside.Store.List().Count();
        Console.WriteLine($"accepted {accepted}, hangs {hangs}, unhandled {unhandled}, left in the store {left} (all must be 0)");
        Console.WriteLine($"the same bundle in another form {same}; refused {string.Join(", ", refusals.Select(r => $"{r.Key} {r.Value}"))}");
        Console.WriteLine(
            $"longest {longest.TotalMilliseconds:0} ms, most allocated for one {allocated >> 20} MiB, peak of the process {process.PeakWorkingSet64 >> 20} MiB");
        return accepted + hangs + unhandled + left == 0;
    }

    /// <summary>All that an import does before it keeps anything. The id that it is refused by, or null.</summary>
    private static async Task<string?> TryAsync(byte[] bytes, Site inside, string path)
    {
        await File.WriteAllBytesAsync(path, bytes);
        try
        {
            Bundle bundle = Bundle.Open(path);
            var verifier = new BundleVerifier(inside, TimeProvider.System);
            verifier.CheckPolicy(bundle, null);
            using var stage = new BlobStage(inside);
            await verifier.VerifyContentAsync(bundle, stage, null, default);
            return null;
        }
        catch (FeedException e)
        {
            return e.ErrorId;
        }
    }
}

using System.Diagnostics;
using System.Security.Cryptography;
using QuayAirGap.Core;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Bundles.Registry;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;
using QuayAirGap.TestKit.Registry;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>
/// The process is killed at random moments, with the signal that nothing can catch. Whatever the moment: what is served is one whole
/// generation, a bundle that bears its name is whole, and the next run finishes.
/// </summary>
public sealed class KillTests
{
    // More of them: QUAYAIRGAP_KILLS=500 dotnet test …
    private static readonly int s_kills = int.TryParse(Environment.GetEnvironmentVariable("QUAYAIRGAP_KILLS"), out int n) ? n : 12;

    /// <summary>Fewer of those that share their last steps, where state becomes real, with the main job's.</summary>
    private static readonly int s_few = int.TryParse(Environment.GetEnvironmentVariable("QUAYAIRGAP_KILLS"), out int n) ? n : 6;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Import_killed_at_any_moment_leaves_a_whole_generation_and_the_next_run_finishes()
    {
        await using TwoSites sites = await TwoSites.StartAsync(TimeProvider.System.GetUtcNow(), Layer("day1", 0));
        string first = (await sites.SaveAsync()).Path;
        sites.Upstream.SetLayers(Layer("day2", 1));
        var generations = new GenerationStore(sites.Inside);
        var random = new Random(20261123);

        // The window that matters: from the engine's start to a little after the command's end.
        (TimeSpan start, TimeSpan end) window = await WindowAsync($"Import-ClairFeed -SitePath '{sites.Inside.Root}' -Path '{first}'");
        int killed = 0;
        int finished = 0;
        while (killed < s_kills)
        {
            // A bundle of its own for every ten kills, so that there is always something to import.
            string bundle = (await sites.SaveAsync()).Path;
            for (int i = 0; i < 10 && killed < s_kills; i++)
            {
                if (await KillAsync(random, window, "-Command", $"Import-ClairFeed -SitePath '{sites.Inside.Root}' -Path '{bundle}'"))
                {
                    killed++;
                }

                CheckWhole(sites.Inside, generations.LoadCurrent()!);
            }

            (int exit, string output) = await Executable.RunAsync(s_limit, "-Command", $"Import-ClairFeed -SitePath '{sites.Inside.Root}' -Path '{bundle}' -PassThru");
            Assert.True(exit == 0, output);
            finished++;
            Generation current = generations.LoadCurrent()!;
            Assert.Equal(Bundle.Open(bundle).Snapshot.Sequence, current.Sequence);
            CheckWhole(sites.Inside, current);
        }

        Assert.Null(new Ledger(sites.Inside, TimeProvider.System).VerifyChain());
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills, {finished} finishing runs, window {window.start.TotalMilliseconds:0} to {window.end.TotalMilliseconds:0} ms");
    }

    /// <summary>An import of a delta differs only in what comes before the store is written to.</summary>
    [Fact]
    public async Task Import_of_a_delta_killed_at_any_moment_leaves_a_whole_generation_and_the_next_run_finishes()
    {
        await using TwoSites sites = await TwoSites.StartAsync(TimeProvider.System.GetUtcNow(), Layer("day1", 0));
        string first = (await sites.SaveAsync()).Path;
        await sites.ImportAsync(first);
        var generations = new GenerationStore(sites.Inside);
        var random = new Random(20261125);
        int wanted = s_few;
        int killed = 0;
        (TimeSpan Start, TimeSpan End)? window = null;
        for (int round = 0; killed < wanted; round++)
        {
            sites.Upstream.SetLayers(Layer(round % 2 == 0 ? "day2" : "day1", round + 1));
            sites.Clock.SetUtcNow(TimeProvider.System.GetUtcNow());
            string delta = (await sites.SaveDeltaAsync()).Path;
            string command = $"Import-ClairFeed -SitePath '{sites.Inside.Root}' -Path '{delta}'";
            if (window is null)
            {
                // The first one is for measuring.
                window = await WindowAsync(command);
                continue;
            }

            for (int i = 0; i < 5 && killed < wanted; i++)
            {
                if (await KillAsync(random, window.Value, "-Command", command))
                {
                    killed++;
                }

                CheckWhole(sites.Inside, generations.LoadCurrent()!);
            }

            (int exit, string output) = await Executable.RunAsync(s_limit, "-Command", command);
            Assert.True(exit == 0, output);
            Generation current = generations.LoadCurrent()!;
            Assert.Equal(Bundle.Open(delta).Snapshot.Sequence, current.Sequence);
            CheckWhole(sites.Inside, current);
            foreach (var file in Bundle.Open(delta).Snapshot.Sources.SelectMany(s => s.Files))
            {
                using FileStream blob = sites.Inside.Store.OpenRead(file.Sha256);
                Assert.Equal(file.Sha256, Convert.ToHexStringLower(SHA256.HashData(blob)));
            }
        }

        Assert.Null(new Ledger(sites.Inside, TimeProvider.System).VerifyChain());
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills of imports of deltas");
    }

    /// <summary>The last medium's import is that of a whole bundle; the ones before it only keep parts. Both are killed.</summary>
    [Fact]
    public async Task Import_of_volumes_killed_at_any_moment_keeps_whole_parts_only_and_the_next_run_goes_on()
    {
        await using TwoSites sites = await TwoSites.StartAsync(TimeProvider.System.GetUtcNow(), Layer("day1", 0));
        await sites.ImportAsync((await sites.SaveAsync()).Path);
        var generations = new GenerationStore(sites.Inside);
        var random = new Random(20261126);
        int killed = 0, rounds = 0, kept = 0;
        var windows = new (TimeSpan Start, TimeSpan End)[2];
        while (killed < s_few)
        {
            sites.Upstream.SetLayers(Layer(rounds % 2 == 0 ? "day2" : "day1", ++rounds));
            sites.Clock.SetUtcNow(TimeProvider.System.GetUtcNow());
            SaveResult saved = await sites.SaveAsync();
            string[] media = [.. Enumerable.Range(1, 2).Select(i => Path.Combine(sites.Folder, $"medium-{rounds}-{i}"))];
            Array.ForEach(media, m => Directory.CreateDirectory(m));
            VolumeSet set = await VolumeWriter.SplitAsync(
                Bundle.Open(saved.Path), media[0], "feed", (saved.Size / 3) + 40_000, overwrite: false, null, CancellationToken.None);
            Assert.True(set.Count >= 2);
            VolumePart last = set.Parts.Last();
            File.Move(last.Path, Path.Combine(media[1], Path.GetFileName(last.Path)));
            for (int m = 0; m < media.Length; m++)
            {
                string medium = media[m];
                string command = $"Import-ClairFeed -SitePath '{sites.Inside.Root}' -Path '{medium}'";
                for (int i = 0; rounds > 2 && i < 4 && killed < s_few; i++)
                {
                    killed += await KillAsync(random, windows[m], "-Command", command) ? 1 : 0;
                    CheckWhole(sites.Inside, generations.LoadCurrent()!);
                    foreach (string part in KeptParts())
                    {
                        VolumePart.Read(part).Verify(null, null, CancellationToken.None);
                        kept++;
                    }
                }

                long begin = Stopwatch.GetTimestamp();
                (int exit, string output) = await Executable.RunAsync(s_limit, "-Command", command);
                Assert.True(exit == (medium == media[0] ? 2 : 0), output);
                Assert.Equal(medium == media[0] ? set.Count - 1 : 0, KeptParts().Length);
                TimeSpan whole = Stopwatch.GetElapsedTime(begin);

                // Two rounds are for measuring: the first command of all is slower than any after it.
                windows[m] = rounds <= 2 ? (whole * 0.5, whole * 1.1) : windows[m];
            }

            Assert.Equal(saved.Snapshot.Sequence, generations.LoadCurrent()!.Sequence);
            CheckWhole(sites.Inside, generations.LoadCurrent()!);
        }

        Assert.Null(new Ledger(sites.Inside, TimeProvider.System).VerifyChain());
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills of imports of volumes in {rounds} rounds, {kept} kept parts looked at");

        string[] KeptParts() =>
            Directory.Exists(sites.Inside.VolumesFolder) ? Directory.GetFiles(sites.Inside.VolumesFolder, "*.qagvol", SearchOption.AllDirectories) : [];
    }

    [Fact]
    public async Task Save_killed_at_any_moment_leaves_no_broken_bundle_and_the_next_run_finishes()
    {
        await using TwoSites sites = await TwoSites.StartAsync(TimeProvider.System.GetUtcNow(), Layer("day1", 0));
        string media = Path.Combine(sites.Folder, "media");
        Directory.CreateDirectory(media);
        string script = Path.Combine(sites.Folder, "save.ps1");
        await File.WriteAllTextAsync(script, $$"""
            $password = [Security.SecureString]::new()
            foreach ($c in 'correct horse'.ToCharArray()) { $password.AppendChar($c) }
            Save-ClairFeed -SitePath '{{sites.Outside.Root}}' -Destination '{{media}}' -Signer '{{sites.PfxPath}}' -SignerPassword $password -UpstreamRoot '{{sites.Upstream.Root}}' -AcceptRegression *
            """); // the upstream goes forth and back
        var random = new Random(20261124);
        (TimeSpan start, TimeSpan end) window = await WindowAsync(script);
        int killed = 0;
        for (int round = 0; killed < s_kills; round++)
        {
            // Something has changed each time, so that there is always something to collect.
            sites.Upstream.SetLayers(Layer(round % 2 == 0 ? "day2" : "day1", round));
            for (int i = 0; i < 10 && killed < s_kills; i++)
            {
                if (await KillAsync(random, window, "-File", script))
                {
                    killed++;
                }

                await CheckBundlesAsync(sites, media);
            }

            (int exit, string output) = await Executable.RunAsync(s_limit, "-File", script);
            Assert.True(exit == 0, output);
            await CheckBundlesAsync(sites, media);
        }

        // No number was used for two bundles, and the newest can be imported.
        Bundle[] bundles = [.. Directory.GetFiles(media, "*.tar").Select(Bundle.Open)];
        Assert.Equal(bundles.Length, bundles.Select(b => b.Snapshot.Sequence).Distinct().Count());
        sites.Clock.SetUtcNow(TimeProvider.System.GetUtcNow());
        ImportResult imported = await sites.ImportAsync(bundles.MaxBy(b => b.Snapshot.Sequence)!.Path);
        CheckWhole(sites.Inside, imported.Generation);
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills, {bundles.Length} whole bundles, window {window.start.TotalMilliseconds:0} to {window.end.TotalMilliseconds:0} ms");
    }

    [Fact]
    public async Task Receive_killed_at_any_moment_leaves_no_broken_bundle_and_what_it_left_is_gone_on_with()
    {
        Assert.SkipUnless(RegistryProcess.IsInstalled, "docker-registry is not installed");
        await using TwoSites sites = await TwoSites.StartAsync(TimeProvider.System.GetUtcNow(), Layer("day1", 0));
        await using RegistryProcess registry = await RegistryProcess.StartAsync();
        Bundle saved = Bundle.Open((await sites.SaveAsync()).Path);
        var place = RegistryReference.Parse(registry.Host + "/team/clair-feeds");
        await new BundlePublisher(new RegistryOptions { AuthFiles = [] }).PublishAsync(saved, place, null, CancellationToken.None);
        string path = Path.Combine(sites.Folder, "received.tar");
        string command = $"Receive-ClairFeedBundle {place} '{path}' -SitePath '{sites.Inside.Root}'";
        var random = new Random(20261125);
        (TimeSpan start, TimeSpan end) window = await WindowAsync(command);
        int killed = 0;
        while (killed < s_few)
        {
            File.Delete(path);
            for (int i = 0; i < 5; i++)
            {
                killed += await KillAsync(random, window, "-Command", command) ? 1 : 0;
                if (File.Exists(path))
                {
                    // It has its name: then it is all of it.
                    Assert.Equal(saved.SnapshotSha256, Bundle.Open(path).SnapshotSha256);
                    await new BundleVerifier(sites.Inside, TimeProvider.System).VerifyContentAsync(Bundle.Open(path), null, null, CancellationToken.None);
                    File.Delete(path);
                }
            }

            (int exit, string output) = await Executable.RunAsync(s_limit, "-Command", command);
            Assert.True(exit == 0, output);
            Assert.False(File.Exists(path + ".receiving"));
        }

        // What came through the registry is imported by processes that are killed too, until one is let finish.
        string import = $"Import-ClairFeed '{path}' -SitePath '{sites.Inside.Root}'";
        int imports = 0;
        for (int tries = 0; imports < s_few && tries < s_few * 3; tries++)
        {
            imports += await KillAsync(random, window, "-Command", import) ? 1 : 0;
            if (new GenerationStore(sites.Inside).LoadCurrent() is { } current)
            {
                CheckWhole(sites.Inside, current);
            }
        }

        (int finished, string said) = await Executable.RunAsync(s_limit, "-Command", import);
        Assert.True(finished == 0, said);
        CheckWhole(sites.Inside, new GenerationStore(sites.Inside).LoadCurrent()!);
        Assert.Null(new Ledger(sites.Inside, TimeProvider.System).VerifyChain());
        TestContext.Current.TestOutputHelper?.WriteLine($"{killed} kills, window {window.start.TotalMilliseconds:0} to {window.end.TotalMilliseconds:0} ms");
    }

    private static UpstreamLayer Layer(string day, int age) =>
        new(Repository.Sample(day), new DateTimeOffset(2026, 11, 1, 6, 0, 0, TimeSpan.Zero).AddHours(age));

    /// <summary>How long the engine takes to start, and how long the whole command takes.</summary>
    private static async Task<(TimeSpan Start, TimeSpan End)> WindowAsync(string commandOrScript)
    {
        string[] arguments = commandOrScript.EndsWith(".ps1", StringComparison.Ordinal) ? ["-File", commandOrScript] : ["-Command", commandOrScript];
        long begin = Stopwatch.GetTimestamp();
        (int exit, string output) = await Executable.RunAsync(s_limit, arguments);
        TimeSpan whole = Stopwatch.GetElapsedTime(begin);
        Assert.True(exit == 0, output);
        begin = Stopwatch.GetTimestamp();
        await Executable.RunAsync(s_limit, "-Command", "Get-ClairFeedSource alpine");
        TimeSpan engine = Stopwatch.GetElapsedTime(begin);
        return (engine * 0.7, whole * 1.1);
    }

    private static async Task<bool> KillAsync(Random random, (TimeSpan Start, TimeSpan End) window, params string[] arguments)
    {
        using Executable executable = Executable.Start(arguments);
        await Task.Delay(window.Start + ((window.End - window.Start) * random.NextDouble()));
        return executable.Kill();
    }

    private static void CheckWhole(Site site, Generation generation)
    {
        foreach (string sha256 in generation.Blobs().Distinct())
        {
            using FileStream blob = site.Store.OpenRead(sha256);
            Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(blob)));
        }

        // One generation through and through: everything that a single snapshot brought, nothing of another.
        foreach (SourceDefinition source in SourceCatalog.All.Where(s => s.EnabledByDefault))
        {
            Assert.Contains(generation.Entries, e => e.Source == source.Name);
        }
    }

    private static async Task CheckBundlesAsync(TwoSites sites, string media)
    {
        foreach (string path in Directory.GetFiles(media, "*.tar"))
        {
            Bundle bundle = Bundle.Open(path);
            await new BundleVerifier(sites.Inside, TimeProvider.System).VerifyContentAsync(bundle, null, null, CancellationToken.None);
        }

        _ = Site.Open(sites.Outside.Root);
    }
}

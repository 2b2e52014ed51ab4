using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Trust;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>docs/examples as a scheduler runs them: as processes, over the sample upstream, by their exit codes.</summary>
public sealed class JobTests : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-jobs-").FullName;
    private UpstreamServer _upstream = null!;

    private string Drop => In("drop");

    public async ValueTask InitializeAsync()
    {
        _upstream = await SampleUpstream.StartAsync();
        foreach (string name in new[] { "collector", "other" })
        {
            SignerFactory.Create(In(name + ".pfx"), "CN=" + name, "pass word's", TimeSpan.FromDays(365), TimeProvider.System);
        }

        File.WriteAllText(In("password"), "pass word's\n");
        Directory.CreateDirectory(Drop);
        new TrustStore(Site.OpenOrCreate(In("inside"))).Add(In("collector.cer"));
    }

    [Fact]
    public async Task Save_import_and_the_days_between()
    {
        // Outside: first a full bundle, then a delta on it, each with its sum.
        (int code, string output) = await SaveAsync();
        Assert.True(code == 0 && output.Contains("full bundle 1", StringComparison.Ordinal), output);
        _upstream.SetLayers(SampleUpstream.Day2);
        (code, output) = await SaveAsync();
        Assert.True(code == 0 && output.Contains("delta bundle 2", StringComparison.Ordinal), output);
        string[] bundles = [.. Directory.GetFiles(In("handover"), "*.tar").Order(StringComparer.Ordinal)];
        Assert.Equal(2, bundles.Length);
        Assert.All(bundles, b => Assert.StartsWith(
            Core.Store.Sha256Digest.Of(File.ReadAllBytes(b)) + "  " + Path.GetFileName(b), File.ReadAllText(b + ".sha256"), StringComparison.Ordinal));

        // Inside: the delta came first. It waits for its base, and nothing is fresh.
        Bring(bundles[1]);
        (code, output) = await ImportAsync();
        Assert.True(code == 1 && output.Contains("[BundleBase]", StringComparison.Ordinal) && output.Contains("critical: alpine", StringComparison.Ordinal), output);
        Assert.True(File.Exists(Path.Combine(Drop, Path.GetFileName(bundles[1]))));

        // Half of the full one: still being copied.
        string half = Path.Combine(Drop, Path.GetFileName(bundles[0]));
        byte[] bytes = await File.ReadAllBytesAsync(bundles[0], TestContext.Current.CancellationToken);
        File.Copy(bundles[0] + ".sha256", half + ".sha256");
        await File.WriteAllBytesAsync(half, bytes[..(bytes.Length / 2)], TestContext.Current.CancellationToken);
        (code, output) = await ImportAsync();
        Assert.True(code == 1 && File.Exists(half), output);
        Assert.DoesNotContain("refused:", output, StringComparison.Ordinal);

        // All of it: both are imported, in order, and all is fresh.
        await File.WriteAllBytesAsync(half, bytes, TestContext.Current.CancellationToken);
        (code, output) = await ImportAsync();
        Assert.True(code == 0 && output.Contains("every required source is fresh", StringComparison.Ordinal), output);
        Assert.Empty(Directory.GetFiles(Drop));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(Drop, "done"), "*.tar").Length);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(Drop, "done"), "*.sha256").Length);

        // Nothing came: that is no error while the feeds are fresh.
        (code, output) = await ImportAsync();
        Assert.True(code == 0, output);

        // A damaged one is put away with its reason; the exit code is an error's although all is fresh.
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(Drop, "damaged.tar"), bytes, TestContext.Current.CancellationToken);
        (code, output) = await ImportAsync();
        Assert.True(code == 2 && output.Contains("refused:", StringComparison.Ordinal), output);
        Assert.True(File.Exists(Path.Combine(Drop, "refused", "damaged.tar")));

        // Outside again: a source fails, and the bundle is written; the key is not to be had, and none is.
        _upstream.AddFault("security-tracker.debian.org/**", UpstreamFault.Status(404));
        (code, output) = await SaveAsync();
        Assert.True(code == 1 && output.Contains("incomplete: debian", StringComparison.Ordinal) && output.Contains("[SourceFailed]", StringComparison.Ordinal), output);
        File.WriteAllText(In("password"), "wrong\n");
        (code, output) = await SaveAsync();
        Assert.True(code == 2 && output.Contains("[SignerPassword]", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task A_pipeline_verifies_what_it_carries()
    {
        Environment.SetEnvironmentVariable("QUAYAIRGAP_SIGNER_PASSWORD", "pass word's"); // of this process and its children: no other test reads it
        (int code, string output) = await PipelineAsync(
            "All", "-Signer", In("collector.pfx"), "-OutsideSite", In("outside"), "-UpstreamRoot", _upstream.Root.ToString(), "-TrustedSigner", In("collector.cer"),
            "-InsideSite", In("inside"));
        Assert.True(code == 0 && output.Contains("published", StringComparison.Ordinal), output);

        // The station believes its own certificates alone; it has no site, and leaves none.
        (code, output) = await PipelineAsync("Verify", "-TrustedSigner", In("other.cer"));
        Assert.True(code == 2 && output.Contains("[BundleSignerUnknown]", StringComparison.Ordinal), output);
        (code, output) = await PipelineAsync("Verify", "-TrustedSigner", In("collector.cer") + "," + In("other.cer"), "-RequiredSigners", "2");
        Assert.True(code == 2 && output.Contains("[BundleTooFewSigners]", StringComparison.Ordinal), output);
        (code, output) = await PipelineAsync("Verify");
        Assert.True(code == 2, output);

        string bundle = Assert.Single(Directory.GetFiles(In("media"), "*.tar"));
        byte[] bytes = await File.ReadAllBytesAsync(bundle, TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(bundle, bytes, TestContext.Current.CancellationToken);
        (code, output) = await PipelineAsync("Verify", "-TrustedSigner", In("collector.cer"));
        Assert.True(code == 2 && output.Contains("[Bundle", StringComparison.Ordinal), output);

        // At a site that serves the bundle already nothing of it would be read again.
        new TrustStore(Site.OpenOrCreate(In("second"))).Add(In("collector.cer"));
        (code, output) = await PipelineAsync("Import", "-InsideSite", In("second"));
        Assert.True(code == 2 && output.Contains("[Bundle", StringComparison.Ordinal), output);
    }

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Example(string name) => Path.Combine(Repository.Root, "docs", "examples", name);

    private string In(string name) => Path.Combine(_folder, name);

    private void Bring(string bundle)
    {
        foreach (string file in new[] { bundle, bundle + ".sha256" })
        {
            File.Copy(file, Path.Combine(Drop, Path.GetFileName(file)));
        }
    }

    private Task<(int Code, string Output)> SaveAsync() => Executable.RunAsync(
        s_limit, "-NonInteractive", "-File", Example("save-job.ps1"), "-Destination", In("handover"), "-Signer", In("collector.pfx"), "-PasswordFile", In("password"),
        "-SitePath", In("outside"), "-UpstreamRoot", _upstream.Root.ToString());

    private Task<(int Code, string Output)> ImportAsync() => Executable.RunAsync(
        s_limit, "-NonInteractive", "-File", Example("import-job.ps1"), "-DropFolder", Drop, "-SitePath", In("inside"), "-Settle", "0");

    private Task<(int Code, string Output)> PipelineAsync(string stage, params string[] more) => Executable.RunAsync(
        s_limit, ["-NonInteractive", "-File", Example("pipeline.ps1"), "-Stage", stage, "-Media", In("media"), .. more]);
}

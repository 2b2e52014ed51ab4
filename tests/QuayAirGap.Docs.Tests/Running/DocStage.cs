using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.TestKit.Registry;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

[assembly: AssemblyFixture(typeof(QuayAirGap.Docs.Tests.Running.DocStage))]

namespace QuayAirGap.Docs.Tests.Running;

/// <summary>How the run of a document ended.</summary>
internal sealed record DocOutcome(string Folder, int ExitCode, string Output, string Error, IReadOnlyDictionary<int, string> Outputs, int LastBlock, bool Ended, TimeSpan Took);

/// <summary>
/// Runs documents: each once, in one process of the executable and in a folder of its own, in which its absolute paths lie. A document that
/// begins after another has a copy of what that one left. The feeds come from the sample upstream.
/// </summary>
public sealed class DocStage : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>Programs that no system has for certain.</summary>
    private static readonly string[] s_tools = ["curl", "jq", "openssl", "zstd"];

    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-docs-").FullName;
    private readonly Dictionary<string, Task<DocOutcome>> _runs = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _room = new(Math.Max(1, Environment.ProcessorCount));
    private UpstreamServer _upstream = null!;
    private RegistryProcess? _registry;

    public async ValueTask InitializeAsync()
    {
        _upstream = await SampleUpstream.StartAsync();
        _registry = RegistryProcess.IsInstalled ? await RegistryProcess.StartAsync() : null;
    }

    public async ValueTask DisposeAsync()
    {
        await _upstream.DisposeAsync();
        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        _room.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>What a document, or one that it begins after, needs and this machine lacks.</summary>
    internal static IReadOnlyList<string> MissingFor(DocPage page)
    {
        DocBlock[] used = [.. page.Blocks.Where(DocScript.IsUsed)];
        IEnumerable<string> tools = s_tools.Where(t => used.Any(b => b.IsBash && Regex.IsMatch(b.Code, $@"\b{t}\b")))
            .Concat(used.Any(b => b.IsBash) ? ["bash"] : [])
            .Concat(used.Any(b => b.Code.Contains(DocPlaces.RegistryName, StringComparison.Ordinal)) ? ["docker-registry"] : []);
        return [.. tools.Where(t => RegistryProcess.Find(t) is null), .. page.BeginsAfter is { } before ? MissingFor(DocPage.Load(before)) : []];
    }

    internal static string Executable => Path.Combine(
        RepositoryFolders.Root, "src", "QuayAirGap.Host", "bin",
        typeof(DocStage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Configuration").Value!, "net10.0",
        OperatingSystem.IsWindows() ? "quayairgap.exe" : "quayairgap");

    /// <summary>Begins with all of them: a document's own test waits only for its own.</summary>
    internal void Begin(IEnumerable<DocPage> pages)
    {
        foreach (DocPage page in pages)
        {
            _ = RunAsync(page);
        }
    }

    internal Task<DocOutcome> RunAsync(DocPage page)
    {
        lock (_runs)
        {
            return _runs.TryGetValue(page.Path, out Task<DocOutcome>? run) ? run : _runs[page.Path] = Task.Run(() => RunOnceAsync(page));
        }
    }

    private async Task<DocOutcome> RunOnceAsync(DocPage page)
    {
        string work = Path.Combine(_folder, page.Path.Replace('/', '-'));
        string root = RootIn(work);
        Directory.CreateDirectory(root);
        if (page.BeginsAfter is { } before)
        {
            DocOutcome earlier = await RunAsync(DocPage.Load(before));
            if (!earlier.Ended)
            {
                throw new InvalidOperationException($"{page.Path} begins after {before}, which does not come to its end.");
            }

            Copy(RootIn(earlier.Folder), root);
        }
        else
        {
            // Where a reader's collector would ask the internet. The folder is a site, as Set-ClairFeedSource -UpstreamRoot leaves one.
            string site = Directory.CreateDirectory(Path.Combine(root, "srv", "collector")).FullName;
            string sources = string.Concat(Core.Sources.SourceCatalog.All.Select(s => $"  {s.Name}:\n    upstreamRoot: {_upstream.Root}\n"));
            await File.WriteAllTextAsync(Path.Combine(site, "sources.yaml"), $"version: 1\nsources:\n{sources}");
        }

        bool asksMirror = page.Blocks.Any(b => DocScript.IsUsed(b) && b.Code.Contains(DocPlaces.MirrorName, StringComparison.Ordinal));
        var script = new DocScript(page, PlacesIn(work));
        string path = script.Write(work, asksMirror);
        await _room.WaitAsync();
        try
        {
            var clock = Stopwatch.StartNew();
            (int exitCode, string output, string error) = await StartAsync(path, root);
            (IReadOnlyDictionary<int, string> outputs, int last, bool ended) = script.Read(output);
            return new DocOutcome(work, exitCode, output, error.Replace(root, "", StringComparison.Ordinal), outputs, last, ended, clock.Elapsed);
        }
        finally
        {
            _room.Release();
        }
    }

    internal static string RootIn(string work) => Path.Combine(work, "root");

    /// <summary>The places of a run that has its root there.</summary>
    internal DocPlaces PlacesIn(string work) => new(
        RootIn(work), _registry is null ? null : _registry.Host + "/" + Path.GetFileNameWithoutExtension(work).ToLowerInvariant() + "/");

    /// <summary>A folder of the test's own, gone when it ends.</summary>
    internal string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    internal static async Task<(int ExitCode, string Output, string Error)> StartAsync(string script, string root, params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable, ["-NonInteractive", "-File", script, .. arguments])
        {
            WorkingDirectory = root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["QUAYAIRGAP_SITE"] = Path.Combine(root, "var", "lib", "quayairgap");
        start.Environment["PATH"] = Path.GetDirectoryName(Executable) + Path.PathSeparator + start.Environment["PATH"];
        start.Environment["HOME"] = root;
        start.Environment["COLUMNS"] = "200";
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{script} did not end within {s_limit}.");
        }
    }

    internal static void Copy(string from, string to)
    {
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }
}

using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.Docs.Tests.Markdown;
using QuayAirGap.TestKit.PowerShell;
using QuayAirGap.TestKit.Registry;
using QuayAirGap.TestKit.Samples;
using QuayAirGap.TestKit.Upstream;

[assembly: AssemblyFixture(typeof(QuayAirGap.Docs.Tests.Running.DocStage))]

namespace QuayAirGap.Docs.Tests.Running;

/// <summary>How the run of a document ended.</summary>
internal sealed record DocOutcome(string Folder, int ExitCode, string Output, string Error, IReadOnlyDictionary<int, string> Outputs, int LastBlock, bool Ended, TimeSpan Took);

/// <summary>
/// Runs documents: each once in a host, in one process and in a folder of its own, in which its absolute paths lie. A document that
/// begins after another has a copy of what that one left. The feeds come from the sample upstream.
/// </summary>
public sealed class DocStage : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>Programs that no system has for certain.</summary>
    private static readonly string[] s_tools = ["curl", "jq", "openssl", "zstd"];

    private readonly string _folder = Directory.CreateTempSubdirectory("quayairgap-docs-").FullName;
    private readonly Dictionary<(string Path, DocHost Host), Task<DocOutcome>> _runs = [];
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

    /// <summary>Whatever runs there needs it: the package source has it, or the test says that it was skipped.</summary>
    internal static async Task SkipWithoutAsync(DocHost host)
    {
        string? missing = host == DocHost.PowerShell ? (await PowerShellTool.RestoreAsync(RepositoryFolders.Root)).Missing : null;
        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    internal static string Executable => Path.Combine(
        RepositoryFolders.Root, "src", "QuayAirGap.Host", "bin",
        typeof(DocStage).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Configuration").Value!, "net10.0",
        OperatingSystem.IsWindows() ? "quayairgap.exe" : "quayairgap");

    /// <summary>Begins with all of them: a document's own test waits only for its own.</summary>
    internal void Begin(IEnumerable<DocPage> pages, DocHost host)
    {
        foreach (DocPage page in pages)
        {
            _ = RunAsync(page, host);
        }
    }

    internal Task<DocOutcome> RunAsync(DocPage page, DocHost host)
    {
        lock (_runs)
        {
            return _runs.TryGetValue((page.Path, host), out Task<DocOutcome>? run) ? run : _runs[(page.Path, host)] = Task.Run(() => RunOnceAsync(page, host));
        }
    }

    private async Task<DocOutcome> RunOnceAsync(DocPage page, DocHost host)
    {
        string work = Path.Combine(_folder, $"{host}-{page.Path.Replace('/', '-')}");
        string root = RootIn(work);
        Directory.CreateDirectory(root);
        if (page.BeginsAfter is { } before)
        {
            DocOutcome earlier = await RunAsync(DocPage.Load(before), host);
            if (!earlier.Ended)
            {
                throw new InvalidOperationException($"{page.Path} begins after {before}, which does not come to its end.");
            }

            Copy(RootIn(earlier.Folder), root);
        }
        else
        {
            await MakeCollectorAsync(Path.Combine(root, "srv", "collector"));
        }

        bool asksMirror = page.Blocks.Any(b => DocScript.IsUsedIn(b, host) && b.Code.Contains(DocPlaces.MirrorName, StringComparison.Ordinal));
        var script = new DocScript(page, PlacesIn(work), host);
        string path = script.Write(work, asksMirror);
        await _room.WaitAsync();
        try
        {
            var clock = Stopwatch.StartNew();
            (int exitCode, string output, string error) = await StartAsync(host, path, root);
            (IReadOnlyDictionary<int, string> outputs, int last, bool ended) = script.Read(output);
            return new DocOutcome(work, exitCode, output, error.Replace(root, "", StringComparison.Ordinal), outputs, last, ended, clock.Elapsed);
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>A site that asks the sample upstream where a reader's would ask the internet, as Set-ClairFeedSource -UpstreamRoot leaves one.</summary>
    internal async Task MakeCollectorAsync(string site)
    {
        Directory.CreateDirectory(site);
        string sources = string.Concat(Core.Sources.SourceCatalog.All.Select(s => $"  {s.Name}:\n    upstreamRoot: {_upstream.Root}\n"));
        await File.WriteAllTextAsync(Path.Combine(site, "sources.yaml"), $"version: 1\nsources:\n{sources}");
    }

    internal static string RootIn(string work) => Path.Combine(work, "root");

    /// <summary>The places of a run that has its root there.</summary>
    internal DocPlaces PlacesIn(string work) => new(
        RootIn(work), _registry is null ? null : _registry.Host + "/" + Path.GetFileNameWithoutExtension(work).ToLowerInvariant() + "/");

    /// <summary>A folder of the test's own, gone when it ends.</summary>
    internal string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    internal static async Task<(int ExitCode, string Output, string Error)> StartAsync(DocHost host, string script, string root, params string[] arguments)
    {
        ProcessStartInfo start = host == DocHost.PowerShell ? await PowerShellAsync(script) : new ProcessStartInfo(Executable, ["-NonInteractive", "-File", script, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.WorkingDirectory = root;
        start.Environment["QUAYAIRGAP_SITE"] = Path.Combine(root, "var", "lib", "quayairgap");
        start.Environment["PATH"] = Path.GetDirectoryName(Executable) + Path.PathSeparator + start.Environment["PATH"];
        start.Environment["HOME"] = root;
        start.Environment["COLUMNS"] = "200";
        return await PowerShellTool.RunAsync(start, s_limit);
    }

    private static async Task<ProcessStartInfo> PowerShellAsync(string script)
    {
        PowerShellTool powerShell = await PowerShellTool.RestoreAsync(RepositoryFolders.Root);
        string typed = Path.ChangeExtension(script, ".typed.ps1");
        await File.WriteAllTextAsync(typed, DocScript.Typed);
        return powerShell.Prepare("-File", typed, Path.Combine(RepositoryFolders.Root, "out", "module", "QuayAirGap"), script);
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

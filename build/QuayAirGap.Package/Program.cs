#pragma warning disable RS0030 // a program for people who build: it talks to the console
using System.Globalization;
using System.Security.Cryptography;

namespace QuayAirGap.Package;

/// <summary>What people download, made from a checkout.</summary>
internal static class Program
{
    private const string Usage = """
        Makes the packages of this checkout.

        dotnet run --project build/QuayAirGap.Package -- [--output <folder>] [--runtime <id>]… [--module-only]
        dotnet run --project build/QuayAirGap.Package -- notices

          --output <folder>   Default: out/package. What is in it is removed.
          --runtime <id>      The executables to make. Default: linux-x64, linux-arm64 and win-x64. Their runtimes come from the package source.
          --module-only       No executables.
          notices             Writes THIRD-PARTY-NOTICES.md anew from the lock files.

        Two runs over one commit give the same bytes, wherever they are made: compare the two SHA256SUMS. SOURCE_DATE_EPOCH replaces the commit's time.
        """;

    public static int Main(string[] args)
    {
        try
        {
            string output = Path.Combine(Repository.Root, "out", "package");
            List<string> runtimes = [];
            bool moduleOnly = false;
            for (int i = 0; i < args.Length; i++)
            {
                switch (args[i])
                {
                    case "notices":
                        File.WriteAllText(Path.Combine(Repository.Root, Notices.FileName), Notices.Write(Carried()));
                        return 0;
                    case "--output" when i + 1 < args.Length:
                        output = Path.GetFullPath(args[++i]);
                        break;
                    case "--runtime" when i + 1 < args.Length:
                        runtimes.Add(args[++i]);
                        break;
                    case "--module-only":
                        moduleOnly = true;
                        break;
                    default:
                        Console.WriteLine(Usage);
                        return args[i] is "--help" or "-h" ? 0 : 2;
                }
            }

            Make(output, moduleOnly ? [] : runtimes.Count > 0 ? runtimes : Executables.Usual);
            return 0;
        }
        catch (PackageException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
    }

    /// <summary>Everything that the module or any of the executables carries, by the lock files.</summary>
    internal static IReadOnlyList<Library> Carried() =>
        [.. NuGetPackages.Shipped(LockFile("QuayAirGap"), IsModuleAssembly), .. NuGetPackages.Shipped(LockFile("QuayAirGap.Host"), _ => true)];

    /// <summary>The libraries of the module that is laid out in a folder.</summary>
    internal static IReadOnlyList<Library> OfModule(string module)
    {
        HashSet<string> files = [.. Directory.EnumerateFiles(Path.Combine(module, "bin")).Select(f => Path.GetFileName(f)!)];
        return NuGetPackages.Shipped(LockFile("QuayAirGap"), files.Contains);
    }

    /// <summary>As build/ModuleLayout.targets has it: the platform's own are the host's.</summary>
    private static bool IsModuleAssembly(string file) =>
        file.EndsWith(".dll", StringComparison.Ordinal) && !file.StartsWith("System.", StringComparison.Ordinal) && !file.StartsWith("PowerShellStandard", StringComparison.Ordinal);

    private static string LockFile(string project) => Path.Combine(Repository.Root, "src", project, "packages.lock.json");

    private static void Make(string output, IReadOnlyList<string> runtimes)
    {
        string version = Repository.Version;
        DateTimeOffset time = Repository.SourceDate();

        // Within the checkout, always in the same place: names in the assemblies come from the paths of generated files, and only paths of the checkout are mapped.
        string work = Path.Combine(Repository.Root, "out", "package-build");
        try
        {
            foreach (string folder in new[] { work, output }.Where(Directory.Exists))
            {
                Directory.Delete(folder, recursive: true);
            }

            Directory.CreateDirectory(output);
            string module = Path.Combine(work, "module", "QuayAirGap", version);
            Build(work, "build", "QuayAirGap");
            ModulePackages.WriteZip(module, version, Path.Combine(output, ModulePackages.ZipName(version)), time);
            ModulePackages.WritePackage(module, version, Path.Combine(output, ModulePackages.PackageName(version)), time);
            File.WriteAllBytes(
                Path.Combine(output, $"quayairgap-module-{version}.cdx.json"), Sbom.Write("QuayAirGap", "library", version, OfModule(module), time));

            foreach (string runtime in runtimes)
            {
                string published = Path.Combine(work, "published", runtime);
                Build(work, "publish", "QuayAirGap.Host", $"-p:PackageRuntime={runtime}", "--output", published);
                IReadOnlyList<Library> libraries = NuGetPackages.Published(LockFile("QuayAirGap.Host"), Path.Combine(published, "quayairgap.deps.json"));
                Executables.AddLicenses(published, libraries);
                Executables.Write(published, version, runtime, Path.Combine(output, Executables.ArchiveName(version, runtime)), time);
                File.WriteAllBytes(
                    Path.Combine(output, $"quayairgap-{version}-{runtime}.cdx.json"), Sbom.Write("quayairgap", "application", version, libraries, time));
            }

            WriteSums(output);
            foreach (string file in Directory.EnumerateFiles(output).Order(StringComparer.Ordinal))
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(file).Length,12:N0}  {Path.GetFileName(file)}"));
            }
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    /// <summary>
    /// Apart from the developers' own build, and with nothing in it that tells where and by whom it was made: no path (ContinuousIntegrationBuild maps them), no symbols, and
    /// no remote of the repository.
    /// </summary>
    private static void Build(string work, string verb, string project, params string[] more) => Tool.Run(
        "dotnet",
        [
            verb, Path.Combine(Repository.Root, "src", project), "--configuration", "Release", "--artifacts-path", Path.Combine(work, "artifacts"), "--nologo", "-v", "quiet",
            "-p:ContinuousIntegrationBuild=true", "-p:EnableSourceLink=false", "-p:DebugType=none", "-p:RunAnalyzers=false", "-p:RestoreLockedMode=false",
            $"-p:PackageLocks={Path.Combine(work, "locks")}/", $"-p:ModuleLayout={Path.Combine(work, "module", "QuayAirGap", Repository.Version)}/",
            .. more,
        ]);

    /// <summary>Of every file in the folder, as sha256sum writes it.</summary>
    internal static void WriteSums(string output) => File.WriteAllText(
        Path.Combine(output, "SHA256SUMS"),
        string.Concat(Directory.EnumerateFiles(output).Order(StringComparer.Ordinal).Select(file =>
        {
            using FileStream stream = File.OpenRead(file);
            return $"{Convert.ToHexString(SHA256.HashData(stream)).ToLowerInvariant()}  {Path.GetFileName(file)}\n";
        })));
}

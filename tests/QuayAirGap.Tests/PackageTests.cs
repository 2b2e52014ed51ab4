using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using QuayAirGap.Package;
using QuayAirGap.TestKit.PowerShell;

namespace QuayAirGap.Tests;

/// <summary>What people download. The executables, whose making takes minutes, are not made here: see packaging/README.md.</summary>
public sealed partial class PackageTests : IDisposable
{
    private static readonly DateTimeOffset s_time = new(2026, 11, 25, 12, 34, 56, TimeSpan.Zero);

    private readonly Folder _folder = new();

    [Fact]
    public void The_module_packs_to_the_same_bytes_wherever_and_whenever_it_is_done()
    {
        byte[][][] made = [.. new[] { "one", "two" }.Select(name =>
        {
            string copy = Copy(name);
            foreach (string file in Directory.EnumerateFiles(copy, "*", SearchOption.AllDirectories))
            {
                File.SetLastWriteTimeUtc(file, name == "one" ? DateTime.UnixEpoch.AddYears(40) : DateTime.UtcNow);
            }

            ModulePackages.WriteZip(copy, Built.Version, _folder[name + ".zip"], s_time);
            ModulePackages.WritePackage(copy, Built.Version, _folder[name + ".nupkg"], s_time);
            return new[] { File.ReadAllBytes(_folder[name + ".zip"]), File.ReadAllBytes(_folder[name + ".nupkg"]) };
        })];
        Assert.Equal(made[0][0], made[1][0]);
        Assert.Equal(made[0][1], made[1][1]);

        // A byte of the module is a byte of the package.
        File.AppendAllText(Path.Combine(_folder["two"], "QuayAirGap.psm1"), "\n");
        ModulePackages.WriteZip(_folder["two"], Built.Version, _folder["three.zip"], s_time);
        Assert.NotEqual(made[0][0], File.ReadAllBytes(_folder["three.zip"]));
    }

    [Fact]
    public void The_zip_unpacks_into_a_folder_of_modules()
    {
        ModulePackages.WriteZip(Built.Module, Built.Version, _folder["module.zip"], s_time);
        ZipFile.ExtractToDirectory(_folder["module.zip"], _folder["modules"]);
        string module = Path.Combine(_folder["modules"], "QuayAirGap", Built.Version);
        Assert.Equal(Files(Built.Module), Files(module));
        Assert.Contains("LICENSE", Files(module));
        Assert.Contains(Notices.FileName, Files(module));
        using var engine = new Engine(import: false);
        Assert.NotEmpty(engine.Run("param($p) (Import-Module $p -PassThru).ExportedCmdlets.Keys", Path.Combine(module, "QuayAirGap.psd1")).WithoutErrors().Output);
    }

    [Fact]
    public void The_package_is_one_that_a_folder_repository_takes()
    {
        string path = _folder[ModulePackages.PackageName(Built.Version)];
        ModulePackages.WritePackage(Built.Module, Built.Version, path, s_time);
        using ZipArchive zip = ZipFile.OpenRead(path);
        string[] names = [.. zip.Entries.Select(e => e.FullName)];
        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());

        // PSResourceGet reads the manifest at the root, and takes these parts away when it installs; the rest is the module.
        Assert.Contains("QuayAirGap.psd1", names);
        Assert.Equal(
            Files(Built.Module),
            names.Where(n => n is not ("QuayAirGap.nuspec" or "[Content_Types].xml" or "_rels/.rels") && !n.StartsWith("package/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        XElement metadata = Assert.Single(Xml(zip, "QuayAirGap.nuspec").Elements());
        string Of(string name) => metadata.Elements().Single(e => e.Name.LocalName == name).Value;
        Assert.Equal(("QuayAirGap", Built.Version), (Of("id"), Of("version")));
        Assert.Superset(new HashSet<string> { "PSModule", "PSEdition_Core" }, Of("tags").Split(' ').ToHashSet());

        XElement types = Xml(zip, "[Content_Types].xml");
        HashSet<string> extensions = [.. types.Elements().Where(e => e.Name.LocalName == "Default").Select(e => "." + (string)e.Attribute("Extension")!)];
        HashSet<string> parts = [.. types.Elements().Where(e => e.Name.LocalName == "Override").Select(e => ((string)e.Attribute("PartName")!)[1..])];
        Assert.All(names.Where(n => n != "[Content_Types].xml"), n => Assert.True(extensions.Contains(Path.GetExtension(n)) || parts.Contains(n), n));
        Assert.All(
            Xml(zip, "_rels/.rels").Elements(), r => Assert.Contains(((string)r.Attribute("Target")!)[1..], names));

        // No other file of ours that lies beside it is taken for a version of the module.
        Assert.DoesNotMatch("(?i)^QuayAirGap\\.", ModulePackages.ZipName(Built.Version));
    }

    /// <summary>The two blocks of packaging/README.md, in a home of their own.</summary>
    [Fact]
    public async Task PowerShells_own_commands_install_the_package_and_check_what_came_over()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There it would install for whoever runs the tests.");
        PowerShellTool powerShell = await PowerShellTool.RestoreAsync(Built.Root);
        Assert.SkipWhen(powerShell.Missing is not null, powerShell.Missing ?? "");
        string packages = Directory.CreateDirectory(_folder["packages"]).FullName;
        ModulePackages.WritePackage(Built.Module, Built.Version, Path.Combine(packages, ModulePackages.PackageName(Built.Version)), s_time);
        ModulePackages.WriteZip(Built.Module, Built.Version, Path.Combine(packages, ModulePackages.ZipName(Built.Version)), s_time);
        Program.WriteSums(packages);
        string[] blocks = [.. PowerShellBlock().Matches(File.ReadAllText(Path.Combine(Built.Root, "packaging", "README.md"))).Select(m => m.Groups["code"].Value)];
        Assert.Equal(2, blocks.Length);

        (int exitCode, string output, string error) = await RunAsync(blocks[0].Replace(@"D:\packages", packages, StringComparison.Ordinal) + "(Get-Command Import-ClairFeed).Module.ModuleBase");
        Assert.True(exitCode == 0, error + output);
        string installed = output.Trim();
        Assert.StartsWith(_folder["home"], installed, StringComparison.Ordinal);
        Assert.Equal(Files(Built.Module), Files(installed).Where(f => f != "PSGetModuleInfo.xml"));

        Assert.Equal((0, "", ""), await RunAsync(blocks[1]));
        File.AppendAllText(Path.Combine(packages, ModulePackages.ZipName(Built.Version)), "x");
        Assert.Contains($"{ModulePackages.ZipName(Built.Version)} is not what was sent", (await RunAsync(blocks[1])).Output, StringComparison.Ordinal);

        Task<(int ExitCode, string Output, string Error)> RunAsync(string script)
        {
            File.WriteAllText(_folder["script.ps1"], "$ErrorActionPreference = 'Stop'\n" + script);
            System.Diagnostics.ProcessStartInfo start = powerShell.Prepare("-File", _folder["script.ps1"]);
            start.WorkingDirectory = packages;
            start.Environment["HOME"] = Directory.CreateDirectory(_folder["home"]).FullName;
            foreach (string name in new[] { "PSModulePath", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME" })
            {
                start.Environment.Remove(name);
            }

            return PowerShellTool.RunAsync(start, TimeSpan.FromMinutes(2));
        }
    }

    [Fact]
    public void The_bill_of_materials_names_every_library_that_is_carried()
    {
        IReadOnlyList<Library> libraries = Program.OfModule(Built.Module);
        byte[] bytes = Sbom.Write("QuayAirGap", "library", Built.Version, libraries, s_time);
        Assert.Equal(bytes, Sbom.Write("QuayAirGap", "library", Built.Version, libraries, s_time));
        using var document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;

        // What CycloneDX 1.6's schema asks for.
        Assert.Equal(("CycloneDX", "1.6", 1), (root.GetProperty("bomFormat").GetString(), root.GetProperty("specVersion").GetString(), root.GetProperty("version").GetInt32()));
        Assert.Matches(SerialNumber(), root.GetProperty("serialNumber").GetString()!);
        Assert.Equal("2026-11-25T12:34:56Z", root.GetProperty("metadata").GetProperty("timestamp").GetString());
        JsonElement[] components = [.. root.GetProperty("components").EnumerateArray()];
        string[] references = [.. components.Select(c => c.GetProperty("bom-ref").GetString()!), root.GetProperty("metadata").GetProperty("component").GetProperty("bom-ref").GetString()!];
        Assert.Equal(references.Length, references.Distinct().Count());
        Assert.All(components, c =>
        {
            Assert.Equal("library", c.GetProperty("type").GetString());
            Assert.Equal($"pkg:nuget/{c.GetProperty("name").GetString()}@{c.GetProperty("version").GetString()}", c.GetProperty("purl").GetString());
            JsonElement hash = Assert.Single(c.GetProperty("hashes").EnumerateArray());
            Assert.Equal("SHA-512", hash.GetProperty("alg").GetString());
            Assert.Matches("^[0-9a-f]{128}$", hash.GetProperty("content").GetString()!);
            Assert.Contains(Assert.Single(c.GetProperty("licenses").EnumerateArray()).GetProperty("license").GetProperty("id").GetString(), new[] { "MIT", "BSD-3-Clause" });
        });
        JsonElement[] dependencies = [.. root.GetProperty("dependencies").EnumerateArray()];
        Assert.Equal(references.Order(StringComparer.Ordinal), dependencies.Select(d => d.GetProperty("ref").GetString()).Order(StringComparer.Ordinal));
        Assert.All(dependencies.SelectMany(d => d.GetProperty("dependsOn").EnumerateArray()), d => Assert.Contains(d.GetString()!, references));

        // Every assembly is ours, or has its package in the list.
        string[] strangers = [.. Directory.EnumerateFiles(Path.Combine(Built.Module, "bin"), "*.dll").Select(f => Path.GetFileName(f)!)
            .Where(f => !f.StartsWith("QuayAirGap", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.Equal(strangers.Length, components.Length);
        Assert.All(strangers, file => Assert.Contains(
            libraries, l => Directory.EnumerateFiles(NuGetPackages.PackageFolder(l.Name, l.Version), file, SearchOption.AllDirectories).Any()));
    }

    [Fact]
    public void The_executables_list_is_held_against_the_lock_file()
    {
        string lockFile = Path.Combine(Built.Root, "src", "QuayAirGap.Host", "packages.lock.json");
        string deps = Path.ChangeExtension(Path.Combine(Path.GetDirectoryName(Built.Executable)!, "quayairgap.dll"), ".deps.json");
        IReadOnlyList<Library> libraries = NuGetPackages.Published(lockFile, deps);
        Assert.Contains(libraries, l => l.Name == "System.Management.Automation");

        // What the project takes out of a package by its path, as for Windows, counts with its package; and what nobody knows is refused.
        const string Reference = """{"targets":{"t":{"R/2.0.0.0":{"runtime":{"FILE":{}}}}},"libraries":{"R/2.0.0.0":{"type":"reference"}}}""";
        File.WriteAllText(_folder["reference.json"], Reference.Replace("FILE", "Microsoft.Management.Infrastructure.dll", StringComparison.Ordinal));
        Assert.Equal(["Microsoft.Management.Infrastructure.Runtime.Unix"], NuGetPackages.Published(lockFile, _folder["reference.json"]).Select(l => l.Name));
        File.WriteAllText(_folder["unknown.json"], Reference.Replace("FILE", "Unknown.dll", StringComparison.Ordinal));
        Assert.Contains("Unknown.dll", Assert.Throws<PackageException>(() => NuGetPackages.Published(lockFile, _folder["unknown.json"])).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["other.json"], File.ReadAllText(deps).Replace("\"MimeKit/", "\"MimeKit/9", StringComparison.Ordinal));
        Assert.Contains("MimeKit/9", Assert.Throws<PackageException>(() => NuGetPackages.Published(lockFile, _folder["other.json"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_notices_are_complete() => Assert.Equal(
        Notices.Write(Program.Carried()), File.ReadAllText(Path.Combine(Built.Root, Notices.FileName)).ReplaceLineEndings("\n"));

    [Fact]
    public void The_executables_archive_keeps_who_may_run_what()
    {
        string published = Directory.CreateDirectory(_folder["published"]).FullName;
        foreach (string name in new[] { "quayairgap", "a.dll", "module/x.psd1" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(published, name))!);
            File.WriteAllText(Path.Combine(published, name), name);
        }

        Executables.Write(published, "1.2.3", "linux-x64", _folder["a.tar.gz"], s_time);
        Executables.Write(published, "1.2.3", "linux-x64", _folder["b.tar.gz"], s_time);
        Assert.Equal(File.ReadAllBytes(_folder["a.tar.gz"]), File.ReadAllBytes(_folder["b.tar.gz"]));
        using var tar = new TarReader(new GZipStream(File.OpenRead(_folder["a.tar.gz"]), CompressionMode.Decompress));
        var entries = new List<(string, bool, DateTimeOffset)>();
        while (tar.GetNextEntry() is { } entry)
        {
            entries.Add((entry.Name, entry.Mode.HasFlag(UnixFileMode.UserExecute), entry.ModificationTime));
        }

        Assert.Equal([("quayairgap-1.2.3/a.dll", false, s_time), ("quayairgap-1.2.3/module/x.psd1", false, s_time), ("quayairgap-1.2.3/quayairgap", true, s_time)], entries);
    }

    public void Dispose() => _folder.Dispose();

    [GeneratedRegex("<!-- not run: Tests/PackageTests [^\n]*\n```powershell\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex PowerShellBlock();

    [GeneratedRegex("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    private static partial Regex SerialNumber();

    private static XElement Xml(ZipArchive zip, string name)
    {
        using Stream stream = zip.GetEntry(name)!.Open();
        return XDocument.Load(stream).Root!;
    }

    private static string[] Files(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    private string Copy(string name)
    {
        foreach (string file in Directory.EnumerateFiles(Built.Module, "*", SearchOption.AllDirectories))
        {
            string to = Path.Combine(_folder[name], Path.GetRelativePath(Built.Module, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return _folder[name];
    }
}

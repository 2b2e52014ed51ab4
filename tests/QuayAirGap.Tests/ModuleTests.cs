using System.Management.Automation;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using QuayAirGap.Help;

namespace QuayAirGap.Tests;

/// <summary>The module as the build lays it out.</summary>
public sealed class ModuleTests
{
    private static readonly string[] s_assemblies =
    [
        "AngleSharp.dll", "BouncyCastle.Cryptography.dll", "ICSharpCode.SharpZipLib.dll", "MailKit.dll", "MimeKit.dll", "Polly.Core.dll",
        "QuayAirGap.Core.dll", "QuayAirGap.Loader.dll", "QuayAirGap.dll", "YamlDotNet.dll", "ZstdSharp.dll",
    ];

    [Fact]
    public void The_layout_has_the_files_of_a_module_and_nothing_else()
    {
        string[] files =
        [
            .. Directory.EnumerateFiles(Built.Module, "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Built.Module, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
        ];
        string[] expected =
        [
            "LICENSE", "QuayAirGap.Format.ps1xml", "QuayAirGap.psd1", "QuayAirGap.psm1", "THIRD-PARTY-NOTICES.md",
            .. s_assemblies.Select(a => "bin/" + a),
            "en-US/QuayAirGap.dll-Help.xml", "en-US/about_QuayAirGap.help.txt", "en-US/about_QuayAirGap_Errors.help.txt",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), files);
    }

    [Fact]
    public void Every_script_of_the_repository_can_be_parsed()
    {
        string[] folders =
        [
            Built.Root, Path.Combine(Built.Root, "module"), Path.Combine(Built.Root, "docs", "examples"), Path.Combine(Built.Root, "tests", "pester"),
            Path.Combine(Built.Root, "tests", "fixtures", "formats"), Path.Combine(Built.Root, "packaging", "ansible", "roles", "quayairgap", "files"),
        ];
        string[] scripts = [.. folders.SelectMany(f => Directory.EnumerateFiles(f, "*.ps*1"))];
        Assert.Contains(scripts, s => s.EndsWith("build.ps1", StringComparison.Ordinal));
        foreach (string script in scripts)
        {
            System.Management.Automation.Language.Parser.ParseFile(script, out _, out System.Management.Automation.Language.ParseError[] errors);
            Assert.Empty(errors.Select(e => $"{script}:{e.Extent.StartLineNumber}: {e.Message}"));
        }
    }

    [Fact]
    public void The_executable_carries_the_same_module()
    {
        string copy = Path.Combine(Path.GetDirectoryName(Built.Executable)!, "module", "QuayAirGap", Built.Version);
        foreach (string file in Directory.EnumerateFiles(Built.Module, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(copy, Path.GetRelativePath(Built.Module, file))));
        }
    }

    [Fact]
    public void The_manifest_has_the_one_version()
    {
        using var engine = new Engine();
        EngineResult result = engine.Run("Get-Module QuayAirGap").WithoutErrors();
        Assert.Equal(Built.Version, ((Version)result["Version"]!).ToString());
        Assert.DoesNotContain("@Version@", File.ReadAllText(Built.Manifest), StringComparison.Ordinal);
    }

    [Fact]
    public void The_manifest_exports_every_cmdlet_class_and_nothing_else()
    {
        using var engine = new Engine();
        var module = (PSModuleInfo)engine.Run("Get-Module QuayAirGap").Single.BaseObject;
        string[] classes =
        [
            .. ModuleAssembly("QuayAirGap").GetExportedTypes().Select(t => t.GetCustomAttribute<CmdletAttribute>()).OfType<CmdletAttribute>()
                .Select(a => $"{a.VerbName}-{a.NounName}").Order(StringComparer.Ordinal),
        ];
        Assert.Equal(classes, module.ExportedCmdlets.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(module.ExportedFunctions);
        Assert.Empty(module.ExportedAliases);
        Assert.Empty(module.ExportedVariables);

        // What auto-loading goes by, without importing anything.
        string manifest = File.ReadAllText(Built.Manifest);
        Assert.All(classes, c => Assert.Contains($"'{c}'", manifest, StringComparison.Ordinal));
    }

    [Fact]
    public void Importing_again_by_force_keeps_the_commands()
    {
        using var engine = new Engine();
        int before = engine.Run("Get-Command -Module QuayAirGap").WithoutErrors().Output.Count;
        EngineResult result = engine.Run(
            "param($p) Import-Module $p -Force -ErrorAction Stop; Import-Module $p -Force -ErrorAction Stop; (Get-Command -Module QuayAirGap).Count; Get-Command Get-ClairFeedSource",
            Built.Manifest).WithoutErrors();
        Assert.NotEqual(0, before);
        Assert.Equal(before, result.Output[0].BaseObject);
        Assert.Equal("QuayAirGap", ((CommandInfo)result.Output[1].BaseObject).ModuleName);
    }

    [Fact]
    public void Removing_the_module_takes_its_commands_away()
    {
        using var engine = new Engine();
        EngineResult result = engine.Run("Remove-Module QuayAirGap; Get-Command -Module QuayAirGap").WithoutErrors();
        Assert.Empty(result.Output);
    }

    [Fact]
    public void Two_runspaces_use_it_side_by_side()
    {
        using var one = new Engine();
        using var two = new Engine();
        using var folder = new Folder();
        one.Run("param($s) Set-ClairFeedSource alpine -Enabled $false -SitePath $s", folder["site"]).WithoutErrors();
        Assert.Equal("Deselected", two.Run("param($s) Get-ClairFeedSource alpine -SitePath $s", folder["site"]).WithoutErrors()["State"]);
    }

    [Fact]
    public void The_libraries_of_another_module_do_no_harm()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        engine.Run("param($s) Set-ClairFeedSource alpine -WarnAfter 1d -SitePath $s", folder["site"]).WithoutErrors();
        Assembly[] yaml = [.. AssemblyLoadContext.All.SelectMany(c => c.Assemblies).Where(a => a.GetName().Name == "YamlDotNet")];
        Assert.Equal(2, yaml.Length);
        Assert.Contains(yaml, a => a.GetName().Version == OtherModules.TheirVersion && AssemblyLoadContext.GetLoadContext(a) == AssemblyLoadContext.Default);
        Assert.Contains(yaml, a => a.GetName().Version > OtherModules.TheirVersion && AssemblyLoadContext.GetLoadContext(a)!.Name == "QuayAirGap");
    }

    [Fact]
    public void The_hosts_own_assemblies_are_not_taken_twice()
    {
        using var engine = new Engine();
        using var folder = new Folder();
        engine.Run("param($p) New-ClairFeedSigner -Path $p -Subject x", folder["x.pfx"]).WithoutErrors();
        foreach (string name in new[] { "System.Management.Automation", "System.Security.Cryptography.Pkcs" })
        {
            Assembly only = Assert.Single(AssemblyLoadContext.All.SelectMany(c => c.Assemblies), a => a.GetName().Name == name);
            Assert.Same(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(only));
        }
    }

    [Fact]
    public void Output_types_are_found_by_name()
    {
        using var engine = new Engine();
        foreach (Type type in ModuleAssembly("QuayAirGap").GetExportedTypes().Where(t => t.Namespace == "QuayAirGap"))
        {
            Assert.Same(type, engine.Run($"[{type.FullName}]").WithoutErrors().Single.BaseObject);
        }
    }

    [Fact]
    public void Every_cmdlet_declares_what_it_writes_and_asks_before_it_changes_anything()
    {
        string[] silent = ["Stop-ClairFeedMirror"];
        string[] readers = ["Get", "Test"];
        string[] keepers = ["Get-ClairFeedNeed"]; // reads, and keeps what it read where it is asked to
        using var engine = new Engine();
        Assert.NotEmpty(engine.Run("Get-Command -Module QuayAirGap").Output);
        foreach (Type type in ModuleAssembly("QuayAirGap").GetExportedTypes().Where(t => t.GetCustomAttribute<CmdletAttribute>() is not null))
        {
            CmdletAttribute cmdlet = type.GetCustomAttribute<CmdletAttribute>()!;
            string name = $"{cmdlet.VerbName}-{cmdlet.NounName}";
            Assert.True(silent.Contains(name) || type.GetCustomAttributes<OutputTypeAttribute>().Any(), $"{name} does not declare its output.");
            Assert.True((readers.Contains(cmdlet.VerbName) && !keepers.Contains(name)) != cmdlet.SupportsShouldProcess, $"{name} and ShouldProcess");
            Assert.NotEqual(ConfirmImpact.High, cmdlet.ConfirmImpact);
            Assert.NotNull(type.GetProperty("SitePath"));
        }
    }

    [Fact]
    public void References_point_one_way()
    {
        string[] core = ReferencesOf("QuayAirGap.Core", "net8.0");
        Assert.DoesNotContain(core, IsEngine);
        Assert.DoesNotContain(core, IsWeb);
        Assert.DoesNotContain(core, r => r.StartsWith("Npgsql", StringComparison.Ordinal));
        Assert.DoesNotContain(core, r => r == "System.Console");
        Assert.DoesNotContain(core, r => r.StartsWith("QuayAirGap", StringComparison.Ordinal));

        Assert.Equal(["QuayAirGap.Core"], OursIn(ReferencesOf("QuayAirGap", "net8.0")));
        Assert.DoesNotContain(ReferencesOf("QuayAirGap", "net8.0"), IsWeb);
        Assert.Empty(OursIn(ReferencesOf("QuayAirGap.Loader", "net8.0")));
        Assert.DoesNotContain(ReferencesOf("QuayAirGap.Loader", "net8.0"), IsEngine);

        Assert.Equal(["QuayAirGap.Core"], OursIn(ReferencesOf("QuayAirGap.Server", "net10.0")));
        Assert.DoesNotContain(ReferencesOf("QuayAirGap.Server", "net10.0"), IsEngine);
        Assert.Equal(["QuayAirGap.Core", "QuayAirGap.Server"], OursIn(ReferencesOf("QuayAirGap.Host", "net10.0", "quayairgap")).Order());
    }

    internal static Assembly ModuleAssembly(string name) =>
        AssemblyLoadContext.All.Single(c => c.Name == "QuayAirGap").Assemblies.Single(a => a.GetName().Name == name);

    private static bool IsEngine(string reference) => reference.StartsWith("System.Management.Automation", StringComparison.Ordinal);

    private static bool IsWeb(string reference) =>
        reference.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || reference.StartsWith("Microsoft.Extensions.Hosting", StringComparison.Ordinal);

    private static IEnumerable<string> OursIn(string[] references) => references.Where(r => r.StartsWith("QuayAirGap", StringComparison.Ordinal));

    private static string[] ReferencesOf(string project, string framework, string? assembly = null)
    {
        using FileStream file = File.OpenRead(Path.Combine(Built.OutputOf(project, framework), (assembly ?? project) + ".dll"));
        using var image = new PEReader(file);
        MetadataReader metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(r => metadata.GetString(metadata.GetAssemblyReference(r).Name))];
    }
}

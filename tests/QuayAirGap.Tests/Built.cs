using System.Reflection;

namespace QuayAirGap.Tests;

/// <summary>What the build made, and where it is.</summary>
internal static class Built
{
    private static readonly Dictionary<string, string?> s_values =
        typeof(Built).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(a => a.Key, a => a.Value);

    public static string Module => s_values["ModuleLayout"]!;

    public static string Manifest => Path.Combine(Module, "QuayAirGap.psd1");

    public static string Root => s_values["RepositoryRoot"]!;

    public static string Configuration => s_values["Configuration"]!;

    public static string Version => s_values["Version"]!;

    /// <summary>The manifest of Pester, as the restore left it.</summary>
    public static string Pester => s_values["Pester"]!;

    public static string Executable => Path.Combine(
        OutputOf("QuayAirGap.Host", "net10.0"), OperatingSystem.IsWindows() ? "quayairgap.exe" : "quayairgap");

    public static string OutputOf(string project, string framework) =>
        Path.Combine(Root, "src", project, "bin", s_values["Configuration"]!, framework);
}

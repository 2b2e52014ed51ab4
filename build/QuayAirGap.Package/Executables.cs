namespace QuayAirGap.Package;

/// <summary>The executable with its own runtime, for one platform.</summary>
internal static class Executables
{
    /// <summary>The runtimes that packages are made for, where nobody names others.</summary>
    public static IReadOnlyList<string> Usual { get; } = ["linux-x64", "linux-arm64", "win-x64"];

    public static string ArchiveName(string version, string runtime) =>
        $"quayairgap-{version}-{runtime}{(IsWindows(runtime) ? ".zip" : ".tar.gz")}";

    /// <param name="published">What "dotnet publish" made.</param>
    /// <param name="version">The product's version.</param>
    /// <param name="runtime">Such as linux-x64.</param>
    /// <param name="path">Where the archive goes.</param>
    /// <param name="time">Of every file.</param>
    public static void Write(string published, string version, string runtime, string path, DateTimeOffset time)
    {
        IReadOnlyList<TreeFile> files = FileTree.Read(published, $"quayairgap-{version}/", name => name is "quayairgap" or "createdump");
        if (IsWindows(runtime))
        {
            FileTree.WriteZip(path, files, time);
        }
        else
        {
            FileTree.WriteTarGzip(path, files, time);
        }
    }

    /// <summary>Licences that must lie beside the executable.</summary>
    public static void AddLicenses(string published, IEnumerable<Library> libraries)
    {
        File.Copy(Path.Combine(Repository.Root, "LICENSE"), Path.Combine(published, "LICENSE"), overwrite: true);
        File.Copy(Path.Combine(Repository.Root, Notices.FileName), Path.Combine(published, Notices.FileName), overwrite: true);
        foreach (Library library in libraries)
        {
            if (library.Name.StartsWith("Microsoft.NETCore.App.Runtime", StringComparison.Ordinal))
            {
                File.Copy(Path.Combine(NuGetPackages.PackageFolder(library.Name, library.Version), "THIRD-PARTY-NOTICES.TXT"), Path.Combine(published, "dotnet-THIRD-PARTY-NOTICES.txt"), overwrite: true);
            }
        }
    }

    private static bool IsWindows(string runtime) => runtime.StartsWith("win", StringComparison.Ordinal);
}

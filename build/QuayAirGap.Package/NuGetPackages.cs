using System.Text.Json;
using System.Xml.Linq;

namespace QuayAirGap.Package;

/// <summary>A library that we carry.</summary>
/// <param name="Name">As its maker spells it.</param>
/// <param name="Version">The exact version.</param>
/// <param name="Sha512">Of the package, in hexadecimal digits; what the lock file holds every restore to.</param>
/// <param name="License">An SPDX expression.</param>
/// <param name="Copyright">As the package says; may be empty.</param>
/// <param name="ProjectUri">Where it comes from; may be empty.</param>
/// <param name="Dependencies">Names of the libraries that it needs.</param>
internal sealed record Library(
    string Name, string Version, string Sha512, string License, string Copyright, string ProjectUri, IReadOnlyList<string> Dependencies)
{
    public string PackageUrl => $"pkg:nuget/{Name}@{Version}";
}

/// <summary>What a lock file says of packages, and what the packages say of themselves.</summary>
internal static class NuGetPackages
{
    /// <summary>Named by the lock file, and left out of every executable: its terms forbid passing it on. See QuayAirGap.Host.csproj.</summary>
    private const string NotCarried = "Microsoft.Management.Infrastructure.Runtime.Win";

    private static readonly string[] s_parts = ["lib", "runtimes"];

    private static string Folder => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>The packages of a lock file whose files are among those that are shipped.</summary>
    /// <param name="lockFile">packages.lock.json.</param>
    /// <param name="isShipped">Whether a file of that name is shipped.</param>
    /// <exception cref="PackageException">A package is not restored, or says nothing of its licence.</exception>
    public static IReadOnlyList<Library> Shipped(string lockFile, Func<string, bool> isShipped) =>
        Select(lockFile, (name, version) => Files(name, version).Any(isShipped));

    /// <summary>The packages that a published executable names, as the lock file of the sources has them, and its runtimes.</summary>
    /// <param name="lockFile">packages.lock.json.</param>
    /// <param name="depsFile">quayairgap.deps.json.</param>
    /// <exception cref="PackageException">The executable has a package, a version or an assembly that the sources' lock file does not name, or one that may not be passed on.</exception>
    public static IReadOnlyList<Library> Published(string lockFile, string depsFile)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(depsFile));
        var packages = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var assemblies = new HashSet<string>(StringComparer.Ordinal);
        var runtimes = new List<Library>();
        foreach (JsonProperty library in document.RootElement.GetProperty("libraries").EnumerateObject())
        {
            string[] key = library.Name.Split('/');
            switch (library.Value.GetProperty("type").GetString())
            {
                case "package":
                    packages.Add(library.Name);
                    break;
                case "reference":
                    assemblies.UnionWith(Assemblies(document, library.Name));
                    break;
                case "runtimepack":
                    runtimes.Add(Describe(key[0]["runtimepack.".Length..], key[1]));
                    break;
            }
        }

        // An assembly that the project takes out of a package by its path has that package's name and licence all the same.
        IReadOnlyList<Library> libraries = Select(lockFile, (name, version) => packages.Contains($"{name}/{version}") || Files(name, version).Any(assemblies.Contains));
        string[] strangers =
        [
            .. packages.Except(libraries.Select(l => $"{l.Name}/{l.Version}"), StringComparer.OrdinalIgnoreCase),
            .. assemblies.Where(a => !libraries.Any(l => Files(l.Name, l.Version).Contains(a, StringComparer.Ordinal))),
        ];
        return strangers.Length > 0
            ? throw new PackageException($"The lock file does not name what the executable has: {string.Join(", ", strangers)}.")
            : [.. libraries, .. runtimes];
    }

    /// <summary>The files of a library that is no package, in all targets.</summary>
    private static IEnumerable<string> Assemblies(JsonDocument deps, string library) => deps.RootElement.GetProperty("targets").EnumerateObject()
        .Where(t => t.Value.TryGetProperty(library, out JsonElement l) && l.TryGetProperty("runtime", out _))
        .SelectMany(t => t.Value.GetProperty(library).GetProperty("runtime").EnumerateObject()).Select(f => Path.GetFileName(f.Name));

    private static IReadOnlyList<Library> Select(string lockFile, Func<string, string, bool> isWanted)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(lockFile));
        var libraries = new SortedDictionary<string, Library>(StringComparer.OrdinalIgnoreCase);
        foreach (JsonProperty framework in document.RootElement.GetProperty("dependencies").EnumerateObject())
        {
            foreach (JsonProperty package in framework.Value.EnumerateObject())
            {
                if (package.Value.GetProperty("type").GetString() != "Project" && package.Value.TryGetProperty("contentHash", out JsonElement hash)
                    && !libraries.ContainsKey(package.Name))
                {
                    string version = package.Value.GetProperty("resolved").GetString()!;
                    if (package.Name != NotCarried && isWanted(package.Name, version))
                    {
                        libraries.Add(package.Name, Describe(
                            package.Name, version, Convert.ToHexString(hash.GetBytesFromBase64()).ToLowerInvariant(),
                            package.Value.TryGetProperty("dependencies", out JsonElement d) ? [.. d.EnumerateObject().Select(p => p.Name)] : []));
                    }
                }
            }
        }

        // What a shipped library needs and the host has is no part of what we ship.
        return [.. libraries.Values.Select(l => l with { Dependencies = [.. l.Dependencies.Where(libraries.ContainsKey).Order(StringComparer.OrdinalIgnoreCase)] })];
    }

    /// <summary>A package that no lock file names, such as a runtime pack.</summary>
    public static Library Describe(string name, string version)
    {
        string hash = Path.Combine(PackageFolder(name, version), $"{name}.{version}.nupkg.sha512".ToLowerInvariant());
        return Describe(name, version, Convert.ToHexString(Convert.FromBase64String(File.ReadAllText(hash))).ToLowerInvariant(), []);
    }

    /// <summary>The folder of a restored package.</summary>
    public static string PackageFolder(string name, string version) => Path.Combine(Folder, name.ToLowerInvariant(), version.ToLowerInvariant());

    private static IEnumerable<string> Files(string name, string version)
    {
        string folder = PackageFolder(name, version);
        return Directory.Exists(folder)
            ? s_parts.Select(part => Path.Combine(folder, part)).Where(Directory.Exists)
                .SelectMany(part => Directory.EnumerateFiles(part, "*", SearchOption.AllDirectories))
                .Select(file => Path.GetFileName(file)!).Where(file => file != "_._").Distinct()
            : throw new PackageException($"{name} {version} is not restored: run dotnet restore first.");
    }

    private static Library Describe(string name, string version, string sha512, IReadOnlyList<string> dependencies)
    {
        XElement metadata = XDocument.Load(Path.Combine(PackageFolder(name, version), name.ToLowerInvariant() + ".nuspec")).Root!.Elements().Single(e => e.Name.LocalName == "metadata");
        string Of(string element) => metadata.Elements().FirstOrDefault(e => e.Name.LocalName == element)?.Value.Trim() ?? "";
        XElement? license = metadata.Elements().FirstOrDefault(e => e.Name.LocalName == "license" && (string?)e.Attribute("type") == "expression");
        string id = Of("id");
        return new Library(
            id, version, sha512, license?.Value.Trim() ?? throw new PackageException($"{id} has no licence with a name that others know: whether it may be passed on must be read first."),
            Of("copyright"), Of("projectUrl"), dependencies);
    }
}

using System.Reflection;
using System.Runtime.Loader;

namespace QuayAirGap.Loader;

/// <summary>
/// Keeps the module's libraries away from those of other modules in the same process: a module that brought another YamlDotNet neither
/// breaks this one nor is broken by it. Only the names below are answered here. Everything else, above all the engine and
/// System.Security.Cryptography.Pkcs, comes from the host: a second copy of those would be other types of the same name.
/// </summary>
public sealed class LoadContext : AssemblyLoadContext
{
    private const string ModuleName = "QuayAirGap";

    private static readonly string[] s_ours =
    [
        ModuleName, "QuayAirGap.Core", "AngleSharp", "BouncyCastle.Cryptography", "ICSharpCode.SharpZipLib", "MailKit", "MimeKit", "Polly.Core", "YamlDotNet", "ZstdSharp",
    ];

    private static readonly Lazy<LoadContext> s_instance = new(() => new LoadContext());

    private readonly string _folder = Path.GetDirectoryName(typeof(LoadContext).Assembly.Location)!;

    private LoadContext()
        : base(ModuleName, isCollectible: false)
    {
    }

    /// <summary>The assembly with the cmdlets, loaded once in a process: assemblies cannot be unloaded, so a second import gets the same.</summary>
    /// <param name="folder">The folder with the module's assemblies that the caller wants.</param>
    /// <exception cref="InvalidOperationException">This process already holds another version of the module.</exception>
    public static Assembly Initialize(string folder)
    {
        Assembly loaded = s_instance.Value.LoadFromAssemblyName(new AssemblyName(ModuleName));
        Version? wanted = AssemblyName.GetAssemblyName(Path.Combine(folder, ModuleName + ".dll")).Version;
        return loaded.GetName().Version == wanted
            ? loaded
            : throw new InvalidOperationException(
                $"This process already uses {ModuleName} {loaded.GetName().Version!.ToString(3)} and cannot load {wanted?.ToString(3)} beside it. " +
                "Start a new PowerShell for the other version.");
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) =>
        s_ours.Contains(assemblyName.Name, StringComparer.OrdinalIgnoreCase)
            ? LoadFromAssemblyPath(Path.Combine(_folder, assemblyName.Name + ".dll"))
            : null;
}

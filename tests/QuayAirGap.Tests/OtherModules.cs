using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;

namespace QuayAirGap.Tests;

/// <summary>Another module in the same process that brought a YamlDotNet of its own, loaded before ours. All tests run beside it.</summary>
internal static class OtherModules
{
    public static readonly Version TheirVersion = new(5, 0, 0, 0);

    public static void LoadTheirYaml()
    {
        var theirs = new PersistedAssemblyBuilder(new AssemblyName("YamlDotNet") { Version = TheirVersion }, typeof(object).Assembly);
        theirs.DefineDynamicModule("YamlDotNet").DefineType("YamlDotNet.Theirs", TypeAttributes.Public).CreateType();
        using var image = new MemoryStream();
        theirs.Save(image);
        image.Position = 0;
        AssemblyLoadContext.Default.LoadFromStream(image);
    }
}

namespace QuayAirGap.Help;

/// <summary>Where the pages and the help are, and what the help has to say.</summary>
public static class HelpFile
{
    public static string PathIn(string repositoryRoot) => Path.Combine(repositoryRoot, "module", "en-US", "QuayAirGap.dll-Help.xml");

    public static IReadOnlyDictionary<string, CmdletPage> ReadPages(string repositoryRoot) =>
        Directory.GetFiles(Path.Combine(repositoryRoot, "docs", "cmdlets"), "*-*.md")
            .Select(f => CmdletPage.Parse(File.ReadAllText(f)))
            .ToDictionary(p => p.Name, StringComparer.Ordinal);

    public static string Generate(string repositoryRoot, string moduleLayout) =>
        MamlDocument.Create(ModuleCommands.Load(moduleLayout), ReadPages(repositoryRoot));
}

using System.Reflection;
using QuayAirGap.Help;

Dictionary<string, string?> built = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(a => a.Key, a => a.Value);
string root = built["RepositoryRoot"]!;
Directory.CreateDirectory(Path.GetDirectoryName(HelpFile.PathIn(root))!);
File.WriteAllText(HelpFile.PathIn(root), HelpFile.Generate(root, built["ModuleLayout"]!));
File.WriteAllText(ErrorsTopic.PathIn(root), ErrorsTopic.Generate(root));

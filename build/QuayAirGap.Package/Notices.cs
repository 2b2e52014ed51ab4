using System.Globalization;
using System.Text;

namespace QuayAirGap.Package;

/// <summary>THIRD-PARTY-NOTICES.md: every library that the module or an executable carries, and the terms under which it does.</summary>
internal static class Notices
{
    public const string FileName = "THIRD-PARTY-NOTICES.md";

    private static string TermsFolder => Path.Combine(Repository.Root, "build", "QuayAirGap.Package", "licenses");

    /// <exception cref="PackageException">A licence whose text is not in the folder "licenses".</exception>
    public static string Write(IEnumerable<Library> libraries)
    {
        Library[] all = [.. libraries.DistinctBy(l => l.PackageUrl).OrderBy(l => l.Name, StringComparer.OrdinalIgnoreCase).ThenBy(l => l.Version, StringComparer.Ordinal)];
        var text = new StringBuilder("""
            # Third-party notices

            QuayAirGap itself is under the Apache-2.0 licence: see LICENSE. It carries these libraries. An executable that holds its own runtime also has .NET's
            own notices beside it (dotnet-THIRD-PARTY-NOTICES.txt). This file is written by `dotnet run --project build/QuayAirGap.Package -- notices`.

            | library | version | licence | copyright |
            |---|---|---|---|

            """);
        foreach (Library library in all)
        {
            string name = library.ProjectUri.Length > 0 ? $"[{library.Name}]({library.ProjectUri})" : library.Name;
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {library.Version} | {library.License} | {library.Copyright.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }

        foreach (string license in all.Select(l => l.License).Distinct().Order(StringComparer.Ordinal))
        {
            string file = Path.Combine(TermsFolder, license + ".txt");
            if (!File.Exists(file))
            {
                throw new PackageException($"The terms of {license} are not in '{TermsFolder}'.");
            }

            text.Append(CultureInfo.InvariantCulture, $"\n## {license}\n\n{File.ReadAllText(file).ReplaceLineEndings("\n").Trim()}\n");
        }

        return text.ToString();
    }
}

using System.Globalization;
using System.Security;
using System.Security.Cryptography;
using System.Text;

namespace QuayAirGap.Package;

/// <summary>The module as people get it: a ZIP to unpack into a folder of $env:PSModulePath, and a package for a PowerShell repository.</summary>
internal static class ModulePackages
{
    private const string Name = "QuayAirGap";

    /// <summary>
    /// Its name differs from the package's in more than the extension: PSResourceGet takes every file of a folder repository whose name begins with "QuayAirGap." for a
    /// version of the module.
    /// </summary>
    public static string ZipName(string version) => $"quayairgap-module-{version}.zip";

    public static string PackageName(string version) => $"{Name}.{version}.nupkg";

    /// <param name="module">The laid-out module: the folder that is named as its version.</param>
    /// <param name="version">That version.</param>
    /// <param name="path">Where the ZIP goes.</param>
    /// <param name="time">Of every file.</param>
    public static void WriteZip(string module, string version, string path, DateTimeOffset time) =>
        FileTree.WriteZip(path, FileTree.Read(module, $"{Name}/{version}/"), time);

    /// <summary>The package's parts are those of the Open Packaging Conventions (ECMA-376, part 2), as NuGet has them; the module's files are at its root.</summary>
    public static void WritePackage(string module, string version, string path, DateTimeOffset time)
    {
        IReadOnlyList<TreeFile> files = FileTree.Read(module, "");
        string nuspec = Nuspec(version);
        string core = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(nuspec)))[..32].ToLowerInvariant();
        string properties = $"package/services/metadata/core-properties/{core}.psmdcp";
        FileTree.WriteZip(
            path,
            [
                Part("_rels/.rels", $"""
                    <?xml version="1.0" encoding="utf-8"?>
                    <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
                      <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/{Name}.nuspec" Id="R1" />
                      <Relationship Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="/{properties}" Id="R2" />
                    </Relationships>
                    """),
                Part($"{Name}.nuspec", nuspec),
                .. files,
                Part("[Content_Types].xml", ContentTypes(files)),
                Part(properties, $"""
                    <?xml version="1.0" encoding="utf-8"?>
                    <coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://schemas.openxmlformats.org/package/2006/metadata/core-properties">
                      <dc:creator>the QuayAirGap authors</dc:creator>
                      <dc:identifier>{Name}</dc:identifier>
                      <version>{version}</version>
                    </coreProperties>
                    """),
            ],
            time);
    }

    private static string Nuspec(string version) => $"""
        <?xml version="1.0" encoding="utf-8"?>
        <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
          <metadata>
            <id>{Name}</id>
            <version>{version}</version>
            <authors>the QuayAirGap authors</authors>
            <license type="expression">Apache-2.0</license>
            <requireLicenseAcceptance>false</requireLicenseAcceptance>
            <description>Carries Clair's vulnerability feeds over an air gap in signed bundles, publishes them so that an unmodified Clair ingests them correctly, and says when they are old or missing.</description>
            <tags>PSModule PSEdition_Core PSIncludes_Cmdlet Clair Quay AirGap Vulnerability Security Linux Windows</tags>
          </metadata>
        </package>
        """;

    /// <summary>A type for each extension, and for each file that has none.</summary>
    private static string ContentTypes(IReadOnlyList<TreeFile> files)
    {
        var text = new StringBuilder("""
            <?xml version="1.0" encoding="utf-8"?>
            <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
              <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
              <Default Extension="psmdcp" ContentType="application/vnd.openxmlformats-package.core-properties+xml" />
              <Default Extension="nuspec" ContentType="application/octet" />

            """);
        foreach (string extension in files.Select(f => Path.GetExtension(f.Name).TrimStart('.')).Where(e => e.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"  <Default Extension=\"{extension}\" ContentType=\"application/octet\" />\n");
        }

        foreach (TreeFile file in files.Where(f => Path.GetExtension(f.Name).Length == 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"  <Override PartName=\"/{SecurityElement.Escape(file.Name)}\" ContentType=\"application/octet\" />\n");
        }

        return text.Append("</Types>").ToString();
    }

    private static TreeFile Part(string name, string text) => new(name, Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n") + "\n"));
}

using System.Globalization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace QuayAirGap.Core.Trust;

/// <summary>trust/policy.yaml: how many signers a bundle needs.</summary>
internal static class TrustPolicy
{
    internal const int MostSigners = 16;

    private const string Template = """
        # How this site decides whether to believe a bundle.
        version: 1

        # How many different trusted signers must have signed a bundle.
        requiredSigners: 1

        """;

    public static string PathIn(Site site) => Path.Combine(site.TrustFolder, "policy.yaml");

    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public static int ReadRequiredSigners(Site site)
    {
        string path = PathIn(site);
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            if (yaml.Documents.Count != 1 || yaml.Documents[0].RootNode is not YamlMappingNode root)
            {
                throw new FormatException("it must be one list of settings");
            }

            int required = 1;
            foreach ((YamlNode key, YamlNode value) in root.Children)
            {
                required = (key as YamlScalarNode)?.Value switch
                {
                    "version" when Number(value) == 1 => required,
                    "version" => throw new FormatException("its version is not 1"),
                    "requiredSigners" when Number(value) is >= 1 and <= MostSigners and var n => n,
                    "requiredSigners" => throw new FormatException($"requiredSigners must be a number from 1 to {MostSigners}"),

                    // A misspelt setting that is passed over would leave the site less strict than its owner believes.
                    var other => throw new FormatException($"there is no setting '{other}'"),
                };
            }

            return required;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return 1;
        }
        catch (Exception e) when (e is FormatException or YamlException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FeedException(
                ErrorIds.SettingsInvalid, $"'{path}' cannot be used: {e.Message}.", path,
                "Correct the file; nothing is imported while it is unclear how many signers are needed.", e);
        }
    }

    /// <summary>Sets how many signers are needed. The rest of the file, comments too, stays as it is.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/>: the file is not understood, and so not changed.</exception>
    public static void WriteRequiredSigners(Site site, int required)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(required, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(required, MostSigners);
        ReadRequiredSigners(site);
        Directory.CreateDirectory(site.TrustFolder);
        WriteDefault(site);
        string[] lines = File.ReadAllText(PathIn(site)).ReplaceLineEndings("\n").Split('\n');
        string setting = string.Create(CultureInfo.InvariantCulture, $"requiredSigners: {required}");
        int at = Array.FindIndex(lines, l => l.StartsWith("requiredSigners:", StringComparison.Ordinal));
        if (at >= 0)
        {
            int comment = lines[at].IndexOf(" #", StringComparison.Ordinal);
            lines[at] = setting + (comment >= 0 ? lines[at][comment..] : "");
        }

        string text = string.Join('\n', lines);
        Durable.ReplaceFile(PathIn(site), System.Text.Encoding.UTF8.GetBytes(at >= 0 ? text : $"{text.TrimEnd('\n')}\n{setting}\n"));
        if (ReadRequiredSigners(site) != required)
        {
            throw new FeedException(
                ErrorIds.SettingsInvalid, $"'{PathIn(site)}' is not written as this program writes it.", PathIn(site), "Set requiredSigners in the file by hand.");
        }
    }

    public static void WriteDefault(Site site)
    {
        if (!File.Exists(PathIn(site)))
        {
            Durable.ReplaceFile(PathIn(site), System.Text.Encoding.UTF8.GetBytes(Template));
        }
    }

    private static int? Number(YamlNode node) =>
        int.TryParse((node as YamlScalarNode)?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}

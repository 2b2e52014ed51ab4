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

    private const int CurrentVersion = 1;

    private const string Template = """
        # How this site decides whether to believe a bundle.
        version: 1

        # How many different trusted signers must have signed a bundle.
        requiredSigners: 1

        """;

    public static string PathIn(Site site) => Path.Combine(site.TrustFolder, "policy.yaml");

    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/> or <see cref="ErrorIds.SiteVersion"/></exception>
    public static int ReadRequiredSigners(Site site)
    {
        string path = PathIn(site);
        try
        {
            return Parse(path, File.ReadAllText(path));
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
    /// <returns>How many were needed before.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/>: the file is not as this program writes it, and not changed.</exception>
    public static int WriteRequiredSigners(Site site, int required)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(required, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(required, MostSigners);
        int before = ReadRequiredSigners(site);
        Directory.CreateDirectory(site.TrustFolder);
        WriteDefault(site);
        if (required == before)
        {
            return before;
        }

        string path = PathIn(site);
        string[] lines = File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n');
        string setting = string.Create(CultureInfo.InvariantCulture, $"requiredSigners: {required}");
        int at = Array.FindIndex(lines, l => l.StartsWith("requiredSigners:", StringComparison.Ordinal));
        string text;
        if (at < 0)
        {
            text = $"{string.Join('\n', lines).TrimEnd('\n')}\n{setting}\n";
        }
        else
        {
            int comment = lines[at].IndexOf(" #", StringComparison.Ordinal);
            lines[at] = setting + (comment >= 0 ? lines[at][comment..] : "");
            text = string.Join('\n', lines);
        }

        try
        {
            if (Parse(path, text) == required)
            {
                Durable.ReplaceFile(path, System.Text.Encoding.UTF8.GetBytes(text));
                return before;
            }
        }
        catch (Exception e) when (e is FormatException or YamlException or ArgumentException)
        {
            // Somebody wrote it in another form: theirs to change.
        }

        throw new FeedException(
            ErrorIds.SettingsInvalid, $"'{path}' is not written as this program writes it.", path, "Set requiredSigners in the file by hand.");
    }

    private static int Parse(string path, string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        if (yaml.Documents.Count != 1 || yaml.Documents[0].RootNode is not YamlMappingNode root)
        {
            throw new FormatException("it must be one list of settings");
        }

        foreach ((YamlNode key, YamlNode value) in root.Children)
        {
            // First of all: what a later version may say is otherwise called a misspelling.
            if ((key as YamlScalarNode)?.Value == "version")
            {
                FormatVersion.ThrowIfLater(path, Number(value), CurrentVersion);
            }
        }

        int required = 1;
        foreach ((YamlNode key, YamlNode value) in root.Children)
        {
            required = (key as YamlScalarNode)?.Value switch
            {
                "version" when Number(value) == CurrentVersion => required,
                "version" => throw new FormatException("its version is not 1"),
                "requiredSigners" when Number(value) is >= 1 and <= MostSigners and var n => n,
                "requiredSigners" => throw new FormatException($"requiredSigners must be a number from 1 to {MostSigners}"),

                // A misspelt setting that is passed over would leave the site less strict than its owner believes.
                var other => throw new FormatException($"there is no setting '{other}'"),
            };
        }

        return required;
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

using QuayAirGap.Core.Clair;

namespace QuayAirGap.Core.Sites;

internal static partial class SettingsReader
{
    private static readonly string[] s_clairKeys = ["url", "pskFile", "pskVariable", "issuer", "pickUpWithin"];

    private static ClairSettings ReadClair(SettingsDocument document, SettingsEntry clair)
    {
        var settings = new ClairSettings { Url = new Uri("http://localhost/") };
        bool hasUrl = false;
        foreach (SettingsEntry entry in EntriesOf(document, clair))
        {
            settings = entry.Key.Value switch
            {
                "url" => settings with { Url = ReadUri(document, entry, isFolder: true) },
                "pskFile" => settings with { PskFile = ReadWholePath(document, entry) },
                "pskVariable" => settings with { PskVariable = ReadText(document, entry) },
                "issuer" => settings with { Issuer = ReadText(document, entry) },
                "pickUpWithin" => settings with { PickUpWithin = ReadDuration(document, entry) },
                _ => throw UnknownKey(document, entry.Key, "a setting of 'clair'", s_clairKeys),
            };
            hasUrl |= entry.Key.Value == "url";
        }

        return !hasUrl ? throw document.Invalid(clair.Key.Line, "'clair' needs 'url': Clair's API, as Quay has it")
            : settings is { PskFile: not null, PskVariable: not null } ? throw document.Invalid(clair.Key.Line, "'clair' has 'pskFile' or 'pskVariable', not both")
            : settings;
    }

    private static string ReadWholePath(SettingsDocument document, SettingsEntry entry)
    {
        string path = ReadPath(document, entry);
        return Path.IsPathFullyQualified(path)
            ? path
            : throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' is a whole path, not '{path}': commands run anywhere");
    }
}

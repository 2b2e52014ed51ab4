using QuayAirGap.Core.Clair;

namespace QuayAirGap.Core.Sites;

internal static partial class SettingsReader
{
    private static readonly string[] s_clairKeys = ["url", "pskFile", "pskVariable", "issuer", "pickUpWithin", "release"];

    /// <returns>No settings where the release is all that is said: then nobody asks.</returns>
    private static (ClairSettings? Settings, ClairRelease Release) ReadClair(SettingsDocument document, SettingsEntry clair)
    {
        ClairRelease release = ClairRelease.V490;
        bool hasRelease = false;
        var settings = new ClairSettings { Url = new Uri("http://localhost/") };
        bool hasUrl = false;
        bool isAsked = false;
        foreach (SettingsEntry entry in EntriesOf(document, clair))
        {
            if (entry.Key.Value == "release")
            {
                release = ReadRelease(document, entry);
                hasRelease = true;
                continue;
            }

            isAsked = true;
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

        return hasRelease && !isAsked ? (null, release)
            : !hasUrl ? throw document.Invalid(clair.Key.Line, "'clair' needs 'url': Clair's API, as Quay has it")
            : settings is { PskFile: not null, PskVariable: not null } ? throw document.Invalid(clair.Key.Line, "'clair' has 'pskFile' or 'pskVariable', not both")
            : (settings, release);
    }

    private static ClairRelease ReadRelease(SettingsDocument document, SettingsEntry entry)
    {
        string name = ReadText(document, entry);
        return ClairRelease.All.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw document.Invalid(entry.Value.Line, $"'release' is one of {string.Join(" and ", ClairRelease.All.Select(r => r.Name))}, the nearest, not '{name}'");
    }

    private static string ReadWholePath(SettingsDocument document, SettingsEntry entry)
    {
        string path = ReadPath(document, entry);
        return Path.IsPathFullyQualified(path)
            ? path
            : throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' is a whole path, not '{path}': commands run anywhere");
    }
}

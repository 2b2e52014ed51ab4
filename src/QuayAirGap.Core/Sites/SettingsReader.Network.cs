namespace QuayAirGap.Core.Sites;

internal static partial class SettingsReader
{
    private const int MostRequestsPerHost = 64;

    private static readonly string[] s_networkKeys = ["caFile", "clientCertificate", "clientPasswordFile", "proxy", "requestsPerHost"];

    private static NetworkSettings ReadNetwork(SettingsDocument document, SettingsEntry network)
    {
        var settings = new NetworkSettings();
        foreach (SettingsEntry entry in EntriesOf(document, network))
        {
            settings = entry.Key.Value switch
            {
                "caFile" => settings with { CaFile = ReadPath(document, entry) },
                "clientCertificate" => settings with { ClientCertificate = ReadPath(document, entry) },
                "clientPasswordFile" => settings with { ClientPasswordFile = ReadPath(document, entry) },
                "proxy" => settings with { Proxy = ReadUri(document, entry, isFolder: false) },
                "requestsPerHost" => settings with { RequestsPerHost = ReadNumber(document, entry, 1, MostRequestsPerHost) },
                _ => throw UnknownKey(document, entry.Key, "a setting of the network", s_networkKeys),
            };
        }

        return settings.ClientPasswordFile is not null && settings.ClientCertificate is null
            ? throw document.Invalid(network.Key.Line, "'clientPasswordFile' needs a 'clientCertificate'")
            : settings;
    }

    private static string ReadPath(SettingsDocument document, SettingsEntry entry)
    {
        string text = ReadText(document, entry);
        return text.Trim().Length > 0 && !text.Any(char.IsControl) ? text : throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' is the path of a file");
    }
}

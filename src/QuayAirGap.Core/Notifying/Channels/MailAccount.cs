using System.Globalization;
using System.Net;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace QuayAirGap.Core.Notifying.Channels;

/// <summary>A mail server and who speaks to it: what sources.yaml says, else what Quay's MAIL_* say, else the defaults.</summary>
/// <param name="Credential">Null for a server that asks for none.</param>
internal sealed record MailAccount(string Host, int Port, MailSecurity Security, string From, NetworkCredential? Credential)
{
    /// <exception cref="FeedException"><see cref="ErrorIds.WarningSecret"/></exception>
    public static MailAccount Of(MailSettings settings, NetworkCredential? credential)
    {
        IReadOnlyDictionary<string, string> quay = settings.QuayConfig is { } file ? ReadQuay(file) : new Dictionary<string, string>();
        string? Quay(string key) => quay.TryGetValue(key, out string? value) && value.Length > 0 ? value : null;

        // Quay's default is STARTTLS (quay: config.py).
        MailSecurity security = settings.Security
            ?? (string.Equals(Quay("MAIL_USE_TLS"), "false", StringComparison.OrdinalIgnoreCase) ? MailSecurity.None : MailSecurity.StartTls);
        int port = settings.Port ?? (Quay("MAIL_PORT") is { } text
            ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 65536
                ? number : throw Wrong(settings, $"MAIL_PORT is '{text}'")
            : security switch { MailSecurity.Tls => 465, MailSecurity.None => 25, _ => 587 });
        string host = settings.Host ?? Quay("MAIL_SERVER") ?? throw Wrong(settings, "it has no MAIL_SERVER");
        string from = settings.From ?? Quay("MAIL_DEFAULT_SENDER") ?? throw Wrong(settings, "it has no MAIL_DEFAULT_SENDER");
        return new MailAccount(host, port, security, from, credential ?? CredentialOf(settings, Quay("MAIL_USERNAME"), Quay("MAIL_PASSWORD")));
    }

    private static NetworkCredential? CredentialOf(MailSettings settings, string? quayUser, string? quayPassword)
    {
        if ((settings.UserName ?? quayUser) is not { } user)
        {
            return null;
        }

        return new NetworkCredential(
            user,
            WarningFiles.Secret(WarningChannel.Mail, settings.PasswordFile, settings.PasswordVariable)
                ?? quayPassword
                ?? throw WarningErrors.Secret(WarningChannel.Mail, $"there is no password for '{user}'"));
    }

    private static Dictionary<string, string> ReadQuay(string file)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(WarningFiles.Text(WarningChannel.Mail, file)));
            if (stream.Documents is [{ RootNode: YamlMappingNode root }, ..])
            {
                foreach ((YamlNode key, YamlNode value) in root.Children)
                {
                    if (key is YamlScalarNode { Value: { } name } && value is YamlScalarNode { Value: { } text } && name.StartsWith("MAIL_", StringComparison.Ordinal))
                    {
                        values[name] = text;
                    }
                }
            }
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            throw WarningErrors.Secret(WarningChannel.Mail, $"'{file}' is not Quay's config.yaml: {e.Message}", e);
        }

        return values;
    }

    private static FeedException Wrong(MailSettings settings, string what) => WarningErrors.Secret(
        WarningChannel.Mail, $"'{settings.QuayConfig}' cannot be used as it is: {what}");
}

using System.Globalization;
using QuayAirGap.Core.Notifying;

namespace QuayAirGap.Core.Sites;

/// <summary>What the nodes below "warnings:" mean.</summary>
/// <param name="document">The file, for its complaints.</param>
internal sealed class WarningSettingsReader(SettingsDocument document)
{
    private static readonly string[] s_channels = ["name", "mail", "quay", "webhook", "syslog", "eventLog", "textfile"];

    /// <exception cref="FeedException"><see cref="ErrorIds.SettingsInvalid"/></exception>
    public WarningSettings Read(SettingsEntry warnings)
    {
        var settings = new WarningSettings();
        foreach (SettingsEntry entry in SettingsReader.EntriesOf(document, warnings))
        {
            settings = entry.Key.Value switch
            {
                "name" => settings with { Name = OneLine(entry) },
                "mail" => settings with { Mail = ReadMail(entry) },
                "quay" => settings with { Quay = ReadQuay(entry) },
                "webhook" => settings with { Webhook = ReadWebhook(entry) },
                "syslog" => settings with { Syslog = ReadSyslog(entry) },
                "eventLog" => settings with { EventLog = ReadEventLog(entry) },
                "textfile" => settings with { Textfile = ReadTextfile(entry) },
                _ => throw SettingsReader.UnknownKey(document, entry.Key, "a channel", s_channels),
            };
        }

        return settings;
    }

    private MailSettings ReadMail(SettingsEntry mail)
    {
        var keys = new Keys(
            this, mail, "host", "port", "security", "from", "to", "userName", "passwordFile", "passwordVariable", "caFile", "quayConfig",
            "allowUnencryptedPassword");
        var settings = new MailSettings
        {
            Host = keys.Text("host"),
            Port = keys.Number("port", 1, 65535),
            Security = keys.Choice("security", ("starttls", MailSecurity.StartTls), ("tls", MailSecurity.Tls), ("none", MailSecurity.None)),
            From = keys.Text("from"),
            To = keys.Required("to"),
            UserName = keys.Text("userName"),
            PasswordFile = keys.File("passwordFile"),
            PasswordVariable = keys.Text("passwordVariable"),
            CaFile = keys.File("caFile"),
            QuayConfig = keys.File("quayConfig"),
            AllowUnencryptedPassword = keys.Choice("allowUnencryptedPassword", ("true", true), ("false", false)) ?? false,
        };
        if (settings.QuayConfig is null && (settings.Host is null || settings.From is null))
        {
            throw document.Invalid(mail.Key.Line, "'mail' needs 'host' and 'from', or 'quayConfig' to take them from");
        }

        keys.AtMostOne("passwordFile", "passwordVariable");
        return settings is { Security: MailSecurity.None, UserName: not null, AllowUnencryptedPassword: false }
            ? throw document.Invalid(
                mail.Key.Line, "'mail' would send a password over a connection that anybody can read: use 'security: starttls' or 'tls', "
                + "or say 'allowUnencryptedPassword: true'")
            : settings;
    }

    private QuaySettings ReadQuay(SettingsEntry quay)
    {
        var keys = new Keys(this, quay, "url", "tokenFile", "tokenVariable", "caFile");
        keys.ExactlyOne("tokenFile", "tokenVariable");
        return new QuaySettings
        {
            Url = keys.Url("url") ?? throw document.Invalid(quay.Key.Line, "'quay' needs 'url'"),
            TokenFile = keys.File("tokenFile"),
            TokenVariable = keys.Text("tokenVariable"),
            CaFile = keys.File("caFile"),
        };
    }

    private WebhookSettings ReadWebhook(SettingsEntry webhook)
    {
        var keys = new Keys(this, webhook, "url", "urlFile", "format", "headersFile", "caFile");
        keys.ExactlyOne("url", "urlFile");
        return new WebhookSettings
        {
            Url = keys.Url("url", isFolder: false),
            UrlFile = keys.File("urlFile"),
            Format = keys.Choice("format", ("json", WebhookFormat.Json), ("slack", WebhookFormat.Slack)) ?? WebhookFormat.Json,
            HeadersFile = keys.File("headersFile"),
            CaFile = keys.File("caFile"),
        };
    }

    private SyslogSettings ReadSyslog(SettingsEntry syslog)
    {
        var keys = new Keys(this, syslog, "host", "port", "socket");
        keys.AtMostOne("host", "socket");
        var defaults = new SyslogSettings();
        return new SyslogSettings
        {
            Host = keys.Text("host"),
            Port = keys.Number("port", 1, 65535) ?? defaults.Port,
            Socket = keys.File("socket") ?? defaults.Socket,
        };
    }

    private EventLogSettings ReadEventLog(SettingsEntry eventLog) =>
        new Keys(this, eventLog, "source").Text("source") is { } source ? new EventLogSettings { Source = source } : new EventLogSettings();

    private TextfileSettings ReadTextfile(SettingsEntry textfile)
    {
        var keys = new Keys(this, textfile, "path");
        _ = keys.Required("path");
        string path = keys.File("path")!;
        return path.EndsWith(".prom", StringComparison.Ordinal)
            ? new TextfileSettings { Path = path }
            : throw document.Invalid(textfile.Key.Line, $"the collector reads files that end in .prom only, not '{path}'");
    }

    /// <summary>Nothing that would begin another line of a header.</summary>
    private string OneLine(SettingsEntry entry)
    {
        string text = SettingsReader.ReadText(document, entry);
        return text.Any(char.IsControl) ? throw document.Invalid(entry.Value.Line, $"'{entry.Key.Value}' has characters that are none") : text;
    }

    /// <summary>The settings of one channel, by name.</summary>
    private sealed class Keys
    {
        private readonly WarningSettingsReader _reader;
        private readonly SettingsEntry _channel;
        private readonly Dictionary<string, SettingsEntry> _entries = new(StringComparer.Ordinal);

        public Keys(WarningSettingsReader reader, SettingsEntry channel, params string[] known)
        {
            _reader = reader;
            _channel = channel;
            foreach (SettingsEntry entry in SettingsReader.EntriesOf(reader.Document, channel))
            {
                if (!known.Contains(entry.Key.Value))
                {
                    throw SettingsReader.UnknownKey(reader.Document, entry.Key, $"a setting of '{channel.Key.Value}'", known);
                }

                _entries.Add(entry.Key.Value, entry);
            }
        }

        public string? Text(string key) => _entries.TryGetValue(key, out SettingsEntry? entry) ? _reader.OneLine(entry) : null;

        public string Required(string key) =>
            Text(key) ?? throw _reader.Document.Invalid(_channel.Key.Line, $"'{_channel.Key.Value}' needs '{key}'");

        public string? File(string key) => Text(key) is not { } path ? null : Path.IsPathFullyQualified(path)
            ? path
            : throw _reader.Document.Invalid(_entries[key].Value.Line, $"'{key}' is a whole path, not '{path}': commands run anywhere");

        public int? Number(string key, int least, int most) => Text(key) is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most ? number
            : throw _reader.Document.Invalid(_entries[key].Value.Line, $"'{key}' is a number from {least} to {most}, not '{text}'");

        public T? Choice<T>(string key, params (string Word, T Value)[] choices)
            where T : struct
        {
            if (Text(key) is not { } text)
            {
                return null;
            }

            foreach ((string word, T value) in choices)
            {
                if (word == text)
                {
                    return value;
                }
            }

            throw _reader.Document.Invalid(_entries[key].Value.Line, $"'{key}' is {string.Join(" or ", choices.Select(c => c.Word))}, not '{text}'");
        }

        public Uri? Url(string key, bool isFolder = true)
        {
            if (Text(key) is not { } text)
            {
                return null;
            }

            return UpstreamUri.FaultOf(text, out Uri? uri) is { } fault
                ? throw _reader.Document.Invalid(_entries[key].Value.Line, $"'{key}' {fault}")
                : UpstreamUri.Normalise(uri!, isFolder);
        }

        public void AtMostOne(string a, string b)
        {
            if (_entries.ContainsKey(a) && _entries.ContainsKey(b))
            {
                throw _reader.Document.Invalid(_channel.Key.Line, $"'{_channel.Key.Value}' has '{a}' or '{b}', not both");
            }
        }

        public void ExactlyOne(string a, string b)
        {
            AtMostOne(a, b);
            if (!_entries.ContainsKey(a) && !_entries.ContainsKey(b))
            {
                throw _reader.Document.Invalid(_channel.Key.Line, $"'{_channel.Key.Value}' needs '{a}' or '{b}'");
            }
        }
    }

    private SettingsDocument Document => document;
}

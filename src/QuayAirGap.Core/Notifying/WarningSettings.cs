namespace QuayAirGap.Core.Notifying;

/// <summary>What sources.yaml says below "warnings:". A channel that it does not name is null and not used. No secret stands in it.</summary>
public sealed record WarningSettings
{
    /// <summary>What messages call this site; null for the machine's name.</summary>
    public string? Name { get; init; }

    public MailSettings? Mail { get; init; }

    public QuaySettings? Quay { get; init; }

    public WebhookSettings? Webhook { get; init; }

    public SyslogSettings? Syslog { get; init; }

    public EventLogSettings? EventLog { get; init; }

    public TextfileSettings? Textfile { get; init; }
}

/// <summary>How a connection to a mail server is protected.</summary>
public enum MailSecurity
{
    /// <summary>Plain until STARTTLS, which the server must offer.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Tls,

    None,
}

/// <summary>Where mail goes. What is null comes from <see cref="QuayConfig"/>, else has its default.</summary>
public sealed record MailSettings
{
    public string? Host { get; init; }

    /// <summary>Default: 587, with TLS from the first byte 465, without any 25.</summary>
    public int? Port { get; init; }

    /// <summary>Default: <see cref="MailSecurity.StartTls"/>.</summary>
    public MailSecurity? Security { get; init; }

    public string? From { get; init; }

    /// <summary>Addresses, separated by commas.</summary>
    public required string To { get; init; }

    public string? UserName { get; init; }

    /// <summary>A file with the password in its first line.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>The name of an environment variable with the password.</summary>
    public string? PasswordVariable { get; init; }

    /// <summary>A PEM file with the only authorities that are trusted to vouch for the server; null for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Quay's config.yaml, to take MAIL_* from.</summary>
    public string? QuayConfig { get; init; }

    /// <summary>Sends the password over a connection that anybody can read.</summary>
    public bool AllowUnencryptedPassword { get; init; }
}

/// <summary>A Quay, and how to speak to it as a superuser.</summary>
public sealed record QuaySettings
{
    public required Uri Url { get; init; }

    /// <summary>A file with an OAuth token of scope super:user in its first line.</summary>
    public string? TokenFile { get; init; }

    /// <summary>The name of an environment variable with the token.</summary>
    public string? TokenVariable { get; init; }

    public string? CaFile { get; init; }
}

/// <summary>What a webhook gets.</summary>
public enum WebhookFormat
{
    Json,
    Slack,
}

/// <summary>An address that events are posted to.</summary>
public sealed record WebhookSettings
{
    public Uri? Url { get; init; }

    /// <summary>A file with the address in its first line, where the address itself is a secret.</summary>
    public string? UrlFile { get; init; }

    public WebhookFormat Format { get; init; }

    /// <summary>A file with "Name: value" lines that are sent as headers.</summary>
    public string? HeadersFile { get; init; }

    public string? CaFile { get; init; }
}

/// <summary>A syslog daemon: over UDP where a host is named, else over the machine's own socket.</summary>
public sealed record SyslogSettings
{
    public string? Host { get; init; }

    public int Port { get; init; } = 514;

    /// <summary>A datagram socket of this machine.</summary>
    public string Socket { get; init; } = "/dev/log";
}

/// <summary>The Windows event log "Application".</summary>
public sealed record EventLogSettings
{
    public string Source { get; init; } = "QuayAirGap";
}

/// <summary>A file for the textfile collector of Prometheus' node exporter.</summary>
public sealed record TextfileSettings
{
    public required string Path { get; init; }
}

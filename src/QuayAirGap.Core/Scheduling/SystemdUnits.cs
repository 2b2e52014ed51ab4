using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Scheduling;

/// <summary>A job as a service of systemd and the timer that starts it. systemd itself starts no service that is still running.</summary>
public static class SystemdUnits
{
    /// <summary>Where units of the machine, or of the user, belong.</summary>
    public static string Folder(bool isUser) => isUser
        ? Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config
                ? config : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
            "systemd", "user")
        : "/etc/systemd/system";

    /// <param name="request">Valid.</param>
    /// <param name="folder">Where the units are written.</param>
    public static IReadOnlyList<ScheduleFile> Write(ScheduleRequest request, string folder) =>
    [
        new(Path.Combine(folder, request.FullName + ".service"), Service(request)),
        new(Path.Combine(folder, request.FullName + ".timer"), Timer(request)),
    ];

    private static string Timer(ScheduleRequest request)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {ScheduleFile.Mark}\n[Unit]\nDescription={request.Description}, {request.Times}\n\n[Timer]\n");
        foreach (string time in request.Times.Calendar())
        {
            text.Append(CultureInfo.InvariantCulture, $"OnCalendar={time}\n");
        }

        text.Append("# A run that the machine slept through is made up for.\nPersistent=true\n");
        if (request.RandomDelay > TimeSpan.Zero)
        {
            text.Append(CultureInfo.InvariantCulture, $"RandomizedDelaySec={(int)request.RandomDelay.TotalSeconds}\n");
        }

        return text.Append("AccuracySec=30\n\n[Install]\nWantedBy=timers.target\n").ToString();
    }

    private static string Service(ScheduleRequest request)
    {
        bool needsNetwork = request.Job != ScheduledJob.Import;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {ScheduleFile.Mark}\n[Unit]\nDescription={request.Description}\n");
        if (needsNetwork && !request.IsUser)
        {
            text.Append("Wants=network-online.target\nAfter=network-online.target\n");
        }

        text.Append("\n[Service]\nType=oneshot\n");
        if (request.Account is { } account && !request.IsUser)
        {
            text.Append(CultureInfo.InvariantCulture, $"User={Escape(account)}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"ExecStart={Quote(request.Executable)} -NonInteractive -Command {Quote(request.Command)}\n");
        text.Append("Environment=DOTNET_EnableDiagnostics=0\n");
        if (request.EnvironmentFile is { } file)
        {
            text.Append(CultureInfo.InvariantCulture, $"EnvironmentFile={Escape(file)}\n");
        }

        foreach ((string name, string path) in request.Credentials.OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"LoadCredential={name}:{Escape(path)}\n");
        }

        string limit = request.Job is ScheduledJob.Save or ScheduledJob.Import ? "12h" : "15min";
        text.Append(CultureInfo.InvariantCulture, $"SyslogIdentifier={request.FullName}\nStandardOutput=journal\nStandardError=journal\nTimeoutStartSec={limit}\nTimeoutStopSec=30\nKillSignal=SIGTERM\n\n");
        return text.Append(Hardening(request, needsNetwork)).ToString();
    }

    private static string Hardening(ScheduleRequest request, bool needsNetwork)
    {
        var text = new StringBuilder();
        text.Append("# It writes where it must, and nowhere else.\nNoNewPrivileges=yes\nLockPersonality=yes\nRestrictRealtime=yes\nRestrictSUIDSGID=yes\nSystemCallArchitectures=native\n");
        text.Append("# The mirror reads the site as an account of its own; keys are written for their owner alone in any case.\nUMask=0022\n");
        if (request.IsUser)
        {
            return text.ToString(); // a user's systemd has no right to the rest
        }

        text.Append("ProtectSystem=strict\n");
        foreach (string path in request.WritablePaths.Distinct().Order(StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"ReadWritePaths={Quote(path)}\n");
        }

        string[] used = [.. request.WritablePaths, request.Executable, .. request.EnvironmentFile is { } file ? [file] : Array.Empty<string>()];
        bool Uses(params string[] roots) => used.Any(u => roots.Any(r => u == r || u.StartsWith(r + "/", StringComparison.Ordinal)));
        text.Append(Uses("/home", "/root", "/run/user") ? "" : "ProtectHome=yes\n").Append(Uses("/tmp", "/var/tmp") ? "" : "PrivateTmp=yes\n");
        text.Append(
            "PrivateDevices=yes\nProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectControlGroups=yes\n"
            + "ProtectClock=yes\nProtectHostname=yes\nRestrictNamespaces=yes\n");
        text.Append(needsNetwork
            ? "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n"
            : "# A bundle is read from a disk: no network is needed.\nRestrictAddressFamilies=AF_UNIX\nIPAddressDeny=any\n");
        text.Append(
            "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER\nSystemCallFilter=@system-service\n"
            + "# Not MemoryDenyWriteExecute: .NET compiles while it runs.\n");
        return text.ToString();
    }

    /// <summary>For a setting that is no command: only specifiers mean something there.</summary>
    private static string Escape(string text) => text.Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>One word, whatever is in it; a credential's path is what systemd says that it is.</summary>
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            quoted.Append(c switch { '\\' => "\\\\", '"' => "\\\"", '%' => "%%", '$' => "$$", ScheduleRequest.CredentialMark => "%d/", _ => c.ToString() });
        }

        return quoted.Append('"').ToString();
    }
}

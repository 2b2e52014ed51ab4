using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Scheduling;

/// <summary>What can be done on a schedule.</summary>
public enum ScheduledJob
{
    /// <summary>Save-ClairFeed, outside.</summary>
    Save,

    /// <summary>Import-ClairFeed out of a drop folder, inside.</summary>
    Import,

    /// <summary>Test-ClairFeedFreshness.</summary>
    Test,

    /// <summary>Send-ClairFeedWarning.</summary>
    Warn,
}

/// <summary>Who starts it.</summary>
public enum FeedScheduler
{
    Systemd,
    Cron,
    TaskScheduler,
}

/// <summary>One job, whoever starts it.</summary>
public sealed record ScheduleRequest
{
    public required ScheduledJob Job { get; init; }

    /// <summary>Tells the jobs of several sites apart; empty for one.</summary>
    public string Name { get; init; } = "";

    /// <summary>The absolute path of quayairgap.</summary>
    public required string Executable { get; init; }

    /// <summary>What it runs, as its -Command takes it; where the path of a credential belongs, <see cref="CredentialMark"/> and its name.</summary>
    public required string Command { get; init; }

    public required ScheduleTimes Times { get; init; }

    /// <summary>How much later than its time it may start, so that many sites do not ask an upstream at once.</summary>
    public TimeSpan RandomDelay { get; init; }

    /// <summary>Whom it runs as; null for what the scheduler does of itself.</summary>
    public string? Account { get; init; }

    /// <summary>Belongs to the user who registers it, and not to the machine.</summary>
    public bool IsUser { get; init; }

    /// <summary>A file with NAME=value lines for the job's environment: where secrets stand.</summary>
    public string? EnvironmentFile { get; init; }

    /// <summary>Files with secrets, by the name under which the job finds them.</summary>
    public IReadOnlyDictionary<string, string> Credentials { get; init; } = new Dictionary<string, string>();

    /// <summary>Folders that the job writes to; everything else may be closed to it.</summary>
    public IReadOnlyList<string> WritablePaths { get; init; } = [];

    /// <summary>Stands in <see cref="Command"/> before a credential's name; no text has it.</summary>
    public const char CredentialMark = '\uE000';

    /// <summary>"quayairgap-import", or "quayairgap-import-east".</summary>
    public string FullName => $"quayairgap-{Job.ToString().ToLowerInvariant()}{(Name.Length == 0 ? "" : "-" + Name)}";

    /// <summary>What it is, for people.</summary>
    public string Description => Job switch
    {
        ScheduledJob.Save => "QuayAirGap: collect vulnerability feeds into a signed bundle",
        ScheduledJob.Import => "QuayAirGap: import bundles from a drop folder",
        ScheduledJob.Test => "QuayAirGap: test how old the vulnerability feeds are",
        _ => "QuayAirGap: warn about old or missing vulnerability feeds",
    };

    /// <summary>The command with credentials at their own paths, for schedulers that do not hand them on.</summary>
    public string CommandWithFiles => Credentials.OrderByDescending(c => c.Key.Length)
        .Aggregate(Command, (text, c) => text.Replace(CredentialMark + c.Key, c.Value.Replace("'", "''", StringComparison.Ordinal), StringComparison.Ordinal));

    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public void ThrowIfInvalid()
    {
        if (Name.Length > 40 || !Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw Invalid($"'{Name}' is no name for a schedule", Name, "Use small letters, digits and hyphens.");
        }

        IEnumerable<string> texts = [Executable, Command, Account ?? "", EnvironmentFile ?? "", .. Credentials.Keys, .. Credentials.Values, .. WritablePaths];
        if (texts.FirstOrDefault(t => t.Any(char.IsControl)) is { } text)
        {
            throw Invalid("A path, a name or an argument has control characters in it", text, "Take them out: they would begin another line of the schedule.");
        }

        if (Credentials.Keys.FirstOrDefault(k => k.Length == 0 || !k.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) is { } name)
        {
            throw Invalid($"'{name}' is no name for a credential", name, "Use letters, digits, hyphens, dots and underscores.");
        }

        if (RandomDelay < TimeSpan.Zero || RandomDelay > TimeSpan.FromDays(1))
        {
            throw Invalid($"A random delay of {FeedDuration.Format(RandomDelay)} is no delay within a day", RandomDelay.ToString(), "Give up to a day.");
        }
    }

    internal static FeedException Invalid(string what, string target, string remedy) => new(ErrorIds.ScheduleInvalid, $"{what}.", target, remedy);
}

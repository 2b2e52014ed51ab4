using System.Text;

namespace QuayAirGap.Core.Scheduling;

/// <summary>A job as lines of cron: a file of /etc/cron.d, or a block of a user's own table. What it says goes to syslog.</summary>
public static class CronTable
{
    public const string Folder = "/etc/cron.d";

    /// <summary>Debian's cron takes commands of up to 999 characters.</summary>
    private const int LongestLine = 990;

    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public static ScheduleFile Write(ScheduleRequest request, string folder) =>
        new(Path.Combine(folder, request.FullName), $"# {ScheduleFile.Mark}\n# {request.Description}\n{Lines(request, (request.Account ?? "root") + " ")}");

    /// <summary>A user's table with the job in it.</summary>
    /// <param name="table">As it is.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public static string With(string table, ScheduleRequest request) =>
        $"{Without(table, request.FullName)}{Begin(request.FullName)}{Lines(request, "")}{End(request.FullName)}";

    /// <summary>A user's table without the job.</summary>
    public static string Without(string table, string fullName)
    {
        string text = table.Length == 0 || table.EndsWith('\n') ? table : table + "\n";
        int begin = text.IndexOf(Begin(fullName), StringComparison.Ordinal);
        int end = begin < 0 ? -1 : text.IndexOf(End(fullName), begin, StringComparison.Ordinal);
        return end < 0 ? text : text[..begin] + text[(end + End(fullName).Length)..];
    }

    private static string Begin(string fullName) => $"# BEGIN {fullName}: {ScheduleFile.Mark}\n";

    private static string End(string fullName) => $"# END {fullName}\n";

    private static string Lines(ScheduleRequest request, string user)
    {
        string environment = request.EnvironmentFile is { } file ? $"set -a; . {Quote(file)}; set +a; " : "";
        string command = $"{{ {environment}{Quote(request.Executable)} -NonInteractive -Command {Quote(request.CommandWithFiles)}; echo \"ended with exit code $?\"; }} "
            + $"2>&1 | logger -t {request.FullName}";

        // To cron, a per cent sign is the end of the command.
        command = command.Replace("%", "\\%", StringComparison.Ordinal);
        if (command.Length > LongestLine)
        {
            throw ScheduleRequest.Invalid(
                $"The command has {command.Length} characters, and cron takes {LongestLine}", request.FullName, "Put it into a script, or use systemd.");
        }

        var lines = new StringBuilder();
        foreach (string time in request.Times.Cron())
        {
            lines.Append(time).Append(' ').Append(user).Append(command).Append('\n');
        }

        return lines.ToString();
    }

    /// <summary>One word of the shell, whatever is in it.</summary>
    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

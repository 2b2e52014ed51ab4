using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace QuayAirGap.Core.Scheduling;

/// <summary>A job as Windows' Task Scheduler takes it (its schema, version 1.2). What it says goes to the event log "Application".</summary>
public static class TaskDocument
{
    public const string Folder = "QuayAirGap";

    private const string LocalService = "S-1-5-19";

    private static readonly XNamespace s_task = "http://schemas.microsoft.com/windows/2004/02/mit/task";

    /// <summary>The task's name within Task Scheduler.</summary>
    public static string NameOf(string fullName) => $@"\{Folder}\{fullName}";

    /// <param name="request">Valid.</param>
    /// <param name="folder">Where the file is written.</param>
    /// <param name="today">The first day, by the machine's own time.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public static ScheduleFile Write(ScheduleRequest request, string folder, DateOnly today)
    {
        if (request.EnvironmentFile is not null)
        {
            throw ScheduleRequest.Invalid(
                "Task Scheduler knows no file with an environment", request.EnvironmentFile, "Name files with secrets in sources.yaml or with -Credential.");
        }

        string arguments = $"-NonInteractive -EventLog -Command {Quote(request.CommandWithFiles)}";
        if ((request.Executable + arguments).Contains('%'))
        {
            throw ScheduleRequest.Invalid("Task Scheduler would replace what stands between per cent signs", request.Command, "Use paths and arguments without them.");
        }

        var task = new XElement(
            s_task + "Task", new XAttribute("version", "1.2"),
            new XElement(
                s_task + "RegistrationInfo",
                new XElement(s_task + "Author", "QuayAirGap"), new XElement(s_task + "Description", $"{request.Description}. {ScheduleFile.Mark}"),
                new XElement(s_task + "URI", NameOf(request.FullName))),
            new XElement(s_task + "Triggers", Triggers(request, today)),
            new XElement(s_task + "Principals", Principal(request)),
            new XElement(
                s_task + "Settings",
                new XElement(s_task + "MultipleInstancesPolicy", "IgnoreNew"), new XElement(s_task + "DisallowStartIfOnBatteries", false),
                new XElement(s_task + "StopIfGoingOnBatteries", false), new XElement(s_task + "StartWhenAvailable", true),
                new XElement(s_task + "ExecutionTimeLimit", request.Job is ScheduledJob.Save or ScheduledJob.Import ? "PT12H" : "PT15M")),
            new XElement(
                s_task + "Actions", new XAttribute("Context", "Author"),
                new XElement(s_task + "Exec", new XElement(s_task + "Command", request.Executable), new XElement(s_task + "Arguments", arguments))));
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Indent = true }))
        {
            new XDocument(task).Save(writer); // into a string it says utf-16, which is what the file is written in
        }

        return new ScheduleFile(Path.Combine(folder, request.FullName + ".xml"), text.Append('\n').ToString());
    }

    private static XElement Principal(ScheduleRequest request)
    {
        var principal = new XElement(s_task + "Principal", new XAttribute("id", "Author"));
        if (request.IsUser)
        {
            principal.Add(new XElement(s_task + "UserId", request.Account ?? $@"{Environment.UserDomainName}\{Environment.UserName}"), new XElement(s_task + "LogonType", "InteractiveToken"));
        }
        else
        {
            principal.Add(new XElement(s_task + "UserId", request.Account ?? LocalService));
            if (request.Account is { } account && !account.StartsWith("S-1-5-", StringComparison.Ordinal))
            {
                principal.Add(new XElement(s_task + "LogonType", "Password")); // a group managed service account, whose password Windows knows
            }
        }

        principal.Add(new XElement(s_task + "RunLevel", "LeastPrivilege"));
        return principal;
    }

    private static IEnumerable<XElement> Triggers(ScheduleRequest request, DateOnly today)
    {
        TimeOnly[] times = request.Times.Every is null ? [.. request.Times.At] : [new TimeOnly(0, 0)];
        foreach (TimeOnly time in times)
        {
            var trigger = new XElement(
                s_task + "CalendarTrigger", new XElement(s_task + "Enabled", true),
                new XElement(s_task + "StartBoundary", today.ToDateTime(time).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)));
            if (request.Times.Every is { } every && every < TimeSpan.FromDays(1))
            {
                trigger.Add(new XElement(
                    s_task + "Repetition", new XElement(s_task + "Interval", XmlConvert.ToString(every)), new XElement(s_task + "Duration", "P1D"),
                    new XElement(s_task + "StopAtDurationEnd", false)));
            }

            if (request.RandomDelay > TimeSpan.Zero)
            {
                trigger.Add(new XElement(s_task + "RandomDelay", XmlConvert.ToString(request.RandomDelay)));
            }

            trigger.Add(new XElement(s_task + "ScheduleByDay", new XElement(s_task + "DaysInterval", 1)));
            yield return trigger;
        }
    }

    /// <summary>One argument, as Windows takes a command line apart: backslashes count only before quotes.</summary>
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        int slashes = 0;
        foreach (char c in text)
        {
            if (c == '\\')
            {
                slashes++;
                continue;
            }

            quoted.Append('\\', c == '"' ? (2 * slashes) + 1 : slashes).Append(c);
            slashes = 0;
        }

        return quoted.Append('\\', 2 * slashes).Append('"').ToString();
    }
}

using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Scheduling;

namespace QuayAirGap.Commands;

/// <summary>Unregister-ClairFeedSchedule.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "ClairFeedSchedule", SupportsShouldProcess = true)]
[OutputType(typeof(ClairFeedSchedule))]
public sealed class UnregisterClairFeedScheduleCommand : ScheduleCmdlet
{
    /// <inheritdoc/>
    protected override void Begin()
    {
        FeedScheduler scheduler = ChosenScheduler;
        string folder = FolderOf(scheduler);
        string[] paths = scheduler switch
        {
            FeedScheduler.Systemd => [System.IO.Path.Combine(folder, FullName + ".service"), System.IO.Path.Combine(folder, FullName + ".timer")],
            FeedScheduler.Cron => [System.IO.Path.Combine(folder, FullName)],
            _ => [System.IO.Path.Combine(folder, FullName + ".xml")],
        };
        string name = $"the schedule '{FullName}' of {scheduler}";
        bool done = IsUserTable && UnitPath is null ? TakeOutOfTable(name)
            : scheduler == FeedScheduler.TaskScheduler && UnitPath is null ? TakeFromWindows(name)
            : TakeFilesAway(scheduler, paths, name);
        if (done && PassThru)
        {
            WriteObject(new ClairFeedSchedule
            {
                Job = ChosenJob.ToString(),
                Name = FullName,
                Scheduler = scheduler.ToString(),
                Path = IsUserTable && UnitPath is null ? [] : paths,
                Content = [],
                IsRegistered = false,
                NextSteps = [],
            });
        }
    }

    private bool TakeFilesAway(FeedScheduler scheduler, string[] paths, string name)
    {
        if (!paths.Any(File.Exists))
        {
            throw NotFound(name);
        }

        if (!ShouldProcess(string.Join(", ", paths.Where(File.Exists)), $"Stop and delete {name}"))
        {
            return false;
        }

        bool isSystemd = scheduler == FeedScheduler.Systemd && UnitPath is null;
        string[] user = User ? ["--user"] : [];
        if (isSystemd)
        {
            Run(new ScheduleStep("systemctl", [.. user, "disable", "--now", FullName + ".timer"]));
        }

        ScheduleInstaller.Delete(paths);
        if (isSystemd)
        {
            Run(new ScheduleStep("systemctl", [.. user, "daemon-reload"]));
        }

        return true;
    }

    private bool TakeOutOfTable(string name)
    {
        string table = Run(new ScheduleStep("crontab", ["-l"]), mayFail: true);
        string without = CronTable.Without(table, FullName);
        if (without == table)
        {
            throw NotFound(name);
        }

        if (!ShouldProcess("this user's crontab", $"Take out {name}"))
        {
            return false;
        }

        Run(new ScheduleStep("crontab", ["-"], without));
        return true;
    }

    private bool TakeFromWindows(string name)
    {
        if (!ShouldProcess(TaskDocument.NameOf(FullName), $"Delete {name}"))
        {
            return false;
        }

        Run(new ScheduleStep("schtasks", ["/Delete", "/TN", TaskDocument.NameOf(FullName), "/F"]));
        return true;
    }

    private FeedException NotFound(string name) => new(
        ErrorIds.ScheduleNotFound, $"There is no such thing as {name}.", FullName,
        "Check -Job, -Name, -Scheduler and -User: they are those with which it was registered.");
}

using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Scheduling;

namespace QuayAirGap.Commands;

/// <summary>What registering and unregistering a schedule have in common: which one it is.</summary>
public abstract class ScheduleCmdlet : ClairFeedCmdlet
{
    /// <summary>What is done.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateSet(nameof(ScheduledJob.Save), nameof(ScheduledJob.Import), nameof(ScheduledJob.Test), nameof(ScheduledJob.Warn))]
    public string Job { get; set; } = "";

    /// <summary>Tells the jobs of several sites apart.</summary>
    [Parameter]
    [ValidatePattern("^[a-z0-9-]{1,40}$")]
    public string Name { get; set; } = "";

    /// <summary>Who starts it; what this machine has where none is named.</summary>
    [Parameter]
    [ValidateSet(nameof(FeedScheduler.Systemd), nameof(FeedScheduler.Cron), nameof(FeedScheduler.TaskScheduler))]
    public string? Scheduler { get; set; }

    /// <summary>It is the user's own, and needs no right to the machine.</summary>
    [Parameter]
    public SwitchParameter User { get; set; }

    /// <summary>A folder for the files instead of the scheduler's; the scheduler is not told.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? UnitPath { get; set; }

    /// <summary>Writes the schedule to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected ScheduledJob ChosenJob => Enum.Parse<ScheduledJob>(Job, ignoreCase: true);

    private protected FeedScheduler ChosenScheduler
    {
        get
        {
            FeedScheduler chosen = Scheduler is null ? ScheduleInstaller.Default : Enum.Parse<FeedScheduler>(Scheduler, ignoreCase: true);
            bool isHere = chosen == FeedScheduler.TaskScheduler == OperatingSystem.IsWindows();
            return isHere || UnitPath is not null ? chosen : throw new FeedException(
                ErrorIds.ScheduleInvalid, $"This machine has no {chosen}.", chosen.ToString(), "Write the files for another machine with -UnitPath, or name another -Scheduler.");
        }
    }

    private protected string FolderOf(FeedScheduler scheduler) => UnitPath is { } path ? FilePath(path) : scheduler switch
    {
        FeedScheduler.Systemd => SystemdUnits.Folder(User),
        FeedScheduler.Cron => CronTable.Folder,
        _ => ResolvedSitePath, // for a moment only: Windows keeps its own copy
    };

    private protected string FullName => $"quayairgap-{ChosenJob.ToString().ToLowerInvariant()}{(Name.Length == 0 ? "" : "-" + Name)}";

    /// <summary>A table of the user's own is no file that anybody else writes.</summary>
    private protected bool IsUserTable => ChosenScheduler == FeedScheduler.Cron && User;

    private protected bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? given)
        ? ((SwitchParameter)given!).ToBool()
        : LanguagePrimitives.IsTrue(SessionState.PSVariable.GetValue("WhatIfPreference"));

    private protected string Run(ScheduleStep step, bool mayFail = false) => Await((_, token) => ScheduleInstaller.RunAsync(step, mayFail, token));
}

using System.Collections;
using System.Management.Automation;
using QuayAirGap.Core;
using QuayAirGap.Core.Scheduling;
using QuayAirGap.Core.Sites;
using QuayAirGap.Scheduling;
using QuayAirGap.Serving;

namespace QuayAirGap.Commands;

/// <summary>Register-ClairFeedSchedule.</summary>
[Cmdlet(VerbsLifecycle.Register, "ClairFeedSchedule", SupportsShouldProcess = true, DefaultParameterSetName = "Every")]
[OutputType(typeof(ClairFeedSchedule))]
public sealed class RegisterClairFeedScheduleCommand : ScheduleCmdlet
{
    /// <summary>Times of the day, "02:30".</summary>
    [Parameter(Mandatory = true, ParameterSetName = "At")]
    [ValidateNotNullOrEmpty]
    public string[] At { get; set; } = [];

    /// <summary>How often.</summary>
    [Parameter(ParameterSetName = "Every")]
    [DurationTransformation]
    public TimeSpan Every { get; set; }

    /// <summary>By how much later it may start.</summary>
    [Parameter]
    [DurationTransformation]
    public TimeSpan RandomDelay { get; set; }

    /// <summary>Parameters of the cmdlet that the job runs, and their values.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable? Argument { get; set; }

    /// <summary>Whom it runs as.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Account { get; set; }

    /// <summary>A file with NAME=value lines for the job's environment.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? EnvironmentFile { get; set; }

    /// <summary>Files with secrets, by the names under which arguments refer to them.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable? Credential { get; set; }

    /// <summary>The executable quayairgap.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ExecutablePath { get; set; }

    /// <summary>Replaces files that others wrote.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void Begin()
    {
        ScheduleRequest request = MakeRequest();
        FeedScheduler scheduler = ChosenScheduler;
        string folder = FolderOf(scheduler);
        string table = IsUserTable && UnitPath is null ? Run(new ScheduleStep("crontab", ["-l"]), mayFail: true) : "";
        IReadOnlyList<ScheduleFile> files = scheduler switch
        {
            FeedScheduler.Systemd => SystemdUnits.Write(request, folder),
            FeedScheduler.Cron when IsUserTable => [new ScheduleFile(System.IO.Path.Combine(folder, request.FullName), CronTable.With(table, request))],
            FeedScheduler.Cron => [CronTable.Write(request, folder)],
            _ => [TaskDocument.Write(request, folder, DateOnly.FromDateTime(TimeProvider.System.GetLocalNow().DateTime))],
        };
        if (scheduler == FeedScheduler.Cron && RandomDelay > TimeSpan.Zero)
        {
            WriteWarning("cron starts jobs on time: -RandomDelay is left out.");
        }

        IReadOnlyList<ScheduleStep> steps = Steps(scheduler, request, files);
        bool written = Write(files, steps);
        if (PassThru && (written || IsWhatIf))
        {
            WriteObject(new ClairFeedSchedule
            {
                Job = request.Job.ToString(),
                Name = request.FullName,
                Scheduler = scheduler.ToString(),
                Times = request.Times.ToString(),
                Command = request.CommandWithFiles,
                Path = IsUserTable && UnitPath is null ? [] : [.. files.Select(f => f.Path)],
                Content = [.. files.Select(f => f.Text)],
                IsRegistered = written && UnitPath is null,
                NextSteps = UnitPath is null ? [] : [.. steps.Select(s => s.ToString())],
            });
        }
    }

    private bool Write(IReadOnlyList<ScheduleFile> files, IReadOnlyList<ScheduleStep> steps)
    {
        bool isTable = IsUserTable && UnitPath is null;
        if (!isTable)
        {
            foreach (ScheduleFile file in files)
            {
                if (!ShouldProcess($"Write '{file.Path}':\n{file.Text}", $"Write '{file.Path}'?", "Register-ClairFeedSchedule"))
                {
                    return Explain(steps);
                }
            }

            ScheduleInstaller.Write(files, Force);
        }

        if (UnitPath is not null)
        {
            return true;
        }

        foreach (ScheduleStep step in steps)
        {
            if (!ShouldProcess($"Run '{step}'{(step.Input is null ? "" : $" with:\n{step.Input}")}", $"Run '{step}'?", "Register-ClairFeedSchedule"))
            {
                return false;
            }

            Run(step);
        }

        if (ChosenScheduler == FeedScheduler.TaskScheduler)
        {
            ScheduleInstaller.Delete([.. files.Select(f => f.Path)]); // Windows keeps its own copy
        }

        return true;
    }

    /// <summary>With -WhatIf, the commands too.</summary>
    private bool Explain(IReadOnlyList<ScheduleStep> steps)
    {
        if (IsWhatIf && UnitPath is null)
        {
            foreach (ScheduleStep step in steps)
            {
                ShouldProcess($"Run '{step}'", "", "");
            }
        }

        return false;
    }

    private IReadOnlyList<ScheduleStep> Steps(FeedScheduler scheduler, ScheduleRequest request, IReadOnlyList<ScheduleFile> files)
    {
        string[] user = User ? ["--user"] : [];
        return scheduler switch
        {
            FeedScheduler.Systemd => [new("systemctl", [.. user, "daemon-reload"]), new("systemctl", [.. user, "enable", "--now", request.FullName + ".timer"])],
            FeedScheduler.Cron => IsUserTable ? [new("crontab", ["-"], files[0].Text)] : [],
            _ => [new("schtasks", ["/Create", "/TN", TaskDocument.NameOf(request.FullName), "/XML", files[0].Path, "/F"])],
        };
    }

    private ScheduleRequest MakeRequest()
    {
        string site = OpenSite().Root;
        ScheduledJob job = ChosenJob;
        var credentials = (Credential ?? []).Cast<DictionaryEntry>().ToDictionary(
            e => e.Key.ToString() ?? "", e => FilePath(e.Value?.ToString() ?? ""), StringComparer.Ordinal);
        string cmdlet = JobCommand.CmdletOf(job);
        var info = (CmdletInfo)InvokeCommand.GetCommand(cmdlet, CommandTypes.Cmdlet);
        var request = new ScheduleRequest
        {
            Job = job,
            Name = Name,
            Executable = ServerExecutable.Find(ExecutablePath is null ? null : FilePath(ExecutablePath)),
            Command = new JobCommand(info, FilePath, credentials.Keys).Write(job, site, Argument),
            Times = Times(job),
            RandomDelay = RandomDelay,
            Account = Account ?? (User || OperatingSystem.IsWindows() ? null : OwnerOf(site)),
            IsUser = User,
            EnvironmentFile = EnvironmentFile is null ? null : FilePath(EnvironmentFile),
            Credentials = credentials,
            WritablePaths = [.. WritablePaths(job, site)],
        };
        request.ThrowIfInvalid();
        return request;
    }

    private ScheduleTimes Times(ScheduledJob job) => ParameterSetName == "At" ? ScheduleTimes.Daily(At)
        : MyInvocation.BoundParameters.ContainsKey(nameof(Every)) ? ScheduleTimes.Repeated(Every)
        : job switch
        {
            ScheduledJob.Save => ScheduleTimes.Daily(["02:30"]),
            ScheduledJob.Import => ScheduleTimes.Repeated(TimeSpan.FromMinutes(15)),
            _ => ScheduleTimes.Repeated(TimeSpan.FromHours(1)),
        };

    private IEnumerable<string> WritablePaths(ScheduledJob job, string site)
    {
        yield return site;
        if (job == ScheduledJob.Import && Argument?["DropFolder"] is { } drop)
        {
            yield return FilePath(drop.ToString()!);
        }

        if (job == ScheduledJob.Save && Argument?["Destination"] is { } destination)
        {
            string path = FilePath(destination.ToString()!);
            yield return path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase) ? System.IO.Path.GetDirectoryName(path)! : path;
        }

        if (job == ScheduledJob.Warn && SiteSettings.Load(Site.Open(site)).Warnings.Textfile is { } textfile)
        {
            yield return System.IO.Path.GetDirectoryName(textfile.Path)!;
        }
    }

    /// <summary>Whoever owns the site: what another account writes into it, the mirror could not read.</summary>
    private string? OwnerOf(string site)
    {
        try
        {
            string owner = Run(new ScheduleStep("stat", ["-c", "%U", site])).Trim();
            return owner.Length > 0 && owner != "UNKNOWN" ? owner : null;
        }
        catch (FeedException e)
        {
            WriteVerbose(e.Message);
            return null;
        }
    }
}

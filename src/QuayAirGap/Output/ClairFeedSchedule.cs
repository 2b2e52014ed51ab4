namespace QuayAirGap;

/// <summary>A job that a scheduler starts.</summary>
public sealed class ClairFeedSchedule
{
    /// <summary>"Save", "Import", "Test" or "Warn".</summary>
    public required string Job { get; init; }

    /// <summary>What the scheduler calls it.</summary>
    public required string Name { get; init; }

    /// <summary>"Systemd", "Cron" or "TaskScheduler".</summary>
    public required string Scheduler { get; init; }

    /// <summary>When it starts, by the machine's time zone.</summary>
    public string? Times { get; init; }

    /// <summary>What the executable runs.</summary>
    public string? Command { get; init; }

    /// <summary>Its files: units, a table of cron, or a task's document.</summary>
    public required string[] Path { get; init; }

    /// <summary>What the files say, in the same order; for a user's own table of cron, the whole table.</summary>
    public required string[] Content { get; init; }

    /// <summary>Whether the scheduler starts it from now on.</summary>
    public required bool IsRegistered { get; init; }

    /// <summary>What is left to do by hand.</summary>
    public required string[] NextSteps { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

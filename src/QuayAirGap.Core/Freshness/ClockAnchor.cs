using System.Globalization;

namespace QuayAirGap.Core.Freshness;

/// <summary>
/// A look at the clock and at how long the machine had been running then. While the machine has not been started anew, the two go on
/// together; where they do not, somebody set the clock, or the machine stood still.
/// </summary>
/// <param name="At">What the clock said, UTC.</param>
/// <param name="Boot">Names the start of the machine.</param>
/// <param name="Uptime">Time since that start, time asleep included.</param>
public sealed record ClockAnchor(DateTimeOffset At, string Boot, TimeSpan Uptime)
{
    /// <summary>What the clock should say now; null where the machine was started anew since, or cannot tell.</summary>
    internal DateTimeOffset? ExpectedAt(MachineUptime? now) =>
        now is not null && now.Boot == Boot && now.Since >= Uptime ? At + (now.Since - Uptime) : null;
}

/// <summary>How long a machine has been running.</summary>
/// <param name="Boot">Names its start.</param>
/// <param name="Since">Time since then, time asleep included.</param>
internal sealed record MachineUptime(string Boot, TimeSpan Since)
{
    /// <summary>
    /// Of this machine. Null where it does not name its starts: without that, a time since the start cannot be compared with an earlier one.
    /// </summary>
    public static MachineUptime? Read()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            string uptime = File.ReadAllText("/proc/uptime").Split(' ')[0];
            return double.TryParse(uptime, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && boot.Length > 0
                ? new MachineUptime(boot, TimeSpan.FromSeconds(seconds)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Of this machine where the clock is its own; a test's clock has no machine.</summary>
    public static MachineUptime? Beside(TimeProvider clock) => clock == TimeProvider.System ? Read() : null;
}

using System.Globalization;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Scheduling;

/// <summary>When a job starts, by the machine's own time zone: at times of the day, or every so often.</summary>
/// <param name="At">Times of the day; empty where it is every so often.</param>
/// <param name="Every">A part of a day that all schedulers understand; null where it is at times.</param>
public sealed record ScheduleTimes(IReadOnlyList<TimeOnly> At, TimeSpan? Every)
{
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public static ScheduleTimes Daily(IEnumerable<string> times)
    {
        List<TimeOnly> at = [];
        foreach (string time in times)
        {
            at.Add(TimeOnly.TryParseExact(time, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly parsed)
                ? parsed : throw ScheduleRequest.Invalid($"'{time}' is no time of the day", time, "Write it like 02:30."));
        }

        return new ScheduleTimes([.. at.Distinct().Order()], Every: null);
    }

    /// <param name="interval">Whole minutes that divide an hour, whole hours that divide a day, or a day.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleInvalid"/></exception>
    public static ScheduleTimes Repeated(TimeSpan interval)
    {
        bool isMinutes = interval < TimeSpan.FromHours(1) && interval.Ticks % TimeSpan.TicksPerMinute == 0 && interval >= TimeSpan.FromMinutes(1)
            && 60 % (int)interval.TotalMinutes == 0;
        bool isHours = interval >= TimeSpan.FromHours(1) && interval.Ticks % TimeSpan.TicksPerHour == 0 && interval <= TimeSpan.FromDays(1)
            && 24 % (int)interval.TotalHours == 0;
        return isMinutes || isHours
            ? new ScheduleTimes([], interval)
            : throw ScheduleRequest.Invalid(
                $"{FeedDuration.Format(interval)} does not go evenly into an hour or a day, so that its runs would come at odd times", interval.ToString(),
                "Give 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes, or 1, 2, 3, 4, 6, 8, 12 or 24 hours.");
    }

    /// <summary>For people: "at 02:30, 14:30", "every 15m".</summary>
    public override string ToString() => Every is { } every ? $"every {FeedDuration.Format(every)}" : "at " + string.Join(", ", At.Select(Text));

    /// <summary>OnCalendar= of systemd, one for each.</summary>
    internal IEnumerable<string> Calendar() => Every switch
    {
        null => At.Select(t => $"*-*-* {Text(t)}:00"),
        { TotalHours: < 1 } e => [Invariant($"*-*-* *:00/{(int)e.TotalMinutes}:00")],
        { TotalHours: 24 } => ["*-*-* 00:00:00"],
        { } e => [Invariant($"*-*-* 00/{(int)e.TotalHours}:00:00")],
    };

    /// <summary>The five fields of cron, one for each.</summary>
    internal IEnumerable<string> Cron() => Every switch
    {
        null => At.Select(t => Invariant($"{t.Minute} {t.Hour} * * *")),
        { TotalMinutes: 1 } => ["* * * * *"],
        { TotalHours: < 1 } e => [Invariant($"*/{(int)e.TotalMinutes} * * * *")],
        { TotalHours: 1 } => ["0 * * * *"],
        { TotalHours: 24 } => ["0 0 * * *"],
        { } e => [Invariant($"0 */{(int)e.TotalHours} * * *")],
    };

    internal static string Text(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>A file of a schedule.</summary>
/// <param name="Path">Where it belongs.</param>
/// <param name="Text">What it says.</param>
public sealed record ScheduleFile(string Path, string Text)
{
    /// <summary>The first line of every file of ours, after what opens a comment: others' files are left alone.</summary>
    public const string Mark = "Made by Register-ClairFeedSchedule of QuayAirGap; Unregister-ClairFeedSchedule takes it away.";
}

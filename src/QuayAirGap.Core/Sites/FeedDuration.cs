using System.Globalization;

namespace QuayAirGap.Core.Sites;

/// <summary>Lengths of time as settings write them: "3d", "12h", "30m", or "d.hh:mm:ss" and "hh:mm:ss" as .NET does.</summary>
public static class FeedDuration
{
    /// <summary>Longer than any feed may stay; also what keeps every sum with a date in range.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    private static readonly string[] s_exact = [@"d\.hh\:mm\:ss", @"hh\:mm\:ss"];

    /// <returns>False for anything else, for nothing or less, and for more than <see cref="Longest"/>.</returns>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Length is > 1 and < 10 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            long minutes = text[^1] switch { 'd' => 24 * 60, 'h' => 60, 'm' => 1, _ => 0 };
            duration = TimeSpan.FromTicks(Math.Min(number * minutes, int.MaxValue) * TimeSpan.TicksPerMinute);
        }
        else if (TimeSpan.TryParseExact(text, s_exact, CultureInfo.InvariantCulture, out TimeSpan exact))
        {
            duration = exact;
        }

        return duration > TimeSpan.Zero && duration <= Longest;
    }

    /// <summary>The shortest way to write it, whole seconds; <see cref="TryParse"/> reads it back.</summary>
    public static string Format(TimeSpan duration)
    {
        (long amount, string unit) = duration switch
        {
            _ when duration.Ticks % TimeSpan.TicksPerDay == 0 => (duration.Ticks / TimeSpan.TicksPerDay, "d"),
            _ when duration.Ticks % TimeSpan.TicksPerHour == 0 => (duration.Ticks / TimeSpan.TicksPerHour, "h"),
            _ when duration.Ticks % TimeSpan.TicksPerMinute == 0 => (duration.Ticks / TimeSpan.TicksPerMinute, "m"),
            _ => (0, ""),
        };
        return unit.Length > 0 ? amount.ToString(CultureInfo.InvariantCulture) + unit : duration.ToString(s_exact[0], CultureInfo.InvariantCulture);
    }
}

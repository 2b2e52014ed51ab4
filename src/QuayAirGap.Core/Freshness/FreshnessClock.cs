using System.Globalization;

namespace QuayAirGap.Core.Freshness;

/// <summary>This machine's clock, and what is known against it.</summary>
/// <param name="Now">What it says.</param>
/// <param name="Known">The newest time that it must already have passed, or null.</param>
internal sealed record FreshnessClock(DateTimeOffset Now, DateTimeOffset? Known)
{
    /// <summary>Two good clocks may differ by this much.</summary>
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Whether it is before what it must have passed.</summary>
    public bool IsBehind => Known is { } known && known - Now > s_tolerance;

    /// <summary>The least that it can be by now.</summary>
    private DateTimeOffset Least => Known is { } known && known > Now ? known : Now;

    /// <summary>How long ago something was, at least; never less than nothing. Null where it lies in the future.</summary>
    public TimeSpan? AgeOf(DateTimeOffset time) =>
        time - Least > s_tolerance ? null : time > Least ? TimeSpan.Zero : Least - time;

    /// <summary>What is wrong about the clock, seen from something of that time; null where nothing is.</summary>
    public string? Fault(DateTimeOffset time) =>
        IsBehind ? $"This machine's clock says {Text(Now)}, but it has been {Text(Known!.Value)} before, by a signed time or by this clock itself: the clock is wrong, or was then, and ages are unknown"
        : time - Now > s_tolerance ? $"The capture says {Text(time)}, which this machine's clock ({Text(Now)}) has not reached: one of the two clocks is wrong"
        : null;

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace QuayAirGap.Core.Freshness;

/// <summary>This machine's clock, and what is known against it. Times are UTC.</summary>
/// <param name="Now">What it says.</param>
/// <param name="Known">The newest time that it must already have passed, or null.</param>
/// <param name="Expected">What it should say by the time that this machine has run since it was last looked at; null where that is not known.</param>
/// <param name="Signed">The newest time that anything signed told, or null: it proves an expectation before it wrong.</param>
internal sealed record FreshnessClock(DateTimeOffset Now, DateTimeOffset? Known, DateTimeOffset? Expected = null, DateTimeOffset? Signed = null)
{
    /// <summary>Two good clocks may differ by this much.</summary>
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(5);

    /// <summary>A clock that is put right by less than this between two looks has not leapt: nothing that is counted in days depends on it.</summary>
    private static readonly TimeSpan s_leap = TimeSpan.FromHours(6);

    /// <summary>Whether it is before what it must have passed.</summary>
    public bool IsBehind => (Known is { } known && known - Now > s_tolerance) || (Trusted is { } expected && expected - Now > s_leap);

    /// <summary>Whether it went on by far more than this machine has run.</summary>
    public bool HasLeapt => Trusted is { } expected && Now - expected > s_leap;

    /// <summary>The likeliest time: this clock's, unless it is known to have leapt ahead; then what it should say.</summary>
    public DateTimeOffset Reckoned => HasLeapt ? Trusted!.Value : Now;

    /// <summary>What it should say; null where a signed time says that the expectation itself came from a clock that was behind.</summary>
    private DateTimeOffset? Trusted => Expected is { } expected && (Signed is null || Signed <= expected + s_tolerance) ? expected : null;

    /// <summary>The least that it can be by now.</summary>
    private DateTimeOffset Least
    {
        get
        {
            // What was recorded while the clock was ahead says nothing.
            DateTimeOffset least = HasLeapt ? Reckoned : Known is { } known && known > Now ? known : Now;
            return IsBehind && Trusted is { } expected && expected > least ? expected : least;
        }
    }

    /// <summary>How long ago something was, at least; never less than nothing. Null where it lies in the future.</summary>
    public TimeSpan? AgeOf(DateTimeOffset time) =>
        time - Least > s_tolerance ? null : time > Least ? TimeSpan.Zero : Least - time;

    /// <summary>What is wrong about the clock, seen from something of that time; null where nothing is.</summary>
    public string? Fault(DateTimeOffset time) =>
        HasLeapt ? $"This machine's clock says {Text(Now)}, but by the time that the machine has run since the last look it is {Text(Trusted!.Value)}: it leapt ahead, or the machine stood still meanwhile"
        : IsBehind ? $"This machine's clock says {Text(Now)}, but it has been {Text(Passed)} before, by a signed time or by this clock itself: the clock is wrong, or was then, and ages are unknown"
        : time - Now > s_tolerance ? $"The capture says {Text(time)}, which this machine's clock ({Text(Now)}) has not reached: one of the two clocks is wrong"
        : null;

    private DateTimeOffset Passed => Known is { } known && known - Now > s_tolerance ? known : Trusted!.Value;

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}

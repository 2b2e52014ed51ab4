using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying;

/// <summary>Who is told when: on a change of level, then once a day while it lasts, and when it is over.</summary>
internal static class WarningRhythm
{
    private static readonly TimeSpan s_reminder = TimeSpan.FromDays(1);

    /// <summary>What two readings of a good clock may differ by.</summary>
    private static readonly TimeSpan s_tolerance = TimeSpan.FromMinutes(5);

    /// <param name="told">What the channel was last told, or null.</param>
    /// <param name="level">How it is.</param>
    /// <param name="incident">What lasts; null where nothing does.</param>
    /// <returns>What to say, or null where there is nothing to be said.</returns>
    public static WarningKind? Due(ToldState? told, FreshnessLevel level, string? incident, DateTimeOffset now, bool force)
    {
        bool knowsTrouble = told is not null && told.Level != FreshnessLevel.Ok;
        if (level == FreshnessLevel.Ok)
        {
            return knowsTrouble ? WarningKind.Resolved : null;
        }

        bool isNews = !knowsTrouble || told!.Level != level || told.Incident != incident;

        // A time in the future is a clock that went back: waiting for it could be waiting for ever.
        bool isDue = knowsTrouble && (now - told!.SentAt >= s_reminder || told.SentAt - now > s_tolerance);
        return isNews || isDue || force ? WarningKind.Problem : null;
    }
}

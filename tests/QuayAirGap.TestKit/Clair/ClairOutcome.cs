namespace QuayAirGap.TestKit.Clair;

/// <summary>How a poll ended. Ordered: the worst of several is the outcome of all.</summary>
public enum ClairOutcome
{
    /// <summary>Nothing new was stored.</summary>
    Unchanged,

    /// <summary>Content was ingested and the fingerprint moved on.</summary>
    Updated,

    /// <summary>An error; what was held before stays, with the fingerprint it had.</summary>
    Failed,

    /// <summary>Clair would loop for ever, and no other updater would run again.</summary>
    Hung,

    /// <summary>Clair's process would end, all updaters with it.</summary>
    Crashed,
}

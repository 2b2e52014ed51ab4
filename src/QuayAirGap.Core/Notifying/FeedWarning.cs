using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Notifying;

/// <summary>The ways to warn.</summary>
public enum WarningChannel
{
    Mail,
    Quay,
    Webhook,
    Syslog,
    EventLog,
    Textfile,
}

/// <summary>What a message is about.</summary>
public enum WarningKind
{
    /// <summary>Something required is not fresh.</summary>
    Problem,

    /// <summary>Everything required is fresh again.</summary>
    Resolved,

    /// <summary>Nothing: somebody asked whether messages arrive.</summary>
    Test,
}

/// <summary>A source that is not as it should be.</summary>
/// <param name="Source">How it is.</param>
/// <param name="Since">Since when, UTC: when it passed its warning threshold, else when that was first seen.</param>
public sealed record WarningFact(SourceFreshness Source, DateTimeOffset Since);

/// <summary>One message about one site; every channel tells the same. Times are UTC.</summary>
public sealed record FeedWarning
{
    public required WarningKind Kind { get; init; }

    /// <summary>The site's name.</summary>
    public required string Site { get; init; }

    /// <summary>The worst of what is required.</summary>
    public required FreshnessLevel Level { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Names what lasts from the first trouble until all is good: letters, digits and hyphens.</summary>
    public required string Incident { get; init; }

    /// <summary>Counts the incident's messages on this channel, from 1.</summary>
    public int Number { get; init; } = 1;

    /// <summary>What is required and not fresh, the worst first.</summary>
    public required IReadOnlyList<WarningFact> Facts { get; init; }

    /// <summary>What else is wrong, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Every source of the catalogue.</summary>
    public required IReadOnlyList<SourceFreshness> Sources { get; init; }

    /// <summary>One line that says it all.</summary>
    public string Summary => WarningText.Summary(this);

    /// <summary>Tells the messages of one incident apart, the same for all readers.</summary>
    public string EventId => $"{Incident}.{Number}";
}

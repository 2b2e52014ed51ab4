namespace QuayAirGap;

/// <summary>What became of a warning on one channel.</summary>
public sealed class ClairFeedWarning
{
    /// <summary>"Mail", "Quay", "Webhook", "Syslog", "EventLog" or "Textfile".</summary>
    public required string Channel { get; init; }

    /// <summary>Whom it reaches, for people.</summary>
    public required string Destination { get; init; }

    /// <summary>
    /// "Sent"; "Unchanged": it already shows how things are; "NotDue": all is good, or the trouble was told less than a day ago; "Failed".
    /// </summary>
    public required string Result { get; init; }

    /// <summary>"Problem", "Resolved" or "Test"; null where nothing was due.</summary>
    public string? Kind { get; init; }

    /// <summary>"Ok", "Warning", "Critical" or "Expired"; null where nothing was due.</summary>
    public string? Level { get; init; }

    /// <summary>Names the message the same on every channel that has one; null where nothing was due.</summary>
    public string? EventId { get; init; }

    /// <summary>The message in one line; null where nothing was due.</summary>
    public string? Summary { get; init; }

    /// <summary>Why it failed; else null.</summary>
    public string? Error { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Channel}: {Result}";
}

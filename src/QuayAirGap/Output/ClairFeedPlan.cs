namespace QuayAirGap;

/// <summary>What Save-ClairFeed would fetch of one source.</summary>
public sealed class ClairFeedPlan
{
    public required string Source { get; init; }

    /// <summary>Files that are new or have changed.</summary>
    public required int FilesToFetch { get; init; }

    /// <summary>Theirs, as far as the upstream tells; an upper bound for what is sent compressed.</summary>
    public required long BytesToFetch { get; init; }

    /// <summary>Files among them whose length the upstream does not tell.</summary>
    public required int UnknownLengths { get; init; }

    /// <summary>Files that would only be confirmed, with headers alone.</summary>
    public required int UnchangedFiles { get; init; }

    /// <summary>False: more may follow, because a file must be read first that is too large for a plan.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>What would fail already now, or null.</summary>
    public string? Trouble { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Source;
}

namespace QuayAirGap;

/// <summary>What a running Clair has of one updater, held against what was published. Times are UTC.</summary>
public sealed class ClairUpdateOperation
{
    /// <summary>The source; null for an updater of none.</summary>
    public string? Source { get; init; }

    /// <summary>Clair's name of the updater; null where Clair has none of the source.</summary>
    public string? Updater { get; init; }

    /// <summary>"Current", "Older", "Unproven", "Missing", "NotServed" or "NotCompared".</summary>
    public required string State { get; init; }

    /// <summary>The generation that the fingerprint proves; null where it proves none.</summary>
    public int? Generation { get; init; }

    /// <summary>When Clair last changed what it has: not when it last looked, and not how old the data is.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>"vulnerability" or "enrichment".</summary>
    public string? Kind { get; init; }

    public string? Fingerprint { get; init; }

    public Guid? Ref { get; init; }

    /// <summary>Why it is in its state, for people.</summary>
    public required string Reason { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Updater ?? Source}: {State}";
}

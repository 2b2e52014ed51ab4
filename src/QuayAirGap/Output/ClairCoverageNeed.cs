namespace QuayAirGap;

/// <summary>A feed, or a part of one, that an image needs. Times are UTC.</summary>
public sealed class ClairCoverageNeed
{
    public required string Source { get; init; }

    /// <summary>The release or ecosystem; null for the whole source.</summary>
    public string? Part { get; init; }

    /// <summary>What needs it.</summary>
    public required string Subject { get; init; }

    public required string[] Updaters { get; init; }

    /// <summary>"Fresh", "Stale", "Missing", "Failed", "Deselected" or "Unsupported".</summary>
    public required string State { get; init; }

    /// <summary>"Ok", "Warning", "Critical" or "Expired".</summary>
    public required string Level { get; init; }

    public DateTimeOffset? CapturedAt { get; init; }

    public required int PackageCount { get; init; }

    /// <summary>Whether the verdict depends on it.</summary>
    public required bool Decides { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Part is null ? Source : $"{Source}/{Part}";
}

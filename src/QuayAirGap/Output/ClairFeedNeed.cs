namespace QuayAirGap;

/// <summary>A feed, or a part of one, and how many images need it.</summary>
public sealed class ClairFeedNeed
{
    public required string Source { get; init; }

    /// <summary>The release or ecosystem; null for the source as a whole.</summary>
    public string? Part { get; init; }

    /// <summary>"Met"; "Stale", "Missing", "Failed", "Deselected" or "Unsupported" where it is needed and not as it must be; "NotNeeded".</summary>
    public required string State { get; init; }

    /// <summary>How many images need it.</summary>
    public required int ImageCount { get; init; }

    /// <summary>Whether this site's settings want the source.</summary>
    public required bool Enabled { get; init; }

    /// <summary>The images that need it; empty unless they were asked for.</summary>
    public required string[] Images { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{(Part is null ? Source : $"{Source}/{Part}")}: {State}";
}

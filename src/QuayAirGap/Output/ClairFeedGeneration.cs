namespace QuayAirGap;

/// <summary>One published state of the mirror. Times are UTC.</summary>
public sealed class ClairFeedGeneration
{
    public required int Generation { get; init; }

    /// <summary>Whether this is the one that is served.</summary>
    public required bool IsCurrent { get; init; }

    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>The collecting site's id.</summary>
    public required Guid Stream { get; init; }

    /// <summary>The bundle's number within the stream.</summary>
    public required long Sequence { get; init; }

    /// <summary>The sources that have at least one file in it.</summary>
    public required string[] Sources { get; init; }

    /// <summary>Paths that the mirror answers, documents inside archives included.</summary>
    public required long FileCount { get; init; }

    /// <summary>Bytes of the files, each path counted.</summary>
    public required long Size { get; init; }

    /// <summary>What upstream has and this generation does not publish: "source: item: reason".</summary>
    public required string[] HeldBack { get; init; }

    /// <summary>SHA-256 of the signed snapshot, 64 lower-case hexadecimal digits.</summary>
    public required string SnapshotSha256 { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"generation {Generation}";
}

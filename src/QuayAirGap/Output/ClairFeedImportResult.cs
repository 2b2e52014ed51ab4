namespace QuayAirGap;

/// <summary>What an import or a restore did. Times are UTC.</summary>
public sealed class ClairFeedImportResult
{
    /// <summary>False: the site already served exactly this, and nothing was written.</summary>
    public required bool Changed { get; init; }

    /// <summary>The bundle's path; null for a restore.</summary>
    public string? Path { get; init; }

    /// <summary>The generation that is served now.</summary>
    public required int Generation { get; init; }

    public required DateTimeOffset PublishedAt { get; init; }

    public required Guid Stream { get; init; }

    public required long Sequence { get; init; }

    /// <summary>The sources that the generation publishes.</summary>
    public required string[] Sources { get; init; }

    /// <summary>Enabled sources that the capture did not get, or got only an older state of.</summary>
    public required string[] IncompleteSources { get; init; }

    /// <summary>What upstream has and this generation does not publish: "source: item: reason".</summary>
    public required string[] HeldBack { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"generation {Generation}";
}

using System.Text.Json.Serialization;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Collecting;

/// <summary>What a family found in one content when it read it to its end and found it sound.</summary>
internal sealed record Inspection
{
    public required long Count { get; init; }

    /// <summary>The newest date that any advisory bears, UTC.</summary>
    public DateTimeOffset? Newest { get; init; }

    /// <summary>See <see cref="AdvisoryCensus.Sample"/>.</summary>
    public IReadOnlyList<string> Sample { get; init; } = [];

    /// <summary>What else its family needs to know of it, in the family's own order.</summary>
    public IReadOnlyList<string> Facts { get; init; } = [];

    public ContentFindings? Findings { get; init; }

    /// <summary>False where another day's reading of the same content could come to something else: then it is not remembered.</summary>
    [JsonIgnore]
    public bool IsLasting { get; init; } = true;

    public static Inspection Of(AdvisoryCensus census, params IReadOnlyList<string> facts) =>
        new() { Count = census.Count, Newest = census.Newest, Sample = census.Sample, Facts = facts };
}

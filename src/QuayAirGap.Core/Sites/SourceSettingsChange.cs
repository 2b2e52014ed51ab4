namespace QuayAirGap.Core.Sites;

/// <summary>What to change of one source's settings. Null leaves a setting as it is.</summary>
public sealed record SourceSettingsChange
{
    public bool? Enabled { get; init; }

    public Uri? Uri { get; init; }

    /// <summary>Goes back to the upstream's own address.</summary>
    public bool ClearUri { get; init; }

    public Uri? MirrorUri { get; init; }

    /// <summary>Goes back to the second upstream's own address.</summary>
    public bool ClearMirrorUri { get; init; }

    public Uri? UpstreamRoot { get; init; }

    /// <summary>Fetches from the upstream itself again.</summary>
    public bool ClearUpstreamRoot { get; init; }

    /// <summary>The parts to carry; empty goes back to the source's default.</summary>
    public IReadOnlyList<string>? Include { get; init; }

    /// <summary>The parts to leave out; empty leaves none out.</summary>
    public IReadOnlyList<string>? Exclude { get; init; }

    /// <summary>Per cent.</summary>
    public int? MaxShrink { get; init; }

    public TimeSpan? WarnAfter { get; init; }

    public TimeSpan? CriticalAfter { get; init; }

    public TimeSpan? ExpireAfter { get; init; }
}

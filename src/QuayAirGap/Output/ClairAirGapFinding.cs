namespace QuayAirGap;

/// <summary>Something that is wrong with how a Clair is configured, or with what its mirror answers.</summary>
public sealed class ClairAirGapFinding
{
    /// <summary>What kind of finding it is, for scripts: "MissingSlash", "UnknownSet", …</summary>
    public required string Id { get; init; }

    /// <summary>"Error", "Warning" or "Information".</summary>
    public required string Severity { get; init; }

    /// <summary>"file:line", a key, or an address.</summary>
    public required string Where { get; init; }

    public required string What { get; init; }

    public required string Why { get; init; }

    /// <summary>The command that mends it, or what to write where no command can.</summary>
    public required string Remedy { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Severity}: {Id}: {What}";
}

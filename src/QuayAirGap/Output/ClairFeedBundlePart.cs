namespace QuayAirGap;

/// <summary>What a bundle carries of one source.</summary>
public sealed class ClairFeedBundlePart
{
    public required string Source { get; init; }

    /// <summary>Bytes in the bundle; 0 where a delta's base has all of it.</summary>
    public required long Size { get; init; }

    /// <summary>Bytes of the source's files, unpacked.</summary>
    public required long ContentSize { get; init; }

    /// <summary>Files of the source.</summary>
    public required int FileCount { get; init; }

    /// <summary>Contents that travel whole.</summary>
    public required int Whole { get; init; }

    /// <summary>Contents that travel as their difference from the base.</summary>
    public required int Patched { get; init; }

    /// <summary>Contents that the base has.</summary>
    public required int FromBase { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Source;
}

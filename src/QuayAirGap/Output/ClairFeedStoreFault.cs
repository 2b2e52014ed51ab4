namespace QuayAirGap;

/// <summary>A content that the site's store should have and has not as it should be.</summary>
public sealed class ClairFeedStoreFault
{
    /// <summary>"Damaged": its bytes have another SHA-256 than its name; "Missing": it is not there.</summary>
    public required string Fault { get; init; }

    /// <summary>What it should be, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its file.</summary>
    public required string Path { get; init; }

    /// <summary>The mirror serves it now: its sources are not well until it is back.</summary>
    public required bool Served { get; init; }

    /// <summary>The sources that have it; empty where nothing refers to it any more.</summary>
    public required string[] Sources { get; init; }

    /// <summary>One address or path that it has.</summary>
    public string? Item { get; init; }

    /// <summary>Repair-ClairFeedStore has removed the damaged file.</summary>
    public required bool Removed { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Sha256;
}

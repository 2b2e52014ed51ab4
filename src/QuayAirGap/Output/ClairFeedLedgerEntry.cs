using System.Collections.ObjectModel;

namespace QuayAirGap;

/// <summary>One line of a site's ledger.</summary>
public sealed class ClairFeedLedgerEntry
{
    /// <summary>The line's number, from 1.</summary>
    public required long Number { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>"feed.saved", "bundle.refused", "trust.added" and the like.</summary>
    public required string Event { get; init; }

    /// <summary>"user@host".</summary>
    public required string Actor { get; init; }

    /// <summary>What else was recorded, by name: numbers and lists as text.</summary>
    public required ReadOnlyDictionary<string, string> Details { get; init; }

    /// <summary>SHA-256 of the line before, 64 lower-case hexadecimal digits; zeros for the first.</summary>
    public required string Previous { get; init; }

    /// <summary>SHA-256 of this line. Kept elsewhere, it proves later that nothing was taken off the ledger's end.</summary>
    public required string Sha256 { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Event;
}

using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Publishing.Dropping;

/// <summary>A bundle that somebody put into a drop folder.</summary>
/// <param name="Path">The file, the folder with the image layout or with volumes, or the first volume of a set that lies beside others.</param>
/// <param name="Snapshot">What it says of itself, unverified: only its place in the order depends on it. Null where it cannot be read.</param>
/// <param name="Problem">Why it cannot be imported now; null where it can be tried.</param>
/// <param name="IsWaiting">Whether it is left where it is: it is not all there yet, or what it needs is not.</param>
public sealed record DropItem(string Path, Snapshot? Snapshot, FeedException? Problem, bool IsWaiting)
{
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>What is put away when it was dealt with: the file or folder itself, or every volume of the set.</summary>
    public IReadOnlyList<string> Entries { get; init; } = [Path];
}

/// <summary>What became of a bundle.</summary>
/// <param name="Item">Which.</param>
/// <param name="Result">What its import did; null where it was not imported.</param>
/// <param name="Error">Why it was refused; null where it was not.</param>
/// <param name="MovedTo">Where it lies now, the first volume of several; null where it was deleted or left.</param>
public sealed record DropOutcome(DropItem Item, ImportResult? Result, FeedException? Error, string? MovedTo);

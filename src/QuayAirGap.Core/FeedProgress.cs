namespace QuayAirGap.Core;

/// <summary>How far a piece of long work has come. Reported from any thread; the receiver decides what to show.</summary>
/// <param name="Source">The source's name, or null for the whole command.</param>
/// <param name="Activity">What is being done, for people: "Collecting", "Verifying", "Publishing".</param>
/// <param name="Item">The file or document at hand.</param>
/// <param name="Bytes">Bytes done so far for this source.</param>
/// <param name="TotalBytes">All bytes there are, where known.</param>
/// <param name="Completed">True once for each source, when its work is over.</param>
public sealed record FeedProgress(
    string? Source, string Activity, string? Item = null, long Bytes = 0, long? TotalBytes = null, bool Completed = false);

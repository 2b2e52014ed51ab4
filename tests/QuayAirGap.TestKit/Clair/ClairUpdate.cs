namespace QuayAirGap.TestKit.Clair;

/// <summary>How one updater fared in a poll.</summary>
/// <param name="Updater">
/// Clair's name for it, such as <c>alpine-main-v3.8-updater</c>; the set's name where the set could not be constructed.
/// </param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Error">Why it failed, hung or crashed.</param>
public sealed record ClairUpdate(string Updater, ClairOutcome Outcome, string? Error = null);

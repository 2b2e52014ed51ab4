namespace QuayAirGap.TestKit.Clair;

/// <summary>One poll of one updater set.</summary>
/// <typeparam name="THeld">What this set holds.</typeparam>
/// <param name="Updates">
/// How each updater fared; one entry with the set's name if constructing the set failed, which Clair only logs.
/// </param>
/// <param name="Held">What Clair's database holds for the set afterwards.</param>
public sealed record ClairPoll<THeld>(IReadOnlyList<ClairUpdate> Updates, THeld Held)
{
    /// <summary>The worst of the updates; <see cref="ClairOutcome.Unchanged"/> for an empty set.</summary>
    public ClairOutcome Outcome => Updates.Select(u => u.Outcome).DefaultIfEmpty(ClairOutcome.Unchanged).Max();

    /// <summary>The first error, or null.</summary>
    public string? Error => Updates.Select(u => u.Error).FirstOrDefault(e => e is not null);
}

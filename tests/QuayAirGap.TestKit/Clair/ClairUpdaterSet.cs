using System.Text.Json;

namespace QuayAirGap.TestKit.Clair;

/// <summary>
/// One updater set of a Clair: constructed anew at each poll, its updaters then run, what they took kept. Not for several polls at once.
/// </summary>
/// <typeparam name="THeld">What the set holds.</typeparam>
public abstract class ClairUpdaterSet<THeld> : IClairUpdaterSet
{
    private protected ClairUpdaterSet()
    {
    }

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>What Clair's database holds for the set. A new object after each change.</summary>
    public abstract THeld Held { get; }

    /// <summary>Polls once: constructs the set, then runs its updaters, as the manager in claircore:libvuln/updates does.</summary>
    public async Task<ClairPoll<THeld>> PollAsync(CancellationToken cancellationToken = default)
    {
        var self = (IClairUpdaterSet)this;
        var failure = await self.ConstructAsync(cancellationToken);
        var updates = failure is null ? await self.RunAsync(cancellationToken) : [failure];
        if (updates.Any(u => u.Outcome == ClairOutcome.Crashed))
        {
            Restart();
        }

        return new ClairPoll<THeld>(updates, Held);
    }

    /// <summary>Clair's process ends and begins again: what it had in memory is gone, the database (content and fingerprints) stays.</summary>
    public abstract void Restart();

    async Task<ClairUpdate?> IClairUpdaterSet.ConstructAsync(CancellationToken cancellationToken)
    {
        var update = await GuardAsync(Name, () => ConstructSetAsync(cancellationToken), cancellationToken);
        return update.Outcome > ClairOutcome.Updated ? update : null;
    }

    async Task<IReadOnlyList<ClairUpdate>> IClairUpdaterSet.RunAsync(CancellationToken cancellationToken)
    {
        var updates = new List<ClairUpdate>();
        foreach (var (name, updateAsync) in Updaters(cancellationToken))
        {
            updates.Add(await GuardAsync(name, updateAsync, cancellationToken));
            if (updates[^1].Outcome == ClairOutcome.Crashed)
            {
                break;
            }
        }

        return updates;
    }

    /// <summary>The factory's part of a poll. The outcome does not matter, an exception does.</summary>
    private protected abstract Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken);

    /// <summary>The updaters of the set as constructed, in order.</summary>
    private protected abstract IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(
        CancellationToken cancellationToken);

    private static async Task<ClairUpdate> GuardAsync(string name, Func<Task<ClairOutcome>> runAsync, CancellationToken cancellationToken)
    {
        try
        {
            return new ClairUpdate(name, await runAsync());
        }
        catch (ClairException error)
        {
            return new ClairUpdate(name, error.Outcome, error.Message);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException or JsonException
            or FormatException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new ClairUpdate(name, ClairOutcome.Failed, error.Message);
        }
    }
}

/// <summary>What a matcher needs of its sets, whatever they hold.</summary>
internal interface IClairUpdaterSet
{
    /// <summary>The set's name in <c>updaters.sets</c>.</summary>
    string Name { get; }

    /// <summary>Constructs the set; returns how that failed, or null.</summary>
    Task<ClairUpdate?> ConstructAsync(CancellationToken cancellationToken);

    /// <summary>Runs the updaters of the set as constructed, up to a crash.</summary>
    Task<IReadOnlyList<ClairUpdate>> RunAsync(CancellationToken cancellationToken);

    /// <summary>Forgets what only the process knew.</summary>
    void Restart();
}

using QuayAirGap.Core;

namespace QuayAirGap.Commands;

/// <summary>
/// Where workers on any thread pin how far they are, and where the pipeline thread looks when it has time. Only the newest state of each
/// source is kept, so a million reports cost no memory and no screen.
/// </summary>
internal sealed class ProgressBoard : IProgress<FeedProgress>
{
    private readonly object _lock = new();
    private readonly Dictionary<string, FeedProgress> _changed = new(StringComparer.Ordinal);

    public void Report(FeedProgress value)
    {
        lock (_lock)
        {
            _changed[value.Source ?? ""] = value;
        }
    }

    public IReadOnlyList<FeedProgress> TakeChanges()
    {
        lock (_lock)
        {
            FeedProgress[] changes = [.. _changed.Values];
            _changed.Clear();
            return changes;
        }
    }
}

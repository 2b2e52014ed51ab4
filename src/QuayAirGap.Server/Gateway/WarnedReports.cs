using System.Collections.Concurrent;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// Which reports got a warning when they were asked for last. Clair is asked for those without a content coding: it would be undone here
/// anyway, and compressing 5 MB costs Clair more than all that the gateway does. A hint and nothing more: what is forgotten, or not true any more, costs time.
/// </summary>
internal sealed class WarnedReports
{
    /// <summary>More targets than this are begun anew: nobody may fill the memory by asking.</summary>
    internal const int Most = 10_000;

    private readonly ConcurrentDictionary<string, bool> _targets = new(StringComparer.Ordinal);

    public bool Has(string target) => _targets.ContainsKey(target);

    public void Add(string target)
    {
        if (_targets.Count >= Most)
        {
            _targets.Clear();
        }

        _targets[target] = true;
    }

    public void Remove(string target) => _targets.TryRemove(target, out _);
}

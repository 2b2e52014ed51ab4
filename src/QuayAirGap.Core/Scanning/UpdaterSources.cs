using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Scanning;

/// <summary>Which source an updater of Clair reads, by the catalogue's patterns of names.</summary>
internal static class UpdaterSources
{
    private static readonly (Regex Pattern, string Source)[] s_patterns =
    [
        .. SourceCatalog.All.SelectMany(s => s.UpdaterNames.Select(n => (PatternOf(n.Pattern), s.Name))),
    ];

    private static readonly ConcurrentDictionary<string, string?> s_known = new(StringComparer.Ordinal);

    /// <returns>Null for an updater of no source.</returns>
    public static string? Of(string updater) =>
        s_known.Count > 10_000 ? Find(updater) : s_known.GetOrAdd(updater, Find); // a report may name what it likes

    private static string? Find(string updater) => Array.Find(s_patterns, p => p.Pattern.IsMatch(updater)).Source;

    private static Regex PatternOf(string naming) => new(
        "\\A" + string.Concat(Regex.Split(naming, "<[^>]*>").Select((part, i) => (i > 0 ? "[^/]+" : "") + Regex.Escape(part))) + "\\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
}

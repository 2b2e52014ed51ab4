using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Sites;

/// <summary>What a selection means, as far as the last capture can tell: what a source has is upstream's to say.</summary>
public static class SelectionAdvice
{
    /// <returns>The parts that the source had when it was last captured here, carried or not; empty where it never was.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public static IReadOnlyList<string> KnownParts(Site? site, SourceDefinition definition)
    {
        SourceSnapshot? last = site is null ? null : new SnapshotStore(site).LoadNewest()?.Sources.FirstOrDefault(s => s.Name == definition.Name);
        return last is null || definition.PartKind is null
            ? []
            : [.. last.Releases.Concat(last.Deselected).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];
    }

    /// <returns>
    /// What Clair could use and the selection leaves out, as sentences for people; null where that is nothing. Parts that Clair has no
    /// matcher for are none that anybody misses.
    /// </returns>
    public static string? Uncovered(SourceDefinition definition, SourceSelection selection, IReadOnlyList<string> knownParts)
    {
        if (definition.PartKind is not { } kind || (selection.Include.Count == 0 && selection.Exclude.Count == 0))
        {
            return null;
        }

        const string Consequence = "Images with it come out clean-looking but unchecked.";
        IReadOnlyList<string> useful = definition.DefaultParts.Count > 0 ? definition.DefaultParts : knownParts;
        if (useful.Count == 0)
        {
            string rest = selection.Include.Count > 0
                ? $"every {kind} but {string.Join(", ", selection.Include)}" + (selection.Exclude.Count > 0 ? $", and {string.Join(", ", selection.Exclude)}" : "")
                : $"the {kind} {string.Join(", ", selection.Exclude)}";
            return $"'{definition.Name}' leaves out {rest}. {Consequence}";
        }

        string[] missed = [.. useful.Where(p => !selection.Wants(p))];
        return missed.Length == 0 ? null : $"'{definition.Name}' leaves out the {kind}{(missed.Length > 1 ? "s" : "")} {string.Join(", ", missed)}. {Consequence}";
    }
}

using System.Globalization;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// Whether a store has what a delta leaves out. What counts is the content, not which bundle brought it: a site that is further than the
/// base takes the delta as well, as long as it has the pieces.
/// </summary>
internal static class DeltaRequirements
{
    /// <exception cref="FeedException"><see cref="ErrorIds.BundleBase"/>, and which bundle to import first.</exception>
    public static void Check(Bundle bundle, BlobStore store)
    {
        Snapshot snapshot = bundle.Snapshot;
        int missing = 0;
        string? first = null;
        foreach (SourceSnapshot source in snapshot.Sources)
        {
            HashSet<string> whole = [.. source.Delta?.Whole ?? []];
            Dictionary<string, DeltaRecipe> recipes = (source.Delta?.Recipes ?? []).ToDictionary(r => r.Sha256, StringComparer.Ordinal);
            foreach (LayerEntry content in SourceLayer.ContentsOf(source))
            {
                if (!whole.Contains(content.Sha256) && !store.Contains(content.Sha256, content.Size)
                    && !(recipes.TryGetValue(content.Sha256, out DeltaRecipe? recipe) && store.Contains(recipe.Base, recipe.BaseSize)))
                {
                    missing++;
                    first ??= content.Url;
                }
            }
        }

        if (missing > 0)
        {
            string name = string.Create(
                CultureInfo.InvariantCulture,
                $"number {snapshot.BaseSequence} of the stream {snapshot.Stream:D}, made on {snapshot.BaseCreated!.Value.UtcDateTime:yyyy-MM-dd HH:mm'Z'}");
            throw new FeedException(
                ErrorIds.BundleBase,
                SnapshotRules.Printable(
                    $"The bundle '{bundle.Path}' is refused. It is a delta that builds on the bundle {name} (snapshot {snapshot.Base}), and this site "
                    + $"lacks {missing} of the contents that it leaves out, '{first}' first."),
                bundle.Path,
                $"Import the bundle {name} first, then this one; or have a full bundle made: Save-ClairFeed without -Since.");
        }
    }
}

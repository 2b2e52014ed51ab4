using QuayAirGap.Core.Bundles.Delta;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Snapshots;

/// <summary>
/// What the delta's part of a snapshot must hold. It is written so that it can say one thing only: each content travels in one way or not
/// at all, a recipe builds on what the base has and never on what another recipe makes, and every size is bounded before any work begins.
/// </summary>
internal static class DeltaRules
{
    /// <summary>The first objection to the snapshot itself, or null.</summary>
    public static string? ObjectionTo(Snapshot snapshot) =>
        snapshot.Base is null
            ? snapshot.BaseSequence is not null || snapshot.BaseCreated is not null ? "it is full, but has a base's sequence or date" : null
        : !Sha256Digest.IsValid(snapshot.Base) ? "its base is not a SHA-256"
        : snapshot.BaseSequence is not >= 1 || snapshot.BaseSequence >= snapshot.Sequence ? "its base is not an earlier one of its stream"
        : snapshot.BaseCreated is not { } created || created <= DateTimeOffset.UnixEpoch || created > snapshot.Created ? "its base was made later than itself"
        : null;

    /// <summary>The first objection to a source, or null.</summary>
    public static string? ObjectionTo(Snapshot snapshot, SourceSnapshot source)
    {
        if (source.Delta is not { } delta)
        {
            return snapshot.Base is not null && source.Layer is not null ? "it has a layer, but says not what of it travels" : null;
        }

        if (snapshot.Base is null)
        {
            return "the snapshot is full, and the source is said to travel in part";
        }

        if (delta.Whole is null || delta.Recipes is null || delta.Whole.Count + (long)delta.Recipes.Count is 0 || source.Files.Count == 0)
        {
            return "its delta carries nothing";
        }

        var sizes = new Dictionary<string, (int Order, long Size)>(StringComparer.Ordinal);
        foreach (SnapshotFile file in source.Files)
        {
            sizes.TryAdd(file.Sha256, (sizes.Count, file.Size));
        }

        // Order makes writer and reader come to the same layer, and leaves no room to say a thing twice.
        int last = -1;
        foreach (string whole in delta.Whole)
        {
            if (whole is null || !sizes.TryGetValue(whole, out (int Order, long Size) content) || content.Order <= last)
            {
                return "its delta names a content twice, in the wrong order, or one that no file has";
            }

            last = content.Order;
        }

        HashSet<string> taken = [.. delta.Whole];
        last = -1;
        foreach (DeltaRecipe recipe in delta.Recipes)
        {
            if (recipe?.Sha256 is null || !sizes.TryGetValue(recipe.Sha256, out (int Order, long Size) content) || content.Order <= last || !taken.Add(recipe.Sha256))
            {
                return "a recipe makes a content twice, in the wrong order, or one that no file has";
            }

            last = content.Order;
            if (ObjectionTo(recipe, content.Size, sizes) is { } objection)
            {
                return $"the recipe for {recipe.Sha256}: {objection}";
            }
        }

        return null;
    }

    private static string? ObjectionTo(DeltaRecipe recipe, long size, Dictionary<string, (int Order, long Size)> contents)
    {
        bool bare = recipe.Method == RecipeMethod.Patch;
        return !Enum.IsDefined(recipe.Method) ? "its method is unknown"
            : recipe.Base is null || !Sha256Digest.IsValid(recipe.Base) || recipe.Patch is null || !Sha256Digest.IsValid(recipe.Patch) ? "a digest is not a SHA-256"
            : recipe.Base == recipe.Sha256 || contents.ContainsKey(recipe.Patch) ? "it refers to itself"
            : !IsWithin(recipe.BaseSize) || !IsWithin(size) || recipe.PatchSize < 1 || recipe.PatchSize > size ? "a size is impossible"
            : bare != recipe.BaseUnpacked is null || bare != recipe.Unpacked is null ? "its sizes do not go with its method"
            : !bare && (!IsWithin(recipe.BaseUnpacked!.Value) || !IsWithin(recipe.Unpacked!.Value)) ? "it unpacks to more than is allowed"
            : null;
    }

    private static bool IsWithin(long size) => size is >= 1 and <= ZstdPatch.MaxSize;
}

using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles;

/// <summary>One piece of content in a layer.</summary>
/// <param name="Url">The first file that has it, for people.</param>
internal readonly record struct LayerEntry(string Sha256, long Size, string Url);

/// <summary>
/// What the tar inside a source's layer holds, derived from the snapshot alone: each distinct content once, in the order in which the
/// source's files first name it; in a delta, those that travel whole and then the patches. Writer and reader come to the same bytes, so the reader compares instead of interpreting.
/// </summary>
internal static class SourceLayer
{
    /// <summary>Two blocks of zeros.</summary>
    public const int EndSize = 2 * UstarHeader.BlockSize;

    /// <summary>What the layer holds: every content of the source, or what its delta says.</summary>
    public static IReadOnlyList<LayerEntry> EntriesOf(SourceSnapshot source)
    {
        IReadOnlyList<LayerEntry> contents = ContentsOf(source);
        if (source.Delta is not { } delta)
        {
            return contents;
        }

        Dictionary<string, LayerEntry> byDigest = contents.ToDictionary(e => e.Sha256, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return
        [
            .. delta.Whole.Select(sha256 => byDigest[sha256]),

            // Two contents can differ from their old ones by the same patch.
            .. delta.Recipes.Where(r => seen.Add(r.Patch)).Select(r => new LayerEntry(r.Patch, r.PatchSize, byDigest[r.Sha256].Url)),
        ];
    }

    /// <summary>Every distinct content of the source, in the order in which its files first name it.</summary>
    public static IReadOnlyList<LayerEntry> ContentsOf(SourceSnapshot source)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return [.. source.Files.Where(f => seen.Add(f.Sha256)).Select(f => new LayerEntry(f.Sha256, f.Size, f.Url))];
    }

    public static long TarSizeOf(IReadOnlyList<LayerEntry> entries)
    {
        long size = EndSize;
        foreach (LayerEntry entry in entries)
        {
            size = checked(size + UstarHeader.BlockSize + entry.Size + UstarHeader.Padding(entry.Size));
        }

        return size;
    }

    public static void FormatHeader(Span<byte> block, LayerEntry entry) => UstarHeader.Format(block, NameOf(entry.Sha256), entry.Size);

    public static string NameOf(string sha256) => "sha256/" + sha256;
}

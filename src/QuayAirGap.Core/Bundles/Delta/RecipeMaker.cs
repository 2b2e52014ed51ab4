using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// Finds the smallest way to carry a content that the base has an older form of, and proves it: a recipe counts only if the consumer's
/// own code restores the exact bytes with it.
/// </summary>
internal sealed class RecipeMaker(string work)
{
    /// <summary>What a recipe costs beside its patch: its lines in the snapshot, which nothing compresses, and a header in the layer.</summary>
    private const long RecipeCost = 450;

    /// <summary>A patch this much smaller than the file needs no comparison with other ways.</summary>
    private const int ClearlySmaller = 50;

    /// <summary>Writes the patch into the work folder, named by its SHA-256; null where the content is better carried whole.</summary>
    public DeltaRecipe? Make(LayerEntry content, string file, LayerEntry old, string oldFile, CancellationToken cancellationToken)
    {
        if (content.Size is 0 or > ZstdPatch.MaxSize || old.Size is 0 or > ZstdPatch.MaxSize)
        {
            return null;
        }

        RecipeMethod method = ContentForms.MethodFor(file);
        DeltaRecipe? best = method == RecipeMethod.Patch ? null : TryForm(method, content, file, old, oldFile, cancellationToken);
        if (best is null || best.PatchSize > content.Size / 2)
        {
            best = Smaller(best, TryPatch(content, file, old, oldFile, (best?.PatchSize ?? content.Size) - 1, cancellationToken));
        }

        return best is not null && IsWorthIt(best, content, file) && IsProved(best, content, oldFile, cancellationToken) ? best : Drop(best);
    }

    public string PathOf(string sha256) => Path.Combine(work, sha256);

    private DeltaRecipe? TryPatch(LayerEntry content, string file, LayerEntry old, string oldFile, long limit, CancellationToken cancellationToken)
    {
        using MappedFile from = MappedFile.OpenRead(oldFile);
        using MappedFile to = MappedFile.OpenRead(file);
        return Write(from, to, limit, cancellationToken) is not var (sha256, size)
            ? null
            : new DeltaRecipe { Sha256 = content.Sha256, Method = RecipeMethod.Patch, Base = old.Sha256, BaseSize = old.Size, Patch = sha256, PatchSize = size };
    }

    private DeltaRecipe? TryForm(RecipeMethod method, LayerEntry content, string file, LayerEntry old, string oldFile, CancellationToken cancellationToken)
    {
        IContentForm form = ContentForms.Of(method)!;
        using var place = new WorkPlace(work);
        string laidOut = place.NewFile();
        string laidOutBase = place.NewFile();
        try
        {
            if (ContentForms.MethodFor(oldFile) != method || !form.TryUnpack(file, laidOut, cancellationToken))
            {
                return null;
            }

            using FileStream output = File.Create(laidOutBase);
            form.UnpackBase(oldFile, new LimitedStream(output, ZstdPatch.MaxSize), cancellationToken);
            if (output.Length == 0)
            {
                return null;
            }
        }
        catch (InvalidDataException)
        {
            return null; // the old one is of another make
        }

        using MappedFile from = MappedFile.OpenRead(laidOutBase);
        using MappedFile to = MappedFile.OpenRead(laidOut);
        return Write(from, to, content.Size - 1, cancellationToken) is not var (sha256, size)
            ? null
            : new DeltaRecipe
            {
                Sha256 = content.Sha256,
                Method = method,
                Base = old.Sha256,
                BaseSize = old.Size,
                BaseUnpacked = from.Length,
                Unpacked = to.Length,
                Patch = sha256,
                PatchSize = size,
            };
    }

    private (string Sha256, long Size)? Write(MappedFile from, MappedFile to, long limit, CancellationToken cancellationToken)
    {
        using var place = new WorkPlace(work);
        string path = place.NewFile();
        long size;
        string sha256;
        using (var output = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1))
        {
            if (limit < 1 || !ZstdPatch.TryMake(from, to, output, limit, cancellationToken))
            {
                return null;
            }

            size = output.Length;
            output.Position = 0;
            sha256 = Sha256Digest.ToText(System.Security.Cryptography.SHA256.HashData(output));
        }

        File.Move(path, PathOf(sha256), overwrite: true);
        return (sha256, size);
    }

    private DeltaRecipe? Smaller(DeltaRecipe? one, DeltaRecipe? other)
    {
        if (one is null || other is null)
        {
            return one ?? other;
        }

        (DeltaRecipe better, DeltaRecipe worse) = other.PatchSize < one.PatchSize ? (other, one) : (one, other);
        if (worse.Patch != better.Patch)
        {
            Drop(worse);
        }

        return better;
    }

    private DeltaRecipe? Drop(DeltaRecipe? recipe)
    {
        if (recipe is not null)
        {
            File.Delete(PathOf(recipe.Patch));
        }

        return null;
    }

    private static bool IsWorthIt(DeltaRecipe recipe, LayerEntry content, string file)
    {
        long cost = recipe.PatchSize + RecipeCost;
        if (cost < content.Size / ClearlySmaller || (recipe.Method != RecipeMethod.Patch && cost < content.Size))
        {
            return true;
        }

        using FileStream stream = File.OpenRead(file);
        var counter = new CountingStream();
        using (var compress = new ZstdSharp.CompressionStream(counter, BundleFormat.CompressionLevel, leaveOpen: true))
        {
            stream.CopyTo(compress);
        }

        return cost < counter.Written;
    }

    private bool IsProved(DeltaRecipe recipe, LayerEntry content, string oldFile, CancellationToken cancellationToken)
    {
        using var place = new WorkPlace(work);
        try
        {
            return RecipeRestorer.Restore(
                recipe, content.Size, oldFile, PathOf(recipe.Patch), work, place.NewFile(), cancellationToken) == content.Sha256;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private sealed class CountingStream : WriteOnlyStream
    {
        public long Written { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer) => Written += buffer.Length;
    }
}

using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>
/// A way to lay a packed file out so that what did not change between two days is the same run of bytes in both, and to make the exact
/// file of it again.
/// </summary>
internal interface IContentForm
{
    /// <summary>Lays a file out as what a patch refers back to.</summary>
    /// <exception cref="InvalidDataException">It is not such a file.</exception>
    void UnpackBase(string packed, Stream output, CancellationToken cancellationToken);

    /// <summary>Lays a file out together with all that it takes to pack it again.</summary>
    /// <param name="packed">The file.</param>
    /// <param name="form">The new file to write.</param>
    /// <returns>False where it is not such a file, or was packed in a way that is not known; <paramref name="form"/> is then of no use.</returns>
    bool TryUnpack(string packed, string form, CancellationToken cancellationToken);

    /// <summary>Makes the packed file again.</summary>
    /// <param name="older">An older one to go by, which most often saves most of the work. A caller who is not sure that it was packed in the same way compares the
    /// outcome, and packs once more without. Null to do without.</param>
    /// <exception cref="InvalidDataException">The form is not one that <see cref="TryUnpack"/> writes.</exception>
    void Pack(MappedFile form, PackedBase? older, Stream output, CancellationToken cancellationToken);
}

/// <summary>A base as a file, and as <see cref="IContentForm.UnpackBase"/> has laid it out.</summary>
internal sealed record PackedBase(string File, MappedFile Unpacked);

/// <summary>Which form belongs to which method and file.</summary>
internal static class ContentForms
{
    /// <summary>The form of a method; null for the one that needs none.</summary>
    public static IContentForm? Of(RecipeMethod method) => method switch
    {
        RecipeMethod.Patch => null,
        RecipeMethod.Zip => new ZipForm(),
        RecipeMethod.Gzip => new GzipForm(),
        RecipeMethod.Bzip2 => new Bzip2Form(),
        _ => throw new ArgumentOutOfRangeException(nameof(method)),
    };

    /// <summary>The method to try first, by what a file begins with.</summary>
    public static RecipeMethod MethodFor(string file)
    {
        Span<byte> start = stackalloc byte[4];
        using FileStream content = File.OpenRead(file);
        int read = content.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        ReadOnlySpan<byte> found = start[..read];
        return found.StartsWith("PK\x03\x04"u8) ? RecipeMethod.Zip
            : found.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]) ? RecipeMethod.Gzip
            : found.StartsWith("BZh"u8) ? RecipeMethod.Bzip2
            : RecipeMethod.Patch;
    }
}

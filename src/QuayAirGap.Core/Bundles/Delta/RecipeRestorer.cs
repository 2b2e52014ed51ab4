using System.Security.Cryptography;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Streams;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>Makes a content from the base's and a patch. The producer proves its recipes with this same code.</summary>
internal static class RecipeRestorer
{
    /// <summary>Forms write headers of a few bytes.</summary>
    private const int BufferSize = 1 << 16;

    /// <param name="recipe">Checked against the rules; its sizes bound the work.</param>
    /// <param name="size">Bytes of the content, as signed.</param>
    /// <param name="baseFile">A file with the base's content.</param>
    /// <param name="patchFile">A file with the patch.</param>
    /// <param name="work">A folder for what is laid out meanwhile; emptied again.</param>
    /// <param name="output">The new file to write.</param>
    /// <returns>SHA-256 of what was written: the caller compares it.</returns>
    /// <exception cref="InvalidDataException">The recipe does not work.</exception>
    public static string Restore(
        DeltaRecipe recipe, long size, string baseFile, string patchFile, string work, string output, CancellationToken cancellationToken)
    {
        using MappedFile patch = MappedFile.OpenRead(patchFile);
        if (ContentForms.Of(recipe.Method) is not { } form)
        {
            using MappedFile old = MappedFile.OpenRead(baseFile);
            using MappedFile content = MappedFile.Create(output, size);
            ZstdPatch.Apply(old, patch, content);
            return Sha256Digest.Of(content.Span);
        }

        using var place = new WorkPlace(work);
        string unpackedBase = place.NewFile();
        using (var file = new FileStream(unpackedBase, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferSize))
        {
            var limited = new LimitedStream(file, recipe.BaseUnpacked!.Value);
            form.UnpackBase(baseFile, limited, cancellationToken);
            if (limited.Written != recipe.BaseUnpacked)
            {
                throw new InvalidDataException($"its base unpacks to {limited.Written} bytes, where {recipe.BaseUnpacked} are signed for");
            }
        }

        using MappedFile laidOutBase = MappedFile.OpenRead(unpackedBase);
        using MappedFile laidOut = MappedFile.Create(place.NewFile(), recipe.Unpacked!.Value);
        ZstdPatch.Apply(laidOutBase, patch, laidOut);
        string? made = null;
        try
        {
            made = Pack(form, laidOut, new PackedBase(baseFile, laidOutBase), size, output, cancellationToken);
        }
        catch (InvalidDataException)
        {
            // What it has of the base may have led it astray.
        }

        if (made == recipe.Sha256)
        {
            return made;
        }

        File.Delete(output);
        return Pack(form, laidOut, null, size, output, cancellationToken);
    }

    private static string Pack(IContentForm form, MappedFile laidOut, PackedBase? older, long size, string output, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var file = new FileStream(output, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
        using (var buffer = new BufferedStream(new HashedStream(file, hash), BufferSize))
        {
            form.Pack(laidOut, older, new LimitedStream(buffer, size), cancellationToken);
        }

        return Sha256Digest.ToText(hash.GetHashAndReset());
    }

    private sealed class HashedStream(Stream inner, IncrementalHash hash) : WriteOnlyStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            hash.AppendData(buffer);
            inner.Write(buffer);
        }
    }
}

/// <summary>Files that are gone when the work is done.</summary>
internal sealed class WorkPlace(string folder) : IDisposable
{
    private readonly List<string> _files = [];

    public string NewFile()
    {
        string path = Path.Combine(folder, Guid.NewGuid().ToString("N") + ".work");
        _files.Add(path);
        return path;
    }

    public void Dispose() => _files.ForEach(File.Delete);
}

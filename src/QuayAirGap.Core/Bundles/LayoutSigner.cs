using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Bundles;

/// <summary>
/// Adds signatures to a folder layout in its place. The index is replaced in one rename, and before it and after it the folder has blobs that nothing
/// refers to, which no reader takes: a note beside the folder (FOLDER.signing) names them, so that after a kill the next run finishes or takes back.
/// </summary>
internal static class LayoutSigner
{
    private const string NoteSuffix = ".signing";

    public static void Sign(Bundle bundle, SignaturePlan plan, CancellationToken cancellationToken)
    {
        string folder = bundle.Path;
        (string Path, byte[] Content)[] blobs = [.. plan.NewBlobs.Select(b => (PathOf(folder, BundleFormat.BlobName(Sha256Digest.Of(b))), b))];
        string[] names = [.. plan.NewBlobs.Select(b => BundleFormat.BlobName(Sha256Digest.Of(b))), plan.OldManifest];
        cancellationToken.ThrowIfCancellationRequested();
        Durable.ReplaceFile(NoteOf(folder), Encoding.ASCII.GetBytes(string.Join('\n', names)));
        foreach ((string path, byte[] content) in blobs)
        {
            Durable.ReplaceFile(path, content);
        }

        // From here on it is signed.
        Durable.ReplaceFile(PathOf(folder, BundleFormat.IndexName), plan.NewIndex);
        FinishWhatWasBegun(folder);
    }

    public static bool IsInterrupted(string folder) => File.Exists(NoteOf(folder));

    /// <summary>Removes what a run before has left that nothing refers to; nothing where none has.</summary>
    public static void FinishWhatWasBegun(string folder)
    {
        string note = NoteOf(folder);
        if (!File.Exists(note))
        {
            return;
        }

        HashSet<string> used = UsedBy(folder);
        foreach (string name in File.ReadAllLines(note))
        {
            // Only blobs, and only by a digest: the note lies where others may write, too.
            if (name.StartsWith(BundleFormat.BlobPrefix, StringComparison.Ordinal) && Sha256Digest.IsValid(name.AsSpan(BundleFormat.BlobPrefix.Length)) && !used.Contains(name))
            {
                File.Delete(PathOf(folder, name));
            }
        }

        foreach (string unfinished in Directory.EnumerateFiles(folder, ".*.new", SearchOption.AllDirectories))
        {
            File.Delete(unfinished);
        }

        File.Delete(note);
    }

    /// <summary>The blobs that the index names, and those that they name.</summary>
    private static HashSet<string> UsedBy(string folder)
    {
        try
        {
            OciDescriptor manifest = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(folder, BundleFormat.IndexName)), OciJson.Default.OciIndex)!.Manifests[0];
            string name = BundleFormat.BlobName(manifest.Sha256!);
            OciManifest parsed = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(folder, name)), OciJson.Default.OciManifest)!;
            return [name, .. parsed.Layers.Append(parsed.Config).Select(d => BundleFormat.BlobName(d.Sha256!))];
        }
        catch (Exception e) when (e is JsonException or IOException or ArgumentOutOfRangeException or NullReferenceException)
        {
            throw BundleErrors.Invalid(folder, $"its index or manifest cannot be read ({e.Message})", e);
        }
    }

    private static string NoteOf(string folder) => Path.TrimEndingDirectorySeparator(folder) + NoteSuffix;

    private static string PathOf(string folder, string name) => Path.Combine(folder, name.Replace('/', Path.DirectorySeparatorChar));
}

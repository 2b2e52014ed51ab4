using System.Globalization;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Snapshots;

/// <summary>A snapshot that the site keeps.</summary>
/// <param name="Sequence">As the snapshot says.</param>
/// <param name="Sha256">Of the document's bytes.</param>
/// <param name="Path">The document's file.</param>
public sealed record StoredSnapshot(long Sequence, string Sha256, string Path);

/// <summary>
/// The snapshot documents of a site with their signatures, byte for byte as they were signed: snapshots/SEQUENCE-SHA256.json and
/// beside it SEQUENCE-SHA256.N.p7s.
/// </summary>
public sealed class SnapshotStore(Site site)
{
    /// <summary>Keeps a document. Saving the same one again changes nothing.</summary>
    public StoredSnapshot Save(ReadOnlyMemory<byte> bytes, IReadOnlyList<byte[]> signatures, long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequence, 1);
        string sha256 = Sha256Digest.Of(bytes.Span);
        string name = string.Create(CultureInfo.InvariantCulture, $"{sequence:D10}-{sha256}");
        string path = Path.Combine(site.SnapshotsFolder, name + ".json");
        try
        {
            Directory.CreateDirectory(site.SnapshotsFolder);

            // The document last: one that is there has its signatures.
            for (int i = 0; i < signatures.Count; i++)
            {
                Durable.ReplaceFile(SignaturePath(path, i + 1), signatures[i]);
            }

            Durable.ReplaceFile(path, bytes.Span);
        }
        catch (IOException e) when (Site.IsFull(e))
        {
            throw Site.DiskFull(path, e);
        }

        return new StoredSnapshot(sequence, sha256, path);
    }

    /// <summary>Every kept snapshot, the newest last.</summary>
    public IReadOnlyList<StoredSnapshot> List()
    {
        if (!Directory.Exists(site.SnapshotsFolder))
        {
            return [];
        }

        var found = new List<StoredSnapshot>();
        foreach (string path in Directory.EnumerateFiles(site.SnapshotsFolder, "*.json"))
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('-');
            if (parts.Length == 2 && Sha256Digest.IsValid(parts[1])
                && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence))
            {
                found.Add(new StoredSnapshot(sequence, parts[1], path));
            }
        }

        return [.. found.OrderBy(s => s.Sequence).ThenBy(s => s.Sha256, StringComparer.Ordinal)];
    }

    /// <summary>The snapshot with the highest sequence, or null where none is kept.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public Snapshot? LoadNewest() => List() is [.., var newest] ? Parse(newest) : null;

    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/>, also where it is not there</exception>
    public Snapshot Load(string sha256) => Parse(Find(sha256));

    /// <summary>The document's bytes as they were signed.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public byte[] ReadBytes(string sha256) => ReadBytes(Find(sha256));

    /// <summary>The signatures that came with the document, in their order.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteDamaged"/></exception>
    public IReadOnlyList<byte[]> ReadSignatures(string sha256)
    {
        StoredSnapshot stored = Find(sha256);
        var signatures = new List<byte[]>();
        for (int i = 1; File.Exists(SignaturePath(stored.Path, i)); i++)
        {
            signatures.Add(File.ReadAllBytes(SignaturePath(stored.Path, i)));
        }

        return signatures;
    }

    /// <summary>Forgets a snapshot and its signatures; nothing where it is not there.</summary>
    public void Remove(string sha256)
    {
        Sha256Digest.ThrowIfInvalid(sha256);
        foreach (StoredSnapshot stored in List().Where(s => s.Sha256 == sha256))
        {
            // The document first: signatures without one are never seen.
            File.Delete(stored.Path);
            foreach (string signature in Directory.EnumerateFiles(
                site.SnapshotsFolder, Path.GetFileNameWithoutExtension(stored.Path) + ".*.p7s"))
            {
                File.Delete(signature);
            }
        }
    }

    private static string SignaturePath(string document, int number) =>
        Path.ChangeExtension(document, number.ToString(CultureInfo.InvariantCulture) + ".p7s");

    private static byte[] ReadBytes(StoredSnapshot stored)
    {
        try
        {
            if (new FileInfo(stored.Path).Length is var length && length > SnapshotDocument.MaxBytes)
            {
                throw Damaged(stored.Path, $"it has {length} bytes", null);
            }

            byte[] bytes = File.ReadAllBytes(stored.Path);
            return Sha256Digest.Of(bytes) == stored.Sha256 ? bytes : throw Damaged(stored.Path, "its content has another SHA-256 than its name", null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Damaged(stored.Path, e.Message, e);
        }
    }

    private static Snapshot Parse(StoredSnapshot stored)
    {
        byte[] bytes = ReadBytes(stored);
        try
        {
            return SnapshotDocument.Parse(bytes);
        }
        catch (FeedException e) when (e.ErrorId is not ErrorIds.BundleVersion)
        {
            throw Damaged(stored.Path, e.Message, e);
        }
    }

    private static FeedException Damaged(string path, string what, Exception? cause) => new(
        ErrorIds.SiteDamaged, $"The snapshot '{path}' cannot be used: {what}.", path,
        "Delete the file and run the command again: outside, the next capture starts anew; inside, import the newest full bundle again.", cause);

    private StoredSnapshot Find(string sha256)
    {
        Sha256Digest.ThrowIfInvalid(sha256);
        return List().LastOrDefault(s => s.Sha256 == sha256)
            ?? throw Damaged(Path.Combine(site.SnapshotsFolder, $"*-{sha256}.json"), "it is not there", null);
    }
}

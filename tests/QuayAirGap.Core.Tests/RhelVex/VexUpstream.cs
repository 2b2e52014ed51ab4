using System.Formats.Tar;
using System.Text;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>An upstream of a few documents, and what a collector would have taken of it, put into a store.</summary>
internal sealed class VexUpstream(BlobStore store)
{
    public const string Base = "https://security.access.redhat.com/data/csaf/v2/vex/";

    private int _archives;

    public SortedDictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, DateTimeOffset> Changes { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, DateTimeOffset> Deletions { get; } = new(StringComparer.Ordinal);

    private (SnapshotFile File, Dictionary<string, string> Documents, DateTimeOffset Time)? Archive { get; set; }

    public static string Content(string path, int version) =>
        $$$"""{"document":{"tracking":{"id":"{{{Id(path)}}}"}},"version":{{{version}}}}""";

    public static string Id(string path) => Path.GetFileNameWithoutExtension(path).ToUpperInvariant();

    public void Put(string path, int version, DateTimeOffset at)
    {
        Documents[path] = Content(path, version);
        Changes[path] = at;
        Deletions.Remove(path);
    }

    public void Delete(string path, DateTimeOffset at)
    {
        Documents.Remove(path);
        Changes.Remove(path);
        Deletions[path] = at;
    }

    /// <summary>Upstream packs what it has.</summary>
    /// <param name="order">The order within the archive; upstream's is not sorted.</param>
    public void Pack(DateTimeOffset at, Random? order = null)
    {
        (string Path, string Content)[] documents = [.. Documents.Select(d => (d.Key, d.Value))];
        order?.Shuffle(documents);
        Archive = (Blob($"csaf_vex_{at:yyyy-MM-dd}.{++_archives}.tar.zst", MakeArchive(documents), at), new(Documents), at);
    }

    /// <summary>What a collector takes: the archive, what is newer than it, and the lists.</summary>
    public SourceSnapshot Capture(DateTimeOffset at)
    {
        (SnapshotFile file, Dictionary<string, string> archived, _) = Archive!.Value;
        var files = new List<SnapshotFile>
        {
            file,
            Blob("archive_latest.txt", Encoding.UTF8.GetBytes(file.Url[Base.Length..] + "\n"), at),
            Blob("changes.csv", Rows(Changes), at),
            Blob("deletions.csv", Rows(Deletions), at),
        };
        files.AddRange(Documents.Where(d => archived.GetValueOrDefault(d.Key) != d.Value)
            .Select(d => Blob(d.Key, Encoding.UTF8.GetBytes(d.Value), Changes[d.Key])));
        return new SourceSnapshot
        {
            Name = "rhel-vex",
            State = CaptureState.Captured,
            CapturedAt = at,
            Files = [.. files.OrderBy(f => f.Url, StringComparer.Ordinal)],
        };
    }

    public static byte[] Rows(IEnumerable<KeyValuePair<string, DateTimeOffset>> rows) => Encoding.UTF8.GetBytes(string.Concat(
        rows.OrderByDescending(r => r.Value).Select(r => $"\"{r.Key}\",\"{r.Value.ToUniversalTime():yyyy-MM-dd'T'HH:mm:ss}+00:00\"\n")));

    public static byte[] MakeArchive(params (string Path, string Content)[] documents)
    {
        using var packed = new MemoryStream();
        using (var zstd = new CompressionStream(packed, 3))
        using (var tar = new TarWriter(zstd, TarEntryFormat.Pax))
        {
            foreach ((string path, string content) in documents)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            }
        }

        return packed.ToArray();
    }

    public SnapshotFile Blob(string name, byte[] content, DateTimeOffset at)
    {
        string sha256 = Sha256Digest.Of(content);
        if (!store.Contains(sha256, content.Length))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(store.PathOf(sha256))!);
            File.WriteAllBytes(store.PathOf(sha256), content);
        }

        return new SnapshotFile { Url = Base + name, Sha256 = sha256, Size = content.Length, LastModified = at };
    }
}

using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;
using ZstdSharp;

namespace QuayAirGap.Server.Tests;

/// <summary>A site in a temporary folder whose generations are written by hand.</summary>
public sealed class TestSite : IDisposable
{
    public static readonly DateTimeOffset Modified = new(2026, 11, 1, 10, 20, 30, TimeSpan.Zero);

    public TestSite()
    {
        Root = Path.Combine(Path.GetTempPath(), "quayairgap-server-" + Guid.NewGuid().ToString("N"));
        Site = Site.OpenOrCreate(Root);
    }

    public string Root { get; }

    public Site Site { get; }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public GenerationEntry Entry(string path, string text, DateTimeOffset? modified = null, string contentType = "text/plain") =>
        Entry(path, Bytes(text), modified ?? Modified, contentType);

    public GenerationEntry Entry(string path, byte[] content, DateTimeOffset? modified, string contentType = "application/octet-stream") => new()
    {
        Path = path,
        Source = "test",
        Sha256 = Add(content),
        Size = content.Length,
        ContentType = contentType,
        LastModified = modified,
    };

    public string Add(byte[] content)
    {
        string sha256 = Digest(content);
        string path = Site.Store.PathOf(sha256);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return sha256;
    }

    /// <summary>An archive of documents, several of them in one frame.</summary>
    public ArchiveMembers Archive(string prefix, IEnumerable<(string Path, byte[] Content)> documents, int documentsPerFrame)
    {
        using var archive = new MemoryStream();
        using var compressor = new Compressor(3);
        var members = new List<ArchiveMember>();
        foreach ((string Path, byte[] Content)[] chunk in documents.OrderBy(d => d.Path, StringComparer.Ordinal).Chunk(documentsPerFrame))
        {
            using var raw = new MemoryStream();
            var skips = new List<long>();
            foreach ((string _, byte[] content) in chunk)
            {
                raw.Write(new byte[512]); // where a tar has its header
                skips.Add(raw.Length);
                raw.Write(content);
            }

            byte[] frame = compressor.Wrap(raw.ToArray()).ToArray();
            members.AddRange(chunk.Select((d, i) => new ArchiveMember(
                d.Path, Sha256Digest.Of(d.Content), d.Content.Length, archive.Length, frame.Length, skips[i], Modified)));
            archive.Write(frame);
        }

        return new ArchiveMembers
        {
            Source = "rhel-vex",
            PathPrefix = prefix,
            ArchiveSha256 = Add(archive.ToArray()),
            ContentType = "application/json",
            Members = members,
        };
    }

    public void Publish(int number, IReadOnlyList<GenerationEntry> entries, params ArchiveMembers[] archives)
    {
        Save(number, entries, archives);
        MakeCurrent(number);
    }

    public void Save(int number, IReadOnlyList<GenerationEntry> entries, params ArchiveMembers[] archives) =>
        new Generation
        {
            Number = number,
            PublishedAt = Modified,
            Stream = Guid.NewGuid(),
            Sequence = number,
            HighestSequence = number,
            NewestSnapshot = Modified,
            SnapshotSha256 = new string('0', 64),
            Sources = [],
            Entries = entries,
            Archives = archives,
        }.Save(new GenerationStore(Site).FolderOf(number));

    public void MakeCurrent(int number) => Durable.ReplaceFile(Site.CurrentFile, Bytes(number + "\n"));

    public static byte[] Random(int length, int seed)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    public static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

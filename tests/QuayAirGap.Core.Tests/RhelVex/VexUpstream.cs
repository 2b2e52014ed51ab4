using System.Formats.Tar;
using System.Text;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Sources.RhelVex;
using QuayAirGap.Core.Store;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>An upstream of a few documents in memory, and the session through which the real collector sees it.</summary>
internal sealed class VexUpstream(BlobStore store)
{
    public const string Base = "https://security.access.redhat.com/data/csaf/v2/vex/";

    private int _archives;

    public SortedDictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, DateTimeOffset> Changes { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, DateTimeOffset> Deletions { get; } = new(StringComparer.Ordinal);

    public string ArchiveName { get; private set; } = "";

    public byte[] Archive { get; set; } = [];

    public DateTimeOffset ArchiveTime { get; private set; }

    /// <summary>The content of the file beside the archive that has its checksum; null where upstream has none.</summary>
    public string? Checksum { get; set; }

    /// <summary>What was asked for, below the base.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Called before each request is answered.</summary>
    public Action<string>? Before { get; set; }

    public static string Content(string path, int version) => $$$"""{"document":{"tracking":{"id":"{{{Id(path)}}}"}},"version":{{{version}}}}""";

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
    /// <param name="at">The archive's Last-Modified.</param>
    /// <param name="order">The order within the archive; upstream's is not sorted.</param>
    public void Pack(DateTimeOffset at, Random? order = null)
    {
        (string Path, string Content)[] documents = [.. Documents.Select(d => (d.Key, d.Value))];
        order?.Shuffle(documents);
        (ArchiveName, Archive, ArchiveTime) = ($"csaf_vex_{at:yyyy-MM-dd}.{++_archives}.tar.zst", MakeArchive(documents), at);
    }

    /// <summary>What the collector takes.</summary>
    public async Task<SourceSnapshot> CaptureAsync(DateTimeOffset at, SourceSnapshot? previous = null)
    {
        CollectedContent content = await new RhelVexFamily().CollectAsync(new Session(this, store, previous, at), default);
        return new SourceSnapshot
        {
            Name = "rhel-vex",
            State = CaptureState.Captured,
            CapturedAt = at,
            UpstreamModified = content.UpstreamModified,
            Updaters = content.Updaters,
            AdvisoryCount = content.AdvisoryCount,
            Files = [.. content.Files.OrderBy(f => f.Url, StringComparer.Ordinal)],
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

    private (byte[] Content, DateTimeOffset At)? Get(string name)
    {
        if (name == ArchiveName + ".sha256")
        {
            return Checksum is null ? null : (Encoding.ASCII.GetBytes(Checksum), ArchiveTime);
        }

        lock (Requests)
        {
            Before?.Invoke(name);
            Requests.Add(name);
            return name switch
            {
                "archive_latest.txt" => (Encoding.UTF8.GetBytes(ArchiveName + "\n"), ArchiveTime),
                "changes.csv" => (Rows(Changes), ArchiveTime),
                "deletions.csv" => (Rows(Deletions), ArchiveTime),
                _ when name == ArchiveName => (Archive, ArchiveTime),
                _ when Documents.TryGetValue(name, out string? document) => (Encoding.UTF8.GetBytes(document), Changes.GetValueOrDefault(name)),
                _ => null,
            };
        }
    }

    private sealed class Session(VexUpstream upstream, BlobStore store, SourceSnapshot? previous, DateTimeOffset now) : ICollectSession
    {
        public SourceDefinition Source => VexMirror.Definition;

        public SourceSelection Selection => SourceSelection.All;

        public SourceSnapshot? Previous => previous;

        public DateTimeOffset Now => now;

        public async Task<SnapshotFile> GetAsync(Uri url, CancellationToken cancellationToken) =>
            await TryGetAsync(url, cancellationToken) ?? throw new FeedException(ErrorIds.UpstreamStatus, $"{url} answered 404.", url.AbsoluteUri);

        public Task<SnapshotFile?> TryGetAsync(Uri url, CancellationToken cancellationToken)
        {
            if (upstream.Get(Name(url)) is not var (content, at))
            {
                return Task.FromResult<SnapshotFile?>(null);
            }

            string sha256 = Sha256Digest.Of(content);
            if (!store.Contains(sha256, content.Length))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(store.PathOf(sha256))!);
                File.WriteAllBytes(store.PathOf(sha256), content);
            }

            return Task.FromResult<SnapshotFile?>(new SnapshotFile
            {
                Url = url.AbsoluteUri,
                Sha256 = sha256,
                Size = content.Length,
                LastModified = at == default ? null : at,
            });
        }

        public Task<bool> ExistsAsync(Uri url, CancellationToken cancellationToken) => Task.FromResult(upstream.Get(Name(url)) is not null);

        public Task<UpstreamHead?> HeadAsync(Uri url, CancellationToken cancellationToken) =>
            Task.FromResult(upstream.Get(Name(url)) is var (content, at) ? new UpstreamHead(at, null, content.Length) : null);

        public Task<SnapshotFile> RepackAsync(SnapshotFile file, Action<Stream> write, CancellationToken cancellationToken)
        {
            using BlobWriter writer = store.CreateWriter();
            write(writer);
            (string sha256, long size) = writer.Commit(cancellationToken);
            return Task.FromResult(file with { Sha256 = sha256, Size = size, PackedFrom = new UpstreamContent(file.Sha256, file.Size) });
        }

        public Stream OpenRead(SnapshotFile file) => store.OpenRead(file.Sha256);

        public void Report(string activity, string? item = null)
        {
        }

        private static string Name(Uri url) => url.AbsoluteUri[Base.Length..];
    }
}

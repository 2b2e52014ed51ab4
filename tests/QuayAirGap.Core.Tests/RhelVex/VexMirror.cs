using System.Formats.Tar;
using System.Globalization;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Sources.RhelVex;
using QuayAirGap.Core.Store;
using Xunit;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>A mirror of this one source: publishes generations and answers what a server would. Every generation is held to the rules.</summary>
internal sealed class VexMirror(BlobStore store, string folder)
{
    public const string Prefix = "/security.access.redhat.com/data/csaf/v2/vex/";

    private static readonly RhelVexFamily s_family = new();
    private readonly Dictionary<string, DateTimeOffset> _stamps = new(StringComparer.Ordinal);

    private (string Archive, SortedDictionary<string, string> Documents) _documents = ("", []);

    public Generation? Current { get; private set; }

    public IReadOnlyList<HeldBackItem> HeldBack => Current!.HeldBack;

    public static SourceDefinition Definition => s_family.Sources[0];

    public async Task<Generation> PublishAsync(SourceSnapshot snapshot, DateTimeOffset at, bool check = true)
    {
        int number = (Current?.Number ?? 0) + 1;
        Generation next = await PublishAsync(snapshot, at, number, Current, StateOf(number), Current is null ? null : StateOf(Current.Number));
        Current = next;
        if (check)
        {
            Check();
        }

        return next;
    }

    /// <summary>The archive that a site without any history would publish of a snapshot.</summary>
    public async Task<string> ArchiveFromScratchAsync(SourceSnapshot snapshot, DateTimeOffset at)
    {
        Generation generation = await PublishAsync(snapshot, at, 1, null, Path.Combine(folder, "scratch"), null);
        return generation.Archives[0].ArchiveSha256;
    }

    public GenerationEntry? Entry(string name) => Current!.Entries.FirstOrDefault(e => e.Path == Prefix + name);

    public ArchiveMember? Member(string path) => Current!.Archives[0].Members.FirstOrDefault(m => m.Path == path);

    /// <summary>What GET answers: the content and its validators, or null for 404.</summary>
    public (byte[] Content, string ETag, DateTimeOffset? LastModified)? Get(string name)
    {
        if (Entry(name) is { } entry)
        {
            return (File.ReadAllBytes(store.PathOf(entry.Sha256)), $"\"{entry.Sha256}\"", entry.LastModified);
        }

        if (Member(name) is { } member)
        {
            using FileStream archive = store.OpenRead(Current!.Archives[0].ArchiveSha256);
            return (SeekableArchive.ReadMember(archive, member), $"\"{member.Sha256}\"", member.LastModified);
        }

        return null;
    }

    public string Text(string name) => System.Text.Encoding.UTF8.GetString(Get(name)!.Value.Content);

    public Dictionary<string, DateTimeOffset> Rows(string name)
    {
        var rows = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (string line in Text(name).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split("\",\"");
            rows.Add(fields[0][1..], DateTimeOffset.ParseExact(
                fields[1][..^1], "yyyy-MM-dd'T'HH:mm:ss+00:00", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
        }

        return rows;
    }

    /// <summary>What the archive holds, read as any client reads a .tar.zst; it must be what the table of members says.</summary>
    public SortedDictionary<string, string> Documents()
    {
        ArchiveMembers archive = Current!.Archives[0];
        if (_documents.Archive != archive.ArchiveSha256)
        {
            var documents = new SortedDictionary<string, string>(StringComparer.Ordinal);
            using var tar = new TarReader(new DecompressionStream(store.OpenRead(archive.ArchiveSha256), leaveOpen: false));
            while (tar.GetNextEntry() is { } entry)
            {
                using var content = new StreamReader(entry.DataStream!);
                documents.Add(entry.Name, content.ReadToEnd());
            }

            Assert.Equal(
                archive.Members.Select(m => (m.Path, m.Sha256)),
                documents.Select(d => (d.Key, Sha256Digest.Of(System.Text.Encoding.UTF8.GetBytes(d.Value)))));
            _documents = (archive.ArchiveSha256, documents);
        }

        return _documents.Documents;
    }

    private string StateOf(int number) => Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture));

    private async Task<Generation> PublishAsync(
        SourceSnapshot snapshot, DateTimeOffset at, int number, Generation? previous, string state, string? previousState)
    {
        at = DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());
        var publication = new Publication(Definition, snapshot, store, previous, number, at, state, previousState);
        await s_family.PublishAsync(publication, default);
        return new Generation
        {
            Number = number,
            PublishedAt = at,
            Stream = Guid.Empty,
            Sequence = number,
            HighestSequence = number,
            NewestSnapshot = at,
            SnapshotSha256 = new string('0', 64),
            Sources = [],
            Entries = [.. publication.Entries.OrderBy(e => e.Path, StringComparer.Ordinal)],
            Archives = [.. publication.Archives],
            HeldBack = [.. publication.HeldBack],
        };
    }

    /// <summary>The six rules, as far as one generation and its predecessors show them.</summary>
    private void Check()
    {
        Dictionary<string, DateTimeOffset> changes = Rows("changes.csv");
        Dictionary<string, DateTimeOffset> deletions = Rows("deletions.csv");
        string name = Text("archive_latest.txt");
        DateTimeOffset archive = Entry(name)!.LastModified!.Value;

        Assert.Equal(Current!.Archives[0].Members.Select(m => m.Path), changes.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(changes.Keys.Intersect(deletions.Keys));
        Assert.DoesNotContain('\n', name);
        Assert.All(changes.Values, stamp => Assert.True(stamp < archive));
        Assert.All(deletions.Values, stamp => Assert.True(stamp > archive));
        foreach ((string path, DateTimeOffset stamp) in changes.Concat(deletions))
        {
            Assert.True(!_stamps.TryGetValue(path, out DateTimeOffset before) || stamp >= before, $"the stamp of {path} went backwards");
            _stamps[path] = stamp;
        }

        Assert.All(_stamps.Keys, path => Assert.True(changes.ContainsKey(path) || deletions.ContainsKey(path), $"{path} vanished"));
    }
}

using Microsoft.Net.Http.Headers;
using QuayAirGap.Core;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Server.Contents;

/// <summary>One generation as it is served. Immutable: a request that holds it is not touched by a switch.</summary>
internal sealed class GenerationView
{
    private readonly BlobStore _store;
    private readonly Dictionary<string, Entry> _entries;
    private readonly MemberTable[] _tables;
    private readonly SmallContents _small = new();
    private readonly Dictionary<string, DateTimeOffset?> _capturedAt;

    private GenerationView(Generation generation, IReadOnlyList<string> tables, BlobStore store)
    {
        _store = store;
        Summary = generation with { Entries = [], HeldBack = [] };
        _capturedAt = generation.Sources.DistinctBy(s => s.Name).ToDictionary(s => s.Name, s => s.CapturedAt, StringComparer.Ordinal);
        _entries = new Dictionary<string, Entry>(generation.Entries.Count, StringComparer.Ordinal);
        foreach (GenerationEntry entry in generation.Entries)
        {
            Check(entry.Path.StartsWith('/'), $"The path '{entry.Path}' does not begin with a slash.");
            Check(Sha256Digest.IsValid(entry.Sha256) && entry.Size >= 0, $"'{entry.Path}' has no digest and size.");
            CheckContentType(entry.Path, entry.ContentType);
            Check(
                _entries.TryAdd(entry.Path, new Entry(entry.Sha256, entry.Size, entry.ContentType, string.Intern(entry.Source), entry.LastModified, entry.Validators)),
                $"'{entry.Path}' is there twice.");
        }

        _tables = [.. tables.Select(ReadTable)];
        foreach (MemberTable table in _tables)
        {
            Check(Sha256Digest.IsValid(table.ArchiveSha256), $"The archive under '{table.Prefix}' has no digest.");
            CheckContentType(table.Prefix, table.ContentType);
        }
    }

    /// <summary>The generation without its entries and tables.</summary>
    public Generation Summary { get; }

    public int Number => Summary.Number;

    public long Sequence => Summary.Sequence;

    public DateTimeOffset PublishedAt => Summary.PublishedAt;

    /// <summary>How many paths are answered with 200.</summary>
    public int Count => _entries.Count + _tables.Sum(t => t.Count);

    /// <exception cref="FeedException"><see cref="ErrorIds.GenerationDamaged"/></exception>
    public static GenerationView Load(GenerationStore generations, int number, BlobStore store)
    {
        string folder = generations.FolderOf(number);
        Generation generation = Generation.LoadIndex(folder);
        try
        {
            Check(generation.Number == number, $"It says that it is generation {generation.Number}.");
            return new GenerationView(generation, Generation.TableFiles(folder), store);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new FeedException(
                ErrorIds.GenerationDamaged, $"Generation {number} cannot be served: {e.Message}", folder,
                "Publish another one: Restore-ClairFeed, or import the newest bundle again.", e);
        }
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.BlobMissing"/> or <see cref="ErrorIds.BlobDamaged"/></exception>
    public Found? Find(string path)
    {
        if (_entries.TryGetValue(path, out Entry? entry))
        {
            return Open(entry);
        }

        foreach (MemberTable table in _tables)
        {
            if (table.Find(path) is { } member)
            {
                return Open(table, member);
            }
        }

        return _entries.ContainsKey(path + "/") ? new DirectoryWithoutSlash() : null;
    }

    private Resource Open(Entry entry)
    {
        if (_small.TryGet(entry, out Resource? kept))
        {
            return kept;
        }

        string path = _store.PathOf(entry.Sha256);
        if (entry.Size <= SmallContents.Largest)
        {
            byte[] content = Opening(entry.Sha256, path, () => SmallContents.Read(path, entry.Sha256, (int)entry.Size));
            Resource small = Describe(entry, new MemoryBody(content));
            _small.Keep(entry, small);
            return small;
        }

        FileBody body = Opening(entry.Sha256, path, () => FileBody.Open(path));
        if (body.Length != entry.Size)
        {
            long length = body.Length;
            body.Dispose();
            throw Damaged(entry.Sha256, path, $"it has {length} bytes instead of {entry.Size}", null);
        }

        return Describe(entry, body);
    }

    private Resource Describe(Entry entry, Body body) => new(body)
    {
        ContentType = entry.ContentType,
        Source = entry.Source,
        CapturedAt = _capturedAt.GetValueOrDefault(entry.Source),
        ETag = entry.Validators ? Quote(entry.Sha256) : null,
        LastModified = entry.Validators ? entry.LastModified : null,
    };

    private Resource Open(MemberTable table, Member member)
    {
        string path = _store.PathOf(table.ArchiveSha256);
        return new Resource(Opening(table.ArchiveSha256, path, () => MemberBody.Open(path, member)))
        {
            ContentType = table.ContentType,
            Source = table.Source,
            CapturedAt = _capturedAt.GetValueOrDefault(table.Source),
            ETag = Quote(Sha256Digest.ToText(member.Sha256.Span)),
            LastModified = member.LastModified,
        };
    }

    private static MemberTable ReadTable(string file)
    {
        using var reader = new ArchiveMemberReader(file);
        return new MemberTable(reader);
    }

    private static string Quote(string sha256) => $"\"{sha256}\"";

    private static T Opening<T>(string sha256, string path, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FeedException(
                ErrorIds.BlobMissing, $"The store has lost the content {sha256}.", path, "Import the newest full bundle again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw Damaged(sha256, path, e.Message, e);
        }
    }

    private static FeedException Damaged(string sha256, string path, string how, Exception? cause) => new(
        ErrorIds.BlobDamaged, $"The content {sha256} cannot be served: {how}", path, "Import the newest full bundle again.", cause);

    private static void CheckContentType(string path, string contentType) =>
        Check(MediaTypeHeaderValue.TryParse(contentType, out _), $"'{path}' has the impossible content type '{contentType}'.");

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new FormatException(otherwise);
        }
    }

    private sealed record Entry(string Sha256, long Size, string ContentType, string Source, DateTimeOffset? LastModified, bool Validators);
}

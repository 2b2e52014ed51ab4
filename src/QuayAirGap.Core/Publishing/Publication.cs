using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Publishing;

/// <summary>One source being laid out for one generation. What it collects counts only when the family has finished without an error.</summary>
internal sealed class Publication : IPublication
{
    private readonly BlobStore _store;
    private readonly string? _previousState;
    private readonly string _state;
    private readonly Dictionary<string, GenerationEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<ArchiveMembers> _archives = [];
    private readonly List<HeldBackItem> _heldBack = [];
    private readonly object _gate = new();

    /// <param name="stateFolder">The state folder of the generation being built; the source has a folder of its own in it.</param>
    /// <param name="previousStateFolder">That of the newest generation, or null.</param>
    public Publication(
        SourceDefinition definition, SourceSnapshot source, BlobStore store, Generation? previous, int generation, DateTimeOffset publishedAt,
        string stateFolder, string? previousStateFolder)
    {
        Definition = definition;
        Source = source;
        Generation = generation;
        PublishedAt = publishedAt;
        _store = store;
        _state = Path.Combine(stateFolder, definition.Name);
        _previousState = previousStateFolder is null ? null : Path.Combine(previousStateFolder, definition.Name);
        GenerationEntry[] all = [.. previous?.Entries.Where(e => e.Source == definition.Name) ?? []];

        // What the store has lost must be made anew, and not be taken over because its inputs have not changed.
        GenerationEntry[] there = [.. all.Where(e => store.Contains(e.Sha256, e.Size))];
        PreviousEntries = there.Length > 0 ? there : null;
        ArchiveMembers? members = previous?.Archives.FirstOrDefault(a => a.Source == definition.Name);
        PreviousArchiveMembers = members is not null && there.Length == all.Length && File.Exists(store.PathOf(members.ArchiveSha256)) ? members : null;
    }

    public SourceDefinition Definition { get; }

    public SourceSnapshot Source { get; }

    public DateTimeOffset PublishedAt { get; }

    public int Generation { get; }

    public IReadOnlyList<GenerationEntry>? PreviousEntries { get; }

    public ArchiveMembers? PreviousArchiveMembers { get; }

    public IEnumerable<GenerationEntry> Entries => _entries.Values;

    public IReadOnlyList<ArchiveMembers> Archives => _archives;

    public IReadOnlyList<HeldBackItem> HeldBack => _heldBack;

    public Stream OpenRead(SnapshotFile file) => _store.OpenRead(file.Sha256);

    public Stream OpenBlob(string sha256) => _store.OpenRead(sha256);

    public void AddVerbatim(SnapshotFile file, string contentType) => Keep(new GenerationEntry
    {
        Path = MirrorPath.Of(file.Url),
        Source = Definition.Name,
        Sha256 = file.Sha256,
        Size = file.Size,
        ContentType = contentType,
        LastModified = file.LastModified,
    });

    public async Task<GenerationEntry> AddDerivedAsync(
        string path, Stream content, string contentType, DateTimeOffset? lastModified, Derivation derivation, bool validators,
        CancellationToken cancellationToken)
    {
        (string sha256, long size) = await _store.AddAsync(content, cancellationToken).ConfigureAwait(false);
        return Derived(path, sha256, size, contentType, lastModified, derivation, validators);
    }

    public string AddUnserved(Action<Stream> write, CancellationToken cancellationToken)
    {
        using BlobWriter writer = _store.CreateWriter();
        write(writer);
        return writer.Commit(cancellationToken).Sha256;
    }

    public IDerivedWriter CreateDerived() => new DerivedWriter(this, _store.CreateWriter());

    public void Keep(GenerationEntry entry)
    {
        if (!entry.Path.StartsWith('/') || entry.Source != Definition.Name)
        {
            throw new ArgumentException($"'{entry.Path}' does not belong to {Definition.Name}.", nameof(entry));
        }

        lock (_gate)
        {
            if (!_entries.TryAdd(entry.Path, entry))
            {
                throw new ArgumentException($"'{entry.Path}' is published twice.", nameof(entry));
            }
        }
    }

    public void AddArchiveMembers(ArchiveMembers members)
    {
        lock (_gate)
        {
            _archives.Add(members);
        }
    }

    public void HoldBack(string item, string reason)
    {
        lock (_gate)
        {
            _heldBack.Add(new HeldBackItem(Definition.Name, item, reason));
        }
    }

    public Stream? OpenPreviousState(string name)
    {
        string? path = _previousState is null ? null : Path.Combine(_previousState, name);
        return path is not null && File.Exists(path) ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16) : null;
    }

    public Stream CreateState(string name)
    {
        Directory.CreateDirectory(_state);
        string path = Path.Combine(_state, name);
        Durable.Wrote(path);
        return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
    }

    /// <summary>
    /// Carries the newest generation's private files over, where this generation does not publish the source anew: a feed that is
    /// deselected and selected again must still know what it ever told a Clair.
    /// </summary>
    public void CarryStateOver()
    {
        if (Directory.Exists(_state))
        {
            Directory.Delete(_state, recursive: true);
        }

        if (_previousState is null || !Directory.Exists(_previousState))
        {
            return;
        }

        Directory.CreateDirectory(_state);
        foreach (string file in Directory.GetFiles(_previousState))
        {
            string copy = Path.Combine(_state, Path.GetFileName(file));
            File.Copy(file, copy);
            Durable.Wrote(copy);
        }
    }

    private GenerationEntry Derived(
        string path, string sha256, long size, string contentType, DateTimeOffset? lastModified, Derivation derivation, bool validators)
    {
        var entry = new GenerationEntry
        {
            Path = path,
            Source = Definition.Name,
            Sha256 = sha256,
            Size = size,
            ContentType = contentType,
            LastModified = lastModified,
            Validators = validators,
            Derivation = derivation,
        };
        Keep(entry);
        return entry;
    }

    private sealed class DerivedWriter(Publication publication, BlobWriter writer) : IDerivedWriter
    {
        public Stream Stream => writer;

        public Task<GenerationEntry> CompleteAsync(
            string path, string contentType, DateTimeOffset? lastModified, Derivation derivation, CancellationToken cancellationToken)
        {
            (string sha256, long size) = writer.Commit(cancellationToken);
            return Task.FromResult(publication.Derived(path, sha256, size, contentType, lastModified, derivation, validators: true));
        }

        public ValueTask DisposeAsync() => writer.DisposeAsync();
    }
}

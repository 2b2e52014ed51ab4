namespace QuayAirGap.TestKit.Upstream;

/// <summary>What the upstream holds: the layers' files with everything replaced or removed since, and the folders they imply.</summary>
internal sealed class UpstreamTree
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PendingChange> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<UpstreamFile>> _restless = new(StringComparer.Ordinal);
    private Dictionary<string, UpstreamFile> _files = new(StringComparer.Ordinal);
    private HashSet<string> _folders = new(StringComparer.Ordinal);

    public void SetLayers(IReadOnlyList<UpstreamLayer> layers)
    {
        var files = new Dictionary<string, UpstreamFile>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            foreach (var folder in Directory.EnumerateDirectories(layer.Folder, "*", SearchOption.AllDirectories))
            {
                folders.Add(Key(layer, folder));
            }

            foreach (var path in Directory.EnumerateFiles(layer.Folder, "*", SearchOption.AllDirectories))
            {
                var key = Key(layer, path);
                files.TryAdd(key, new UpstreamFile(path, layer.Times.TryGetValue(key, out var time) ? time : layer.LastModified));
            }
        }

        lock (_gate)
        {
            _files = files;
            _folders = folders;
            _pending.Clear();
            _restless.Clear();
        }
    }

    public bool HasHost(string host)
    {
        lock (_gate)
        {
            return _folders.Contains(host);
        }
    }

    public bool HasFolder(string hostPath)
    {
        lock (_gate)
        {
            return _folders.Contains(hostPath);
        }
    }

    public UpstreamFile? Find(string hostPath)
    {
        lock (_gate)
        {
            return _files.GetValueOrDefault(hostPath);
        }
    }

    /// <summary>As <see cref="Find"/>, and counts as one of the hits that a pending change waits for.</summary>
    public UpstreamFile? Take(string hostPath)
    {
        lock (_gate)
        {
            if (_pending.TryGetValue(hostPath, out var pending) && pending.HitsLeft-- <= 0)
            {
                _pending.Remove(hostPath);
                Put(hostPath, pending.File);
            }

            if (_restless.TryGetValue(hostPath, out var next))
            {
                Put(hostPath, next());
            }

            return _files.GetValueOrDefault(hostPath);
        }
    }

    public void ReplaceAtEachHit(string hostPath, Func<UpstreamFile> next)
    {
        lock (_gate)
        {
            _restless[hostPath] = next;
        }
    }

    public void Replace(string hostPath, UpstreamFile file)
    {
        lock (_gate)
        {
            _pending.Remove(hostPath);
            Put(hostPath, file);
        }
    }

    public void ReplaceAfter(string hostPath, int hits, UpstreamFile file)
    {
        lock (_gate)
        {
            _pending[hostPath] = new PendingChange(file, hits);
        }
    }

    public void Touch(string hostPath, DateTimeOffset lastModified)
    {
        lock (_gate)
        {
            _files[hostPath] = Require(hostPath).At(lastModified);
        }
    }

    public void Remove(string hostPath)
    {
        lock (_gate)
        {
            _ = Require(hostPath);
            _files.Remove(hostPath);
            _pending.Remove(hostPath);
        }
    }

    public void AddFolder(string hostPath)
    {
        lock (_gate)
        {
            PutFolders(hostPath);
        }
    }

    public void RemoveFolder(string hostPath)
    {
        lock (_gate)
        {
            var inside = hostPath + "/";
            foreach (var key in _files.Keys.Where(k => k.StartsWith(inside, StringComparison.Ordinal)).ToArray())
            {
                _files.Remove(key);
            }

            foreach (var key in _folders.Where(k => k == hostPath || k.StartsWith(inside, StringComparison.Ordinal)).ToArray())
            {
                _folders.Remove(key);
            }
        }
    }

    /// <summary>Names of the files and folders (with a trailing slash) in a folder, in ordinal order.</summary>
    public IReadOnlyList<ListingEntry> List(string folder)
    {
        lock (_gate)
        {
            var inside = folder + "/";
            var folders = Children(_folders, inside).Select(name => new ListingEntry(name + "/", null));
            var files = Children(_files.Keys, inside).Select(name => new ListingEntry(name, _files[inside + name]));
            return [.. folders.Concat(files).OrderBy(e => e.Name, StringComparer.Ordinal)];
        }
    }

    private static IEnumerable<string> Children(IEnumerable<string> keys, string inside) => keys
        .Where(k => k.StartsWith(inside, StringComparison.Ordinal) && k.IndexOf('/', inside.Length) < 0)
        .Select(k => k[inside.Length..]);

    private static string Key(UpstreamLayer layer, string path) =>
        Path.GetRelativePath(layer.Folder, path).Replace(Path.DirectorySeparatorChar, '/');

    private UpstreamFile Require(string hostPath) =>
        _files.GetValueOrDefault(hostPath) ?? throw new FileNotFoundException($"The upstream has no '{hostPath}'.", hostPath);

    private void Put(string hostPath, UpstreamFile file)
    {
        _files[hostPath] = file;
        if (hostPath.LastIndexOf('/') is > 0 and var slash)
        {
            PutFolders(hostPath[..slash]);
        }
    }

    private void PutFolders(string folder)
    {
        for (var end = folder.IndexOf('/', StringComparison.Ordinal); end > 0; end = folder.IndexOf('/', end + 1))
        {
            _folders.Add(folder[..end]);
        }

        _folders.Add(folder);
    }

    private sealed class PendingChange(UpstreamFile file, int hits)
    {
        public UpstreamFile File { get; } = file;

        public int HitsLeft { get; set; } = hits;
    }
}

/// <summary>One line of a directory listing; folders end in a slash and have no file.</summary>
internal sealed record ListingEntry(string Name, UpstreamFile? File);

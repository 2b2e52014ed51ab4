namespace QuayAirGap.Server.Contents;

/// <summary>
/// From a requested path to a file below a folder. Each name is looked at on its way down, so that neither dots nor links nor the file
/// system's own leniency (letter case, trailing dots, streams) ever lead out of the folder or give one file two addresses.
/// </summary>
internal sealed class FolderPath
{
    private const int MostLinks = 40;

    private readonly string _root;

    /// <param name="root">An absolute path.</param>
    public FolderPath(string root) => _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    /// <summary>What is at a path like "/host/dir/file" (no slash at the end), or null.</summary>
    public FileSystemInfo? Resolve(string path)
    {
        string[] names = path.Split('/', StringSplitOptions.None);
        if (names is ["", ""] or [""])
        {
            return new DirectoryInfo(_root);
        }

        if (names[0].Length > 0 || names.Skip(1).Any(n => !IsName(n)))
        {
            return null;
        }

        var waiting = new Stack<string>(names.Skip(1).Reverse());
        var below = new List<string>();
        int links = 0;
        while (waiting.TryPop(out string? name))
        {
            if (name == "..")
            {
                // Out of a link's target: the request itself cannot contain it.
                if (below.Count == 0)
                {
                    return null;
                }

                below.RemoveAt(below.Count - 1);
                continue;
            }

            FileSystemInfo? child = Child(below, name);
            if (child is null || (child is FileInfo && waiting.Count > 0 && child.LinkTarget is null))
            {
                return null;
            }

            if (child.LinkTarget is not { } target)
            {
                below.Add(name);
                continue;
            }

            if (++links > MostLinks || NamesOf(target, below) is not { } steps)
            {
                return null;
            }

            foreach (string step in Enumerable.Reverse(steps))
            {
                waiting.Push(step);
            }
        }

        string found = below.Aggregate(_root, Path.Combine);
        return Directory.Exists(found) ? new DirectoryInfo(found) : File.Exists(found) ? new FileInfo(found) : null;
    }

    private static bool IsName(string name) =>
        name is not ("" or "." or "..")
        && name.AsSpan().IndexOfAny('\\', '\0') < 0
        && (!OperatingSystem.IsWindows() || (name.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) < 0 && name[^1] is not ('.' or ' ')));

    private FileSystemInfo? Child(List<string> below, string name)
    {
        string folder = below.Aggregate(_root, Path.Combine);
        string path = Path.Combine(folder, name);
        FileSystemInfo child = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        if (!child.Exists && child.LinkTarget is null)
        {
            return null;
        }

        // Where the file system knows no letter case, the names of the folder decide, as they would on an upstream's server.
        return OperatingSystem.IsLinux()
            || Directory.EnumerateFileSystemEntries(folder, name).Any(e => Path.GetFileName(e).Equals(name, StringComparison.Ordinal))
            ? child
            : null;
    }

    /// <summary>The steps of a link's target; for an absolute one inside the folder, from the folder. Null: it leads out.</summary>
    private List<string>? NamesOf(string target, List<string> below)
    {
        if (Path.IsPathRooted(target))
        {
            string inside = Path.GetRelativePath(_root, target);
            if (Path.IsPathRooted(inside))
            {
                return null;
            }

            target = inside;
            below.Clear();
        }

        return [.. target.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar]).Where(n => n is not ("" or "."))];
    }
}

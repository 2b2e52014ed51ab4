namespace QuayAirGap.TestKit.Clair.Go;

/// <summary>Go's <c>path</c> package, as far as the updaters use it.</summary>
internal static class GoPath
{
    /// <summary>The shortest equivalent path; "." for an empty one.</summary>
    public static string Clean(string path)
    {
        var rooted = path.StartsWith('/');
        var segments = new List<string>();
        foreach (var segment in path.Split('/'))
        {
            if (segment == ".." && segments.Count > 0 && segments[^1] != "..")
            {
                segments.RemoveAt(segments.Count - 1);
            }
            else if (segment.Length > 0 && segment != "." && !(segment == ".." && rooted))
            {
                segments.Add(segment);
            }
        }

        var cleaned = (rooted ? "/" : string.Empty) + string.Join('/', segments);
        return cleaned.Length == 0 ? "." : cleaned;
    }

    /// <summary>The parts with slashes between, cleaned; empty parts do not count.</summary>
    public static string Join(params string[] parts)
    {
        var filled = parts.Where(part => part.Length > 0).ToArray();
        return filled.Length == 0 ? string.Empty : Clean(string.Join('/', filled));
    }

    /// <summary>Everything but the last segment, cleaned.</summary>
    public static string Dir(string path) => Clean(path[..(path.LastIndexOf('/') + 1)]);

    /// <summary>The last segment.</summary>
    public static string Base(string path)
    {
        if (path.Length == 0)
        {
            return ".";
        }

        var trimmed = path.TrimEnd('/');
        return trimmed.Length == 0 ? "/" : trimmed[(trimmed.LastIndexOf('/') + 1)..];
    }
}

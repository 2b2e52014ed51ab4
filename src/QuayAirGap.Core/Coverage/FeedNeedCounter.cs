namespace QuayAirGap.Core.Coverage;

/// <summary>Adds up what images need. Not for concurrent use.</summary>
public sealed class FeedNeedCounter
{
    private readonly SortedDictionary<string, (SortedSet<string> Images, SortedDictionary<string, SortedSet<string>> Parts)> _sources = new(StringComparer.Ordinal);
    private readonly HashSet<string> _images = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unindexed = new(StringComparer.Ordinal);

    /// <summary>Of how many nothing is known.</summary>
    public int Unindexed => _unindexed.Count;

    public int Images => _images.Count;

    /// <param name="image">Its name; an image that comes twice counts once.</param>
    /// <param name="isIndexed">Whether its needs are known.</param>
    /// <param name="needs">Sources, and parts of them or null.</param>
    public void Add(string image, bool isIndexed, IEnumerable<(string Source, string? Part)> needs)
    {
        _images.Add(image);
        if (!isIndexed)
        {
            _unindexed.Add(image);
        }

        foreach ((string source, string? part) in needs)
        {
            if (!_sources.TryGetValue(source, out (SortedSet<string> Images, SortedDictionary<string, SortedSet<string>> Parts) known))
            {
                _sources[source] = known = (new SortedSet<string>(StringComparer.Ordinal), new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal));
            }

            known.Images.Add(image);
            if (part is not null)
            {
                if (!known.Parts.TryGetValue(part, out SortedSet<string>? images))
                {
                    known.Parts[part] = images = new SortedSet<string>(StringComparer.Ordinal);
                }

                images.Add(image);
            }
        }
    }

    /// <param name="now">UTC.</param>
    /// <param name="clairRelease">By whose rules the needs were found.</param>
    /// <param name="withNames">Whether images are named.</param>
    public FeedNeedList List(DateTimeOffset now, string clairRelease, bool withNames) => new()
    {
        Created = now,
        ClairRelease = clairRelease,
        Images = _images.Count,
        Unindexed = _unindexed.Count,
        Sources =
        [
            .. _sources.Select(s => new NeededSource(
                s.Key, s.Value.Images.Count,
                [.. s.Value.Parts.Select(p => new NeededPart(p.Key, p.Value.Count) { ImageNames = withNames ? [.. p.Value] : null })])
            {
                ImageNames = withNames ? [.. s.Value.Images] : null,
            }),
        ],
    };
}

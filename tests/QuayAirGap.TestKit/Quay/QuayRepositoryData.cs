namespace QuayAirGap.TestKit.Quay;

/// <summary>A repository as a <see cref="QuayServer"/> has it.</summary>
public sealed class QuayRepositoryData(string @namespace, string name)
{
    public string Namespace { get; } = @namespace;

    public string Name { get; } = name;

    /// <summary>As Quay's enum names it: NORMAL, READ_ONLY, MIRROR, ORG_MIRROR.</summary>
    public string State { get; set; } = "NORMAL";

    public bool IsPublic { get; set; }

    /// <summary>Newest first, as Quay lists them.</summary>
    public List<(string Name, string Digest)> Tags { get; } = [];

    public Dictionary<string, QuayManifestData> Manifests { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds an image of one platform.</summary>
    public QuayRepositoryData Image(string digest, params string[] tags)
    {
        Manifests[digest] = new QuayManifestData(digest, IsList: false, """{"schemaVersion":2}""", []);
        Tags.AddRange(tags.Select(t => (t, digest)));
        return this;
    }

    /// <summary>Says when an image that was added was tagged, and when its layers say that they were made, base first; null for one that does not.</summary>
    public QuayRepositoryData Dated(string digest, DateTimeOffset taggedAt, params DateTimeOffset?[] layers)
    {
        Manifests[digest].TaggedAt = taggedAt;
        Manifests[digest].LayersCreatedAt = layers;
        return this;
    }

    /// <summary>Adds a list; its images are known only where they were added too.</summary>
    /// <param name="digest">Of the list.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="entries">The JSON text of each entry of "manifests".</param>
    /// <param name="children">Their digests.</param>
    public QuayRepositoryData List(string digest, string tag, string[] entries, string[] children)
    {
        string text = $$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{string.Join(',', entries)}}]}""";
        Manifests[digest] = new QuayManifestData(digest, IsList: true, text, children);
        if (tag.Length > 0)
        {
            Tags.Add((tag, digest));
        }

        return this;
    }
}

/// <param name="Digest">"sha256:…".</param>
/// <param name="IsList">Whether it is a list.</param>
/// <param name="Text">The manifest itself.</param>
/// <param name="Children">Of a list.</param>
public sealed record QuayManifestData(string Digest, bool IsList, string Text, IReadOnlyList<string> Children)
{
    public List<QuayLabelData> Labels { get; } = [];

    public DateTimeOffset TaggedAt { get; set; } = DateTimeOffset.FromUnixTimeSeconds(1_760_000_000);

    public IReadOnlyList<DateTimeOffset?> LayersCreatedAt { get; set; } = [];
}

/// <summary>A label, with "api" or "manifest" as its source.</summary>
public sealed record QuayLabelData(string Id, string Key, string Value, string Source, string MediaType);

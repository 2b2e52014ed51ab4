namespace QuayAirGap.Core.Quay.Api;

/// <summary>An organisation, or a user with repositories of their own.</summary>
/// <param name="Name">As it stands before the first slash of an image's name.</param>
/// <param name="IsMember">
/// Whether the token's user is, or belongs to, it. Of any other one Quay lists the public repositories alone, unless its superusers have full access, and
/// does not say that there are more.
/// </param>
public sealed record QuayNamespace(string Name, bool IsMember);

/// <summary>A repository of images.</summary>
/// <param name="Namespace">The organisation or user.</param>
/// <param name="Name">May have slashes in it.</param>
/// <param name="State">"NORMAL", "MIRROR", "READ_ONLY", …; null where Quay does not say.</param>
public sealed record QuayRepository(string Namespace, string Name, string? State);

/// <summary>A living tag.</summary>
/// <param name="Name">Without the repository.</param>
/// <param name="ManifestDigest">"sha256:…".</param>
/// <param name="IsManifestList">Whether it names images of several platforms.</param>
/// <param name="Children">Of a list, which of its images this Quay has; null where Quay does not say (before 3.17).</param>
public sealed record QuayTag(string Name, string ManifestDigest, bool IsManifestList, IReadOnlyDictionary<string, bool>? Children)
{
    /// <summary>Since when it names this manifest, UTC; null where Quay does not say.</summary>
    public DateTimeOffset? StartedAt { get; init; }
}

/// <summary>A manifest, as far as it matters here.</summary>
/// <param name="Digest">"sha256:…".</param>
/// <param name="ConfigMediaType">What kind of thing it is; null for a list.</param>
/// <param name="Children">Of a list, the manifests of its images, without attestations; null for a single image.</param>
public sealed record QuayManifest(string Digest, string? ConfigMediaType, IReadOnlyList<QuayChild>? Children)
{
    /// <summary>
    /// The newest time that the image's own history tells of a layer, UTC; null for a list, and where it tells none. Whoever builds an image
    /// may write there what they like: reproducible builds write the time of the sources, or 1970.
    /// </summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>An image of a list.</summary>
/// <param name="Digest">"sha256:…".</param>
/// <param name="Platform">"linux/arm64/v8"; null where the list does not say.</param>
public sealed record QuayChild(string Digest, string? Platform);

/// <summary>An image: what Clair has a report of. An image of several platforms is as many of them.</summary>
/// <param name="Namespace">The organisation or user.</param>
/// <param name="Repository">May have slashes in it.</param>
/// <param name="Tags">All living tags that lead to it, directly or by a list; sorted.</param>
/// <param name="ManifestDigest">"sha256:…"; never that of a list.</param>
public sealed record QuayImage(string Namespace, string Repository, IReadOnlyList<string> Tags, string ManifestDigest)
{
    /// <summary>"linux/arm64/v8"; null for an image of one platform.</summary>
    public string? Platform { get; init; }

    /// <summary>As <see cref="QuayRepository.State"/>.</summary>
    public string? RepositoryState { get; init; }

    /// <summary>Since when the oldest of its tags has named it, UTC: it was made before that. Null where Quay does not say.</summary>
    public DateTimeOffset? TaggedAt { get; init; }
}

/// <summary>A label of a manifest.</summary>
/// <param name="Id">For removing it.</param>
/// <param name="Key">Not unique: a manifest can have several labels with one key.</param>
/// <param name="Value">Any text.</param>
/// <param name="IsMutable">False for those that are written in the image itself.</param>
public sealed record QuayLabel(string Id, string Key, string Value, bool IsMutable);

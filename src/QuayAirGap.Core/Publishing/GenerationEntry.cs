namespace QuayAirGap.Core.Publishing;

/// <summary>How derived content came to be.</summary>
/// <param name="Rule">The rule's name, e.g. "rhel-vex.changes".</param>
/// <param name="Inputs">What it was made from: canonical URLs of verified files, or "generation N" for the previous publication.</param>
public sealed record Derivation(string Rule, IReadOnlyList<string> Inputs);

/// <summary>One path that the mirror answers with 200.</summary>
public sealed record GenerationEntry
{
    /// <summary>"/" + host + path as a client asks for it, percent-decoded. Ends in a slash for a directory.</summary>
    public required string Path { get; init; }

    /// <summary>The source that it belongs to.</summary>
    public required string Source { get; init; }

    /// <summary>SHA-256 of the content: the blob's name in the store, and the ETag.</summary>
    public required string Sha256 { get; init; }

    public required long Size { get; init; }

    public required string ContentType { get; init; }

    /// <summary>UTC, whole seconds.</summary>
    public DateTimeOffset? LastModified { get; init; }

    /// <summary>False: send neither ETag nor Last-Modified (OSV's list of ecosystems freezes Clair otherwise).</summary>
    public bool Validators { get; init; } = true;

    /// <summary>Null: verbatim upstream bytes.</summary>
    public Derivation? Derivation { get; init; }
}

/// <summary>
/// Documents that are served one by one out of a seekable archive, so that tens of thousands of them need no file of their own.
/// The table is a text file beside the index, one line a document, ordered by path.
/// </summary>
public sealed record ArchiveMembers
{
    public required string Source { get; init; }

    /// <summary>What stands before each member's path: "/security.access.redhat.com/data/csaf/v2/vex/".</summary>
    public required string PathPrefix { get; init; }

    /// <summary>The archive's blob.</summary>
    public required string ArchiveSha256 { get; init; }

    public required string ContentType { get; init; }

    /// <summary>Ordered by path, ordinal.</summary>
    public required IReadOnlyList<ArchiveMember> Members { get; init; }
}

/// <summary>One document inside a seekable archive: a run of zstd frames of which each can be read alone.</summary>
/// <param name="Path">Relative to <see cref="ArchiveMembers.PathPrefix"/>: "2024/cve-2024-1234.json".</param>
/// <param name="Sha256">Of the document.</param>
/// <param name="Size">Bytes of the document.</param>
/// <param name="FrameOffset">Where its frame begins in the archive.</param>
/// <param name="FrameLength">Compressed bytes of that frame.</param>
/// <param name="Skip">Bytes before the document within the unpacked frame.</param>
/// <param name="LastModified">UTC, whole seconds.</param>
public sealed record ArchiveMember(
    string Path, string Sha256, long Size, long FrameOffset, long FrameLength, long Skip, DateTimeOffset? LastModified);

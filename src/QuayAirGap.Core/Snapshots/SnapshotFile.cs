namespace QuayAirGap.Core.Snapshots;

/// <summary>One file as the upstream published it.</summary>
public sealed record SnapshotFile
{
    /// <summary>The canonical URL, escaped as on the wire.</summary>
    public required string Url { get; init; }

    /// <summary>SHA-256 of the content, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The upstream's Last-Modified, UTC, whole seconds.</summary>
    public DateTimeOffset? LastModified { get; init; }

    /// <summary>The upstream's ETag as sent, quotes and weak prefix included.</summary>
    public string? ETag { get; init; }

    public string? ContentType { get; init; }

    /// <summary>
    /// How this capture had it: 200 whole, 206 resumed after a broken connection, 304 confirmed; null where it was not asked for, because
    /// what upstream lists of it has not changed.
    /// </summary>
    public int? Status { get; init; }

    /// <summary>
    /// What upstream published, where the collector has packed its documents anew because no site could open them one at a time;
    /// <see cref="Sha256"/> and <see cref="Size"/> are then of what it packed. Null where the content is upstream's own.
    /// </summary>
    public UpstreamContent? PackedFrom { get; init; }
}

/// <summary>A content as the upstream published it.</summary>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
/// <param name="Size">Bytes.</param>
public sealed record UpstreamContent(string Sha256, long Size);

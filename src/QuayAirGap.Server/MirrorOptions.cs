using Microsoft.Extensions.Logging;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Server;

/// <summary>What a mirror serves, and where. Exactly one of <see cref="Site"/> and <see cref="Folder"/> is given.</summary>
public sealed record MirrorOptions
{
    /// <summary>Serves the site's current generation.</summary>
    public Site? Site { get; init; }

    /// <summary>Serves a folder laid out host/path, as a stand-in for the upstreams. An absolute path.</summary>
    public string? Folder { get; init; }

    /// <summary>With <see cref="Folder"/>: the Last-Modified of every file, UTC; null for the files' own times.</summary>
    public DateTimeOffset? FolderLastModified { get; init; }

    /// <summary>Addresses to listen at, "http://127.0.0.1:8080"; port 0 takes a free one.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8080"];

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Gets one line a request; null for none. Not disposed.</summary>
    public TextWriter? AccessLog { get; init; }

    /// <summary>Gets what an operator must know: switches of generation, missing content. Null for nowhere.</summary>
    public ILoggerProvider? Log { get; init; }
}

using System.Globalization;
using QuayAirGap.Core.Publishing;

namespace QuayAirGap.Server.Contents;

/// <summary>What a mirror serves.</summary>
internal interface IMirrorContent
{
    /// <summary>Looks whether there is something newer to serve, where it is time to; finding something does so too.</summary>
    ValueTask LookAsync(CancellationToken cancellationToken);

    /// <summary>Whether there is something to serve.</summary>
    bool IsReady { get; }

    /// <summary>The generation that is served, without its entries; null where there is none.</summary>
    Generation? Published { get; }

    /// <summary>Loads what there is before the first request.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>
    /// What is at exactly this path (percent-decoded, case-sensitive), or null. Everything found by one call comes from one state of
    /// the content, however long the caller takes to send it.
    /// </summary>
    ValueTask<Found?> FindAsync(string path, CancellationToken cancellationToken);
}

/// <summary>The answer to a path.</summary>
internal abstract class Found : IDisposable
{
    public abstract void Dispose();
}

/// <summary>There is a directory of that name: it is asked for with a slash at the end.</summary>
internal sealed class DirectoryWithoutSlash : Found
{
    public override void Dispose()
    {
    }
}

/// <summary>Content to send. Opened already, so that content that is missing is known before the first byte of an answer.</summary>
internal sealed class Resource(Body body) : Found
{
    public Body Body => body;

    public required string ContentType { get; init; }

    /// <summary>The source that it belongs to; empty where nobody knows.</summary>
    public string Source { get; init; } = "";

    /// <summary>The strong entity tag with its quotes. Null: none is sent.</summary>
    public string? ETag { get; init; }

    /// <summary>UTC, whole seconds. Null: none is sent.</summary>
    public DateTimeOffset? LastModified { get; init; }

    /// <summary>The same as its header has it.</summary>
    public string? LastModifiedText => field ??= LastModified?.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>When the source was last confirmed against its upstream, UTC; null where that is not known.</summary>
    public DateTimeOffset? CapturedAt { get; init; }

    /// <summary>Without validators no conditional request can be honoured.</summary>
    public bool HasValidators => ETag is not null || LastModified is not null;

    public override void Dispose() => body.Dispose();
}

using System.Globalization;

namespace QuayAirGap.TestKit.Upstream;

/// <summary>One way for an upstream to misbehave. Hand it to <see cref="UpstreamServer.AddFault"/>.</summary>
public sealed record UpstreamFault
{
    private UpstreamFault()
    {
    }

    internal TimeSpan DelayTime { get; private init; }

    internal int? StatusCode { get; private init; }

    internal string? RetryAfter { get; private init; }

    internal string? Location { get; private init; }

    internal bool DropsConnection { get; private init; }

    internal int? BytesPerSecond { get; private init; }

    internal long? StallAt { get; private init; }

    internal long? CutAt { get; private init; }

    internal long LengthError { get; private init; }

    internal bool Answers => StatusCode is not null || DropsConnection;

    internal bool ShapesBody => BytesPerSecond is not null || StallAt is not null || CutAt is not null || LengthError != 0;

    /// <summary>Waits before anything is answered.</summary>
    public static UpstreamFault Delay(TimeSpan time) => new() { DelayTime = time };

    /// <summary>Sends the body in small pieces at the given rate.</summary>
    public static UpstreamFault Trickle(int bytesPerSecond) => new() { BytesPerSecond = bytesPerSecond };

    /// <summary>Sends this many bytes of the body, then nothing more, with the connection left open until the client gives up.</summary>
    public static UpstreamFault Stall(long afterBytes) => new() { StallAt = afterBytes };

    /// <summary>Sends exactly this many bytes of the body, then closes the connection.</summary>
    public static UpstreamFault CutOff(long afterBytes) => new() { CutAt = afterBytes };

    /// <summary>Aborts the connection before anything is answered.</summary>
    public static UpstreamFault Drop() => new() { DropsConnection = true };

    /// <summary>Answers with a status and a short HTML page, whatever is there.</summary>
    /// <param name="status">For example 403, 404, 429, 500 or 503.</param>
    /// <param name="retryAfter">Sent as Retry-After in whole seconds.</param>
    public static UpstreamFault Status(int status, TimeSpan? retryAfter = null) => new()
    {
        StatusCode = status,
        RetryAfter = retryAfter is { } time ? ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture) : null,
    };

    /// <summary>Answers with a status, and Retry-After in its other form, a date.</summary>
    public static UpstreamFault Status(int status, DateTimeOffset retryAfter) => new()
    {
        StatusCode = status,
        RetryAfter = retryAfter.ToUniversalTime().ToString("R", CultureInfo.InvariantCulture),
    };

    /// <summary>Answers with a redirect.</summary>
    /// <param name="location">Sent verbatim as Location: relative or absolute.</param>
    /// <param name="status">301, 302, 303, 307 or 308.</param>
    public static UpstreamFault Redirect(string location, int status = 302) => new() { StatusCode = status, Location = location };

    /// <summary>Announces more bytes than it sends, then closes the connection.</summary>
    public static UpstreamFault BodyShorterThanItsLength(int missing) => new() { LengthError = missing };

    /// <summary>
    /// Announces fewer bytes than it sends: a client that trusts Content-Length takes a truncated file for a whole one.
    /// </summary>
    public static UpstreamFault BodyLongerThanItsLength(int surplus) => new() { LengthError = -surplus };
}

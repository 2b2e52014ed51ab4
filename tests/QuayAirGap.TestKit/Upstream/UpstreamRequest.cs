namespace QuayAirGap.TestKit.Upstream;

/// <summary>One request as it arrived, and what it was given.</summary>
public sealed class UpstreamRequest
{
    private long _bytesSent;
    private int _status;

    internal UpstreamRequest(string method, string hostPath, string target, IReadOnlyDictionary<string, string> headers)
    {
        Method = method;
        HostPath = hostPath;
        Target = target;
        Headers = headers;
    }

    /// <summary>GET, HEAD, …</summary>
    public string Method { get; }

    /// <summary><c>host/path</c> in the upstream's terms, decoded, whichever of the two forms the client used.</summary>
    public string HostPath { get; }

    /// <summary>The host part of <see cref="HostPath"/>.</summary>
    public string Host => HostPath.Split('/', 2)[0];

    /// <summary>The path part of <see cref="HostPath"/>, without a leading slash.</summary>
    public string Path => HostPath.Split('/', 2) is [_, var path] ? path : string.Empty;

    /// <summary>The request target exactly as sent: not decoded, with its query.</summary>
    public string Target { get; }

    /// <summary>The request's headers; names compare without case, several values are joined with <c>", "</c>.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>The status answered, or 0 where the connection was dropped before one.</summary>
    public int Status
    {
        get => Volatile.Read(ref _status);
        internal set => Volatile.Write(ref _status, value);
    }

    /// <summary>Bytes of the body (as encoded) that were handed to the connection. Complete once the client has the whole answer.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    internal void CountSent(int bytes) => Interlocked.Add(ref _bytesSent, bytes);

    /// <summary>A request's header, or null.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <inheritdoc/>
    public override string ToString() => $"{Method} {HostPath} -> {Status}";
}

using System.Collections.Concurrent;

namespace QuayAirGap.Server.Http;

/// <summary>Requests and bytes since the mirror started, by door, source and status.</summary>
internal sealed class RequestCounter
{
    private readonly ConcurrentDictionary<(string Door, string Source, int Status), Count> _counts = new();

    public void Add(string door, string source, int status, long bytes)
    {
        Count count = _counts.GetOrAdd((door, source, status), static _ => new Count());
        Interlocked.Increment(ref count.Requests);
        Interlocked.Add(ref count.Bytes, bytes);
    }

    public IEnumerable<(string Door, string Source, int Status, long Requests, long Bytes)> All() =>
        _counts.OrderBy(c => c.Key).Select(c => (c.Key.Door, c.Key.Source, c.Key.Status, Interlocked.Read(ref c.Value.Requests), Interlocked.Read(ref c.Value.Bytes)));

    private sealed class Count
    {
        public long Requests;
        public long Bytes;
    }
}

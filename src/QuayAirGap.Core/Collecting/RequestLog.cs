using System.Collections.Concurrent;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Collecting;

/// <summary>Every request of one source's capture: how each file was had, and what else was asked. Safe for parallel use.</summary>
internal sealed class RequestLog
{
    private const int LongestUrl = 4096;

    private readonly object _gate = new();
    private readonly List<RequestEvidence> _others = [];
    private readonly ConcurrentDictionary<string, (int Status, Uri Address)> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private int _omitted;

    public IReadOnlyList<RequestEvidence> Others
    {
        get
        {
            lock (_gate)
            {
                return [.. _others];
            }
        }
    }

    public int Omitted
    {
        get
        {
            lock (_gate)
            {
                return _omitted;
            }
        }
    }

    /// <summary>The hosts that were asked.</summary>
    public IEnumerable<string> Hosts => _hosts.Keys;

    /// <param name="url">The canonical URL.</param>
    /// <returns>200, 206, 304, or null where it was not asked for.</returns>
    public int? StatusOf(string url) => _files.TryGetValue(url, out (int Status, Uri) file) ? file.Status : null;

    /// <summary>Names the files that were had and are no part of the capture, such as a listing that was only read.</summary>
    public void NameOthers(IEnumerable<SnapshotFile> captured)
    {
        HashSet<string> known = [.. captured.Select(f => f.Url)];
        foreach ((string url, (int status, Uri address)) in _files.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            if (!known.Contains(url))
            {
                Asked(HttpMethod.Get, address, status);
            }
        }
    }

    /// <summary>A file that was had. A later look at the same one that finds it unchanged does not make it an unchanged one.</summary>
    public void Had(string url, Uri address, int status)
    {
        _hosts[address.Host] = true;
        _files.AddOrUpdate(url, (status, address), (_, before) => status == 304 ? before : (status, address));
    }

    public void Asked(HttpMethod method, Uri address, int status, string? etag = null, DateTimeOffset? lastModified = null, string? error = null)
    {
        _hosts[address.Host] = true;
        string url = address.AbsoluteUri;
        lock (_gate)
        {
            if (_others.Count < SourceSnapshot.MaxEvidence && url.Length <= LongestUrl)
            {
                _others.Add(new RequestEvidence(method.Method, url, status, IsHeader(etag) ? etag : null, lastModified, error));
            }
            else
            {
                _omitted++;
            }
        }
    }

    private static bool IsHeader(string? value) => value is { Length: > 0 and <= 1024 } && value.All(c => c is >= ' ' and < '\u007F');
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using QuayAirGap.Core.Collecting;

namespace QuayAirGap.Core.Sources;

/// <summary>
/// What a family counts while it reads a source's content to its end: how many advisories, the newest of them, and a fixed sample of
/// their ids. The sample is the ids with the smallest hashes (a bottom-k sketch), so two captures of one source pick the same ids, and an
/// id that is gone from the later one tells of a loss that a total hides. Safe for parallel use.
/// </summary>
public sealed class AdvisoryCensus
{
    /// <summary>Enough to see a loss of one in twenty in nearly every case.</summary>
    public const int SampleSize = 64;

    private readonly object _gate = new();
    private readonly SortedSet<(ulong Hash, string Id)> _sample = [];
    private long _count;
    private DateTimeOffset? _newest;

    public long Count
    {
        get
        {
            lock (_gate)
            {
                return _count;
            }
        }
    }

    /// <summary>The newest date that any advisory bears, UTC; null where the feed has none.</summary>
    public DateTimeOffset? Newest
    {
        get
        {
            lock (_gate)
            {
                return _newest;
            }
        }
    }

    /// <summary>Ids in the order of their hashes, <see cref="SampleSize"/> at most.</summary>
    public IReadOnlyList<string> Sample
    {
        get
        {
            lock (_gate)
            {
                return [.. _sample.Select(s => s.Id)];
            }
        }
    }

    /// <summary>Whether an id would be in the sample of a capture whose sample is <paramref name="sample"/>, if it were there at all.</summary>
    public static bool WouldBeIn(IReadOnlyList<string> sample, string id) => sample.Count < SampleSize || HashOf(id) <= HashOf(sample[^1]);

    /// <param name="id">As the upstream writes it; the same id in two updaters counts twice and is sampled once.</param>
    /// <param name="date">When the advisory was last changed, where the feed says so.</param>
    public void Add(string id, DateTimeOffset? date = null)
    {
        ulong hash = HashOf(id);
        lock (_gate)
        {
            _count++;
            if (date is { } d && (_newest is null || d > _newest))
            {
                _newest = d.ToUniversalTime();
            }

            if (IsPlain(id) && (_sample.Count < SampleSize || hash < _sample.Max.Hash))
            {
                _sample.Add((hash, id));
                if (_sample.Count > SampleSize)
                {
                    _sample.Remove(_sample.Max);
                }
            }
        }
    }

    /// <summary>Counts what another census has counted.</summary>
    internal void Add(Inspection inspection)
    {
        lock (_gate)
        {
            _count += inspection.Count;
            if (inspection.Newest is { } newest && (_newest is null || newest > _newest))
            {
                _newest = newest;
            }

            // The smallest of all are among the smallest of each.
            _sample.UnionWith(inspection.Sample.Select(id => (HashOf(id), id)));
            while (_sample.Count > SampleSize)
            {
                _sample.Remove(_sample.Max);
            }
        }
    }

    /// <summary>Ids are upstream's text: one that could not stand in a snapshot counts, and is in no capture's sample.</summary>
    private static bool IsPlain(string id) => id.Length is > 0 and <= 512 && !id.Any(char.IsControl);

    private static ulong HashOf(string id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(id), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}

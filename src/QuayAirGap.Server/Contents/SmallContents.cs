using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace QuayAirGap.Server.Contents;

/// <summary>
/// The small files of one generation, as they were asked for, in memory: opening and closing one takes longer than sending it. Each is
/// compared with its digest before it is kept, and what a digest names never changes, so that nothing here is wrong or out of date.
/// </summary>
internal sealed class SmallContents
{
    /// <summary>Beyond that, the bytes themselves take the time.</summary>
    public const int Largest = 128 * 1024;

    /// <summary>Enough for the lists and hashes that every client asks for again and again; small beside what the server itself takes.</summary>
    private const long Room = 8 * 1024 * 1024;

    private readonly ConcurrentDictionary<object, Resource> _kept = new(ReferenceEqualityComparer.Instance);
    private long _size;

    /// <param name="key">Compared by reference.</param>
    public bool TryGet(object key, [NotNullWhen(true)] out Resource? resource) => _kept.TryGetValue(key, out resource);

    /// <param name="key">Compared by reference.</param>
    /// <param name="resource">With a <see cref="MemoryBody"/>: it is given to many requests.</param>
    public void Keep(object key, Resource resource)
    {
        if (!_kept.TryAdd(key, resource))
        {
            return;
        }

        if (Interlocked.Add(ref _size, resource.Body.Length) > Room)
        {
            // What is asked for often is back at once. Two that come here together only forget a little more than they need to.
            Interlocked.Exchange(ref _size, 0);
            _kept.Clear();
        }
    }

    /// <exception cref="InvalidDataException">It is not what the digest names.</exception>
    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static byte[] Read(string path, string sha256, int size)
    {
        using SafeFileHandle file = FileBody.OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        if (length != size)
        {
            throw new InvalidDataException($"it has {length} bytes instead of {size}");
        }

        byte[] content = new byte[size];
        for (int offset = 0; offset < size;)
        {
            int read = RandomAccess.Read(file, content.AsSpan(offset), offset);
            offset += read > 0 ? read : throw new EndOfStreamException("it became shorter while it was read");
        }

        return Convert.ToHexStringLower(SHA256.HashData(content)) == sha256 ? content : throw new InvalidDataException("its bytes are not those of this digest");
    }
}

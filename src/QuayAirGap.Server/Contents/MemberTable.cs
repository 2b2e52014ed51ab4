using System.Buffers;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Server.Contents;

/// <summary>Where a document lies in its archive.</summary>
internal readonly record struct Member(
    ReadOnlyMemory<byte> Sha256, long Size, long FrameOffset, int FrameLength, long Skip, DateTimeOffset? LastModified);

/// <summary>
/// The documents of one archive in a few arrays: about 140 bytes a document, where objects with strings take three times that, twice
/// over while one generation replaces another.
/// </summary>
internal sealed class MemberTable
{
    private const int DigestLength = 32;

    private readonly ReadOnlyMemory<char> _paths;
    private readonly int[] _ends;
    private readonly byte[] _digests;
    private readonly Place[] _places;

    /// <exception cref="FormatException">The table contradicts itself.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public MemberTable(ArchiveMemberReader reader)
    {
        string source = Source = reader.Head.Source;
        Prefix = reader.Head.PathPrefix;
        ArchiveSha256 = reader.Head.ArchiveSha256;
        ContentType = reader.Head.ContentType;

        var paths = new ArrayBufferWriter<char>(Math.Max(1, reader.Count * 32));
        _ends = new int[reader.Count];
        _digests = new byte[reader.Count * DigestLength];
        _places = new Place[reader.Count];

        int i = 0;
        string previous = "";
        foreach (ArchiveMember m in reader.ReadMembers())
        {
            if (i == _ends.Length)
            {
                throw new FormatException($"The table of {source} has more members than it says.");
            }

            if (string.CompareOrdinal(previous, m.Path) >= 0)
            {
                throw new FormatException($"'{m.Path}' is out of order in the table of {source}.");
            }

            if (m.Size < 0 || m.FrameOffset < 0 || m.FrameLength is <= 0 or > int.MaxValue || m.Skip < 0)
            {
                throw new FormatException($"'{m.Path}' has an impossible place in the archive of {source}.");
            }

            if (!Sha256Digest.IsValid(m.Sha256))
            {
                throw new FormatException($"'{m.Path}' has no SHA-256 in the table of {source}.");
            }

            paths.Write(m.Path);
            _ends[i] = paths.WrittenCount;
            _ = Convert.FromHexString(m.Sha256, _digests.AsSpan(i * DigestLength, DigestLength), out _, out _);
            _places[i] = new Place(m.Size, m.FrameOffset, m.Skip, m.LastModified?.ToUnixTimeSeconds() ?? long.MinValue, (int)m.FrameLength);
            previous = m.Path;
            i++;
        }

        _paths = paths.WrittenMemory;
    }

    public string Source { get; }

    public string Prefix { get; }

    public string ArchiveSha256 { get; }

    public string ContentType { get; }

    public int Count => _ends.Length;

    /// <summary>The document at a whole path of the mirror.</summary>
    public Member? Find(string path)
    {
        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        ReadOnlySpan<char> name = path.AsSpan(Prefix.Length);
        int low = 0;
        int high = _ends.Length - 1;
        while (low <= high)
        {
            int middle = low + ((high - low) >> 1);
            int order = PathOf(middle).SequenceCompareTo(name);
            if (order == 0)
            {
                Place p = _places[middle];
                return new Member(
                    _digests.AsMemory(middle * DigestLength, DigestLength), p.Size, p.FrameOffset, p.FrameLength, p.Skip,
                    p.LastModified == long.MinValue ? null : DateTimeOffset.FromUnixTimeSeconds(p.LastModified));
            }

            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return null;
    }

    private ReadOnlySpan<char> PathOf(int index)
    {
        int start = index == 0 ? 0 : _ends[index - 1];
        return _paths.Span[start.._ends[index]];
    }

    private readonly record struct Place(long Size, long FrameOffset, long Skip, long LastModified, int FrameLength);
}

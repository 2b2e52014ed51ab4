using System.Globalization;
using System.Text;

namespace QuayAirGap.Core.Publishing;

/// <summary>Reads a generation's table of archive members one by one, for whoever does not want all of them in memory as objects.</summary>
public sealed class ArchiveMemberReader : IDisposable
{
    /// <summary>What the tables' file names end in.</summary>
    public const string Extension = ".members";

    internal const string Format = "members/1";

    private const string FormatName = "members/";
    private const int CurrentVersion = 1;

    private readonly string _path;
    private readonly StreamReader _reader;

    /// <exception cref="FormatException">It is not a table.</exception>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteVersion"/></exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public ArchiveMemberReader(string path)
    {
        _path = path;
        _reader = new StreamReader(path, Encoding.UTF8);
        try
        {
            string[] head = (_reader.ReadLine() ?? "").Split('\t');
            if (head[0].StartsWith(FormatName, StringComparison.Ordinal)
                && long.TryParse(head[0].AsSpan(FormatName.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long version))
            {
                FormatVersion.ThrowIfLater(path, version, CurrentVersion);
            }

            if (head.Length != 6 || head[0] != Format)
            {
                throw new FormatException($"'{path}' is not a table of archive members.");
            }

            Head = new ArchiveMembers { Source = head[1], PathPrefix = head[2], ArchiveSha256 = head[3], ContentType = head[4], Members = [] };
            Count = int.Parse(head[5], NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch
        {
            _reader.Dispose();
            throw;
        }
    }

    /// <summary>The archive, without its members.</summary>
    public ArchiveMembers Head { get; }

    /// <summary>How many members there are.</summary>
    public int Count { get; }

    /// <summary>The members in the table's order. Can be enumerated once.</summary>
    /// <exception cref="FormatException">A line is wrong, or lines are missing.</exception>
    public IEnumerable<ArchiveMember> ReadMembers()
    {
        int count = 0;
        while (_reader.ReadLine() is { } line)
        {
            string[] f = line.Split('\t');
            if (f.Length != 7)
            {
                throw new FormatException($"Line {count + 2} of '{_path}' is not an archive's member.");
            }

            count++;
            yield return new ArchiveMember(
                f[0], f[1], ParseNumber(f[2]), ParseNumber(f[3]), ParseNumber(f[4]), ParseNumber(f[5]),
                f[6].Length == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(ParseNumber(f[6])));
        }

        if (count != Count)
        {
            throw new FormatException($"'{_path}' has {count} members instead of {Count}.");
        }
    }

    public void Dispose() => _reader.Dispose();

    private static long ParseNumber(string text) => long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}

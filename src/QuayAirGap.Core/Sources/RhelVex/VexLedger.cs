using System.Globalization;
using System.Text;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>What was last said of a path: its document's digest, or null for "deleted"; and the time that it was said with.</summary>
internal readonly record struct VexEntry(SeekableArchiveDigest? Digest, DateTimeOffset Stamp);

/// <summary>
/// Everything that this mirror ever told Clair about documents. It decides which stamps move, and it remembers every document that was
/// ever published: a document that vanishes from the lists without a row in deletions.csv stays in Clair for ever.
/// </summary>
internal sealed class VexLedger
{
    private const string Format = "rhel-vex-stamps/1";

    /// <summary>By path; a document that is gone has no digest.</summary>
    public required Dictionary<string, VexEntry> Entries { get; init; }

    /// <summary>The generation that it was written with.</summary>
    public required int Generation { get; init; }

    /// <summary>The latest stamp ever published, of whatever kind.</summary>
    public required DateTimeOffset LastStamp { get; init; }

    /// <param name="state">Disposed.</param>
    /// <exception cref="FormatException">It is not a ledger of this kind.</exception>
    public static VexLedger Load(Stream state)
    {
        using var reader = new StreamReader(state, Encoding.ASCII, false, 64 << 10);
        string[] head = (reader.ReadLine() ?? "").Split('\t');
        if (head.Length != 3 || head[0] != Format)
        {
            throw new FormatException("the list of published documents has another format");
        }

        var entries = new Dictionary<string, VexEntry>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            int first = line.IndexOf('\t', StringComparison.Ordinal);
            int second = line.LastIndexOf('\t');
            if (first < 0 || first == second)
            {
                throw new FormatException($"line {entries.Count + 2} of the list of published documents cannot be read");
            }

            ReadOnlySpan<char> digest = line.AsSpan(first + 1, second - first - 1);
            entries.Add(line[..first], new VexEntry(digest is "-" ? null : SeekableArchiveDigest.Parse(digest), Time(line.AsSpan(second + 1))));
        }

        return new VexLedger
        {
            Generation = int.Parse(head[1], NumberStyles.None, CultureInfo.InvariantCulture),
            LastStamp = Time(head[2]),
            Entries = entries,
        };

        static DateTimeOffset Time(ReadOnlySpan<char> text) =>
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    /// <param name="state">Disposed.</param>
    public void Save(Stream state)
    {
        using var writer = new StreamWriter(state, Encoding.ASCII, 64 << 10) { NewLine = "\n" };
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Format}\t{Generation}\t{LastStamp.ToUnixTimeSeconds()}"));
        foreach ((string path, VexEntry entry) in Entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{path}\t{entry.Digest?.ToString() ?? "-"}\t{entry.Stamp.ToUnixTimeSeconds()}"));
        }
    }
}

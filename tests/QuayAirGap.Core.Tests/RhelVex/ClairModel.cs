using System.Formats.Tar;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ZstdSharp;

namespace QuayAirGap.Core.Tests.RhelVex;

/// <summary>
/// Clair's rhel-vex updater after claircore v1.5.48: Fetch of rhel/vex/fetcher.go, the deduplication of parser.go, and the delta update of
/// the store. It asks for the same things in the same order and believes the same clocks.
/// </summary>
internal sealed partial class ClairModel
{
    private string _changesTag = "";
    private string _deletionsTag = "";
    private DateTimeOffset _requestTime = DateTimeOffset.MinValue;
    private string _fingerprintVersion = "";

    /// <summary>Documents by tracking id.</summary>
    public SortedDictionary<string, string> Database { get; } = new(StringComparer.Ordinal);

    public string Version { get; set; } = "6";

    /// <summary>What its clock is off, against the world's.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>Single documents asked for by the last poll.</summary>
    public int Singles { get; private set; }

    /// <summary>
    /// A document was fetched and then named as deleted within one fetch, between which the generation changed: the parser keeps it, and
    /// an unchanged deletions.csv is not read again. It goes with the next generation that changes anything.
    /// </summary>
    public bool Undead { get; private set; }

    /// <summary>One run of the updater.</summary>
    /// <param name="get">GET or HEAD: content, ETag and Last-Modified, or null for 404. Time passes and generations may switch in it.</param>
    /// <param name="now">The world's clock.</param>
    /// <returns>False where the run failed and is forgotten.</returns>
    public async Task<bool> PollAsync(Func<string, Task<(byte[] Content, string ETag, DateTimeOffset? LastModified)?>> get, Func<DateTimeOffset> now)
    {
        Singles = 0;
        (string changesTag, string deletionsTag, DateTimeOffset requestTime) = (_changesTag, _deletionsTag, _requestTime);
        bool archiveMode = changesTag.Length == 0 || _fingerprintVersion != Version;
        string archive = "";
        if (archiveMode)
        {
            if (await get("archive_latest.txt") is not { } latest)
            {
                return false;
            }

            archive = System.Text.Encoding.UTF8.GetString(latest.Content);
            if (await get(archive) is not { LastModified: { } modified })
            {
                return false;
            }

            requestTime = modified;
        }

        var spool = new List<(string Id, string? Content)>();
        var changed = new HashSet<string>(StringComparer.Ordinal);
        if (await get("changes.csv") is not { } changes)
        {
            return false;
        }

        if (changesTag.Length == 0 || changesTag != changes.ETag)
        {
            changesTag = changes.ETag;
            foreach ((string path, DateTimeOffset stamp) in Rows(changes.Content))
            {
                if (int.Parse(path[..4], CultureInfo.InvariantCulture) < 2015 || stamp < requestTime)
                {
                    continue;
                }

                changed.Add(path[5..]);
                Singles++;
                if (await get(path) is not { } document)
                {
                    return false;
                }

                spool.Add(Line(document.Content));
            }
        }

        if (await get("deletions.csv") is not { } deletions)
        {
            return false;
        }

        bool deletionsRead = deletionsTag.Length == 0 || deletionsTag != deletions.ETag;
        if (deletionsRead)
        {
            deletionsTag = deletions.ETag;
            foreach ((string path, DateTimeOffset stamp) in Rows(deletions.Content))
            {
                if (stamp >= requestTime)
                {
                    changed.Add(path[5..]);
                    Match name = CvePath().Match(path);
                    spool.Add(name.Success
                        ? (name.Groups[1].Value.ToUpperInvariant(), null)
                        : throw new InvalidDataException("Clair's parser fails here"));
                }
            }
        }

        if (archiveMode)
        {
            if (await get(archive) is not { } packed)
            {
                return false;
            }

            using var tar = new TarReader(new DecompressionStream(new MemoryStream(packed.Content)));
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile && int.Parse(Path.GetDirectoryName(entry.Name)!, CultureInfo.InvariantCulture) >= 2015
                    && !changed.Contains(Path.GetFileName(entry.Name)))
                {
                    using var content = new MemoryStream();
                    entry.DataStream!.CopyTo(content);
                    spool.Add(Line(content.ToArray()));
                }
            }
        }

        Store(spool, deletionsRead);
        DateTimeOffset end = now() + Skew;
        _requestTime = DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds());
        (_changesTag, _deletionsTag, _fingerprintVersion) = (changesTag, deletionsTag, Version);
        return true;
    }

    private static (string Id, string? Content) Line(byte[] document)
    {
        using JsonDocument json = JsonDocument.Parse(document);
        JsonElement id = json.RootElement.GetProperty("document").GetProperty("tracking").GetProperty("id");
        return (id.GetString()!, System.Text.Encoding.UTF8.GetString(document));
    }

    private static IEnumerable<(string Path, DateTimeOffset Stamp)> Rows(byte[] csv)
    {
        foreach (string line in System.Text.Encoding.UTF8.GetString(csv).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Match row = Row().Match(line);
            yield return (row.Groups[1].Value, DateTimeOffset.ParseExact(
                row.Groups[2].Value, "yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
        }
    }

    private void Store(List<(string Id, string? Content)> spool, bool deletionsRead)
    {
        foreach ((string id, string? content) in spool)
        {
            if (content is null)
            {
                Database.Remove(id);
            }
        }

        Undead &= !deletionsRead;
        var deleted = spool.Where(s => s.Content is null).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        foreach ((string id, string? content) in spool)
        {
            if (content is not null)
            {
                Database[id] = content;
                Undead |= deleted.Contains(id);
            }
        }
    }

    [GeneratedRegex(@"^\d{4}/(cve-\d{4}-\d{4,}).json$")]
    private static partial Regex CvePath();

    [GeneratedRegex(@"^""([^""]+)"",""([^""]+)""$")]
    private static partial Regex Row();
}

using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using QuayAirGap.TestKit.Clair.Go;
using ZstdSharp;

namespace QuayAirGap.TestKit.Clair;

/// <summary>What one poll of <c>rhel-vex</c> cost.</summary>
/// <param name="Requests">All requests.</param>
/// <param name="DocumentRequests">Requests for single documents; 0.1 s each in a real Clair.</param>
/// <param name="ArchiveDocuments">Documents taken from the archive; 0 where it was not read.</param>
/// <param name="Deletions">Rows of <c>deletions.csv</c> that were heeded.</param>
public sealed record RhelVexCost(int Requests, int DocumentRequests, int ArchiveDocuments, int Deletions);

/// <summary>
/// Acts as Clair's <c>rhel-vex</c> set (claircore:rhel/vex/updater.go, fetcher.go, parser.go; datastore/postgres/updatevulnerabilities.go).
/// Holds by CVE id (the document's own, upper case) the SHA-256 (lower-case hexadecimal) of the document as served that Clair took last.
/// </summary>
/// <remarks>
/// Everything is as in Clair except that products are not looked at: Clair stores no row for a document in which nothing is fixed or
/// affected, and its CPE and PURL rules are not applied. A document that lists no vulnerability at all leaves Clair's older rows in
/// place, and so it is passed over here. bzip2 archives are not read.
/// </remarks>
public sealed partial class RhelVexUpdater : ClairUpdaterSet<IReadOnlyDictionary<string, string>>
{
    private const int FirstYear = 2015;

    private readonly ClairHttp _http;
    private readonly ClairConfig _config;
    private readonly TimeProvider _time;
    private readonly Uri _root;
    private Dictionary<string, string> _held = new(StringComparer.Ordinal);

    internal RhelVexUpdater(ClairHttp http, ClairConfig config, TimeProvider time)
    {
        _http = http;
        _config = config;
        _time = time;
        _root = GoUrl.Parse(config.RhelVexUrl);
    }

    /// <inheritdoc/>
    public override string Name => "rhel-vex";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Held => _held;

    /// <summary>
    /// The version that Clair puts into its fingerprints; "6" in all releases so far. Set another one to act as a Clair that was upgraded:
    /// it reads the archive again, although it still sends the ETags it has.
    /// </summary>
    public string UpdaterVersion { get; set; } = "6";

    /// <summary>The fingerprint in Clair's database: ETag of changes, ETag of deletions, time and version, joined by backslashes.</summary>
    public string Fingerprint { get; private set; } = string.Empty;

    /// <summary>What the last poll cost, successful or not.</summary>
    public RhelVexCost LastCost { get; private set; } = new(0, 0, 0, 0);

    /// <inheritdoc/>
    public override void Restart()
    {
        // This set keeps everything in the database.
    }

    private protected override Task<ClairOutcome> ConstructSetAsync(CancellationToken cancellationToken) =>
        Task.FromResult(ClairOutcome.Updated);

    private protected override IEnumerable<(string Name, Func<Task<ClairOutcome>> UpdateAsync)> Updaters(
        CancellationToken cancellationToken) =>
        [(Name, () => UpdateAsync(cancellationToken))];

    [GeneratedRegex(@"^[0-9]{4}/(cve-[0-9]{4}-[0-9]{4,}).json\z", RegexOptions.CultureInvariant)]
    private static partial Regex CvePath();

    private static long Year(string path)
    {
        var folder = GoPath.Dir(path);
        return long.TryParse(folder, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var year)
            ? year
            : throw ClairException.Failed($"error parsing year strconv.ParseInt: parsing \"{folder}\": invalid syntax");
    }

    private static void Require200(HttpResponseMessage response, string what)
    {
        if ((int)response.StatusCode != 200)
        {
            throw ClairException.Failed($"unexpected response from {what}: {(int)response.StatusCode}");
        }
    }

    private static Stream Decompress(FileStream archive)
    {
        var magic = new byte[4];
        var read = archive.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        archive.Position = 0;
        return magic.AsSpan(0, read) switch
        {
            [0x1F, 0x8B, 0x08, ..] => new GZipStream(archive, CompressionMode.Decompress),
            [0x28, 0xB5, 0x2F, 0xFD] => new DecompressionStream(archive),
            [0x42, 0x5A, 0x68, _] => throw ClairException.Failed("the test kit reads no bzip2 archives; Clair would"),
            _ => archive,
        };
    }

    private async Task<ClairOutcome> UpdateAsync(CancellationToken cancellationToken)
    {
        var requestsBefore = _http.Requests;
        var poll = new Poll(State.Parse(Fingerprint));
        try
        {
            await FetchAsync(poll, cancellationToken);
            Store(poll);
            return ClairOutcome.Updated;
        }
        finally
        {
            LastCost = new RhelVexCost(_http.Requests - requestsBefore, poll.DocumentRequests, poll.ArchiveDocuments, poll.Deletions);
        }
    }

    private async Task FetchAsync(Poll poll, CancellationToken cancellationToken)
    {
        Uri? archive = null;
        if (poll.State.ChangesTag.Length == 0 || poll.State.Version != UpdaterVersion)
        {
            archive = await FindArchiveAsync(cancellationToken);
            using var head = await _http.SendAsync(HttpMethod.Head, archive, cancellationToken);
            Require200(head, "latest compressed file (HEAD)");
            poll.State = poll.State with { RequestTime = GoTime.HttpDate(ClairHttp.Header(head, "Last-Modified")) };
        }

        await ReadChangesAsync(poll, cancellationToken);
        await ReadDeletionsAsync(poll, cancellationToken);
        if (archive is not null)
        {
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limited.CancelAfter(_config.CompressedFileTimeout);
            try
            {
                await ReadArchiveAsync(poll, archive, limited.Token);
            }
            catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
            {
                throw ClairException.Failed("context deadline exceeded: the archive took longer than compressed_file_timeout", error);
            }
        }

        // The clock at the end, whatever was read: what changed since the requests above and is stamped before now is lost.
        poll.State = poll.State with { RequestTime = _time.GetUtcNow(), Version = UpdaterVersion };
    }

    private async Task<Uri> FindArchiveAsync(CancellationToken cancellationToken)
    {
        using var latest = await _http.SendAsync(HttpMethod.Get, GoUrl.Resolve(_root, "archive_latest.txt"), cancellationToken);
        Require200(latest, "archive_latest.txt");
        var name = Encoding.UTF8.GetString(await latest.Content.ReadAsByteArrayAsync(cancellationToken));
        return GoUrl.Resolve(_root, _config.Release == ClairRelease.V490 ? name : name.Trim());
    }

    private async Task<string?> ReadListAsync(
        string name, string tag, Action<string> keepTag, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, GoUrl.Resolve(_root, name), cancellationToken, ("If-None-Match", tag));
        var newTag = ClairHttp.Header(response, "ETag");
        switch ((int)response.StatusCode)
        {
            case 304:
            case 200 when tag.Length > 0 && tag == newTag:
                return null;
            default:
                Require200(response, name);
                keepTag(newTag);
                return Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
    }

    private async Task ReadChangesAsync(Poll poll, CancellationToken cancellationToken)
    {
        var rows = await ReadListAsync(
            "changes.csv", poll.State.ChangesTag, tag => poll.State = poll.State with { ChangesTag = tag }, cancellationToken);
        foreach (var row in GoCsv.Read(rows ?? string.Empty, fieldsPerRecord: 2))
        {
            if (Year(row[0]) < FirstYear || GoTime.Rfc3339(row[1]) < poll.State.RequestTime)
            {
                continue;
            }

            poll.Changed.Add(GoPath.Base(row[0]));
            poll.DocumentRequests++;
            using var response = await _http.SendAsync(HttpMethod.Get, GoUrl.Resolve(_root, row[0]), cancellationToken);
            Require200(response, row[0]);
            poll.Take(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
    }

    private async Task ReadDeletionsAsync(Poll poll, CancellationToken cancellationToken)
    {
        var rows = await ReadListAsync(
            "deletions.csv", poll.State.DeletionsTag, tag => poll.State = poll.State with { DeletionsTag = tag }, cancellationToken);
        foreach (var row in GoCsv.Read(rows ?? string.Empty, fieldsPerRecord: 2))
        {
            // No look at the year here.
            if (GoTime.Rfc3339(row[1]) < poll.State.RequestTime)
            {
                continue;
            }

            poll.Changed.Add(GoPath.Base(row[0]));
            poll.Deletions++;
            if (CvePath().Match(row[0]) is { Success: true } match)
            {
                poll.Deleted.Add(match.Groups[1].Value.ToUpperInvariant());
            }
            else
            {
                // Clair logs this, and chokes on the empty line that it spooled.
                poll.BadDeletion = row[0];
            }
        }
    }

    private async Task ReadArchiveAsync(Poll poll, Uri archive, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(HttpMethod.Get, archive, cancellationToken);
        Require200(response, "latest compressed file");
        await using var spool = await Spool.CreateAsync(response.Content, cancellationToken);
        await using var stream = Decompress(spool);
        await using var tar = new TarReader(stream);
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                || Year(entry.Name) < FirstYear
                || poll.Changed.Contains(GoPath.Base(entry.Name)))
            {
                continue;
            }

            var document = new byte[entry.Length];
            if (entry.DataStream is { } data)
            {
                await data.ReadExactlyAsync(document, cancellationToken);
            }

            poll.ArchiveDocuments++;
            poll.Take(document);
        }
    }

    private void Store(Poll poll)
    {
        if (poll.BadDeletion is { } path)
        {
            throw ClairException.Failed($"error parsing CSAF: csaf: failed to unmarshal document: EOF (after deletion of \"{path}\")");
        }

        // What was taken wins over a deletion of the same run; what vanished without one stays.
        var held = new Dictionary<string, string>(_held, StringComparer.Ordinal);
        foreach (var id in poll.Deleted)
        {
            held.Remove(id);
        }

        foreach (var (id, digest) in poll.Taken)
        {
            held[id] = digest;
        }

        _held = held;
        Fingerprint = poll.State.ToString();
    }

    private sealed record State(string ChangesTag, string DeletionsTag, DateTimeOffset RequestTime, string Version)
    {
        public static State Parse(string fingerprint) => fingerprint.Length == 0
            ? new State(string.Empty, string.Empty, DateTimeOffset.MinValue, string.Empty)
            : fingerprint.Split('\\') is [var changes, var deletions, var time, var version]
                ? new State(changes, deletions, GoTime.Rfc3339(time), version)
                : throw ClairException.Failed("could not parse fingerprint");

        public override string ToString()
        {
            var time = RequestTime.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            return string.Join('\\', ChangesTag, DeletionsTag, time, Version);
        }
    }

    private sealed class Poll(State state)
    {
        public State State { get; set; } = state;

        public HashSet<string> Changed { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Deleted { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, string> Taken { get; } = new(StringComparer.Ordinal);

        public string? BadDeletion { get; set; }

        public int DocumentRequests { get; set; }

        public int ArchiveDocuments { get; set; }

        public int Deletions { get; set; }

        public void Take(byte[] json)
        {
            var document = CsafDocument.Read(json);
            if (document.IsDeleted)
            {
                Deleted.Add(document.Id);
            }
            else if (document.HasVulnerabilities)
            {
                Taken[document.Id] = Convert.ToHexStringLower(SHA256.HashData(json));
            }
        }
    }
}

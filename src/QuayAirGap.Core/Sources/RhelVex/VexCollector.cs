using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// Takes the feed as Clair would: the lists before the archive, then every document that the archive is too old for; and the lists again,
/// until they have not changed under the collector's hands. Later captures build on what the store holds.
/// </summary>
internal sealed partial class VexCollector(ICollectSession session)
{
    /// <summary>Above this many single documents another archive is the smaller load for upstream, the gap and the store.</summary>
    internal const int MaxSingleFetches = 2_000;

    /// <summary>However slowly they gathered, an inventory of more single documents than this is replaced by a newer archive.</summary>
    internal const int MaxSingleDocuments = 25_000;

    /// <summary>How often the lists may change while the documents are fetched.</summary>
    private const int MaxRounds = 5;

    private const int Parallelism = 16;

    /// <summary>
    /// An archive gets its time when it is finished, but shows the tree as it was read. Documents that changed meanwhile are older
    /// than the archive and not in it; so rows of the hours before are fetched as well.
    /// </summary>
    private static readonly TimeSpan s_archiveTakes = TimeSpan.FromHours(6);

    private readonly Uri _base = session.Source.Uri;

    private readonly VexFiles? _previous =
        session.Previous is { } p && VexFiles.Of(p.Files, session.Source.Uri) is { Archive.LastModified: not null } files ? files : null;

    /// <summary>The documents of the chosen archive.</summary>
    private readonly HashSet<string> _archived = new(StringComparer.Ordinal);

    /// <summary>Rows that differ from the last capture's: the archive that was good enough then is not enough any more.</summary>
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);

    /// <summary>Documents that are held singly, and the row that they were fetched for.</summary>
    private readonly ConcurrentDictionary<string, (SnapshotFile File, DateTimeOffset Stamp)> _singles = new(StringComparer.Ordinal);

    public async Task<CollectedContent> CollectAsync(CancellationToken cancellationToken)
    {
        SnapshotFile latest = await GetAsync(VexFiles.LatestName, cancellationToken).ConfigureAwait(false);
        Uri archiveUrl = ReadArchiveUrl(latest);

        // The lists first: whatever changes from now on is in the lists of the second look.
        SnapshotFile changes = await GetAsync(VexFiles.ChangesName, cancellationToken).ConfigureAwait(false);
        SnapshotFile deletions = await GetAsync(VexFiles.DeletionsName, cancellationToken).ConfigureAwait(false);
        VexLists lists = ReadLists(changes, deletions);

        SnapshotFile archive = await ChooseArchiveAsync(archiveUrl, lists, cancellationToken).ConfigureAwait(false);
        for (int round = 1; ; round++)
        {
            List<string> missing = await FetchAsync(Wanted(lists, archive), cancellationToken).ConfigureAwait(false);
            SnapshotFile changesNow = await GetAsync(VexFiles.ChangesName, cancellationToken).ConfigureAwait(false);
            SnapshotFile deletionsNow = await GetAsync(VexFiles.DeletionsName, cancellationToken).ConfigureAwait(false);
            bool same = changesNow.Sha256 == changes.Sha256 && deletionsNow.Sha256 == deletions.Sha256;
            (changes, deletions) = (changesNow, deletionsNow);
            if (!same)
            {
                lists = ReadLists(changes, deletions);
            }

            if (same && missing.Count == 0)
            {
                break;
            }

            if (same)
            {
                throw new FeedException(
                    ErrorIds.UpstreamIncomplete, $"Upstream lists {missing.Count} documents that it does not have, '{missing[0]}' first.",
                    new Uri(_base, missing[0]).AbsoluteUri, "Half a feed is not taken. Try again later.");
            }

            if (round == MaxRounds)
            {
                throw new FeedException(
                    ErrorIds.UpstreamChanged, $"'{changes.Url}' changed {MaxRounds} times while its documents were fetched.", changes.Url,
                    "Run Save-ClairFeed again later.");
            }
        }

        return Result(latest, changes, deletions, lists, await PackAsync(archive, lists, cancellationToken).ConfigureAwait(false));
    }

    private Uri ReadArchiveUrl(SnapshotFile latest)
    {
        using var reader = new StreamReader(session.OpenRead(latest), Encoding.Latin1);
        char[] text = new char[256];
        string name = new string(text, 0, reader.ReadBlock(text, 0, text.Length)).Trim();
        return ArchiveName().IsMatch(name)
            ? new Uri(_base, name)
            : throw Refuse(latest.Url, $"it does not name an archive {VexFiles.ArchiveSuffix} beside it");
    }

    /// <summary>
    /// The checksum that CSAF 2.0 (7.1.18) puts beside a document, for the archive: sixty-four hexadecimal digits, then perhaps the name.
    /// It is upstream's own word against a cache that mixes two versions; where there is none, there is nothing to hold the archive against.
    /// </summary>
    private async Task CheckSumAsync(SnapshotFile archive, CancellationToken cancellationToken)
    {
        if (archive.PackedFrom is not null
            || await session.TryGetAsync(new Uri(archive.Url + VexFiles.ChecksumSuffix), cancellationToken).ConfigureAwait(false) is not { } file)
        {
            return;
        }

        using var reader = new StreamReader(session.OpenRead(file), Encoding.Latin1);
        char[] digest = new char[64];
        int read = await reader.ReadBlockAsync(digest, cancellationToken).ConfigureAwait(false);
        string stated = new string(digest, 0, read).ToLowerInvariant();
        if (!Sha256Digest.IsValid(stated))
        {
            throw Refuse(file.Url, "it does not begin with a SHA-256");
        }

        if (stated != archive.Sha256)
        {
            throw new FeedException(
                ErrorIds.UpstreamChanged, $"'{archive.Url}' has the SHA-256 {archive.Sha256}; upstream says {stated}.", archive.Url,
                "Nothing of this source was taken. Run Save-ClairFeed again later; if it stays, look whether a cache in between has two versions mixed.");
        }
    }

    private VexLists ReadLists(SnapshotFile changes, SnapshotFile deletions) => new(
        VexRows.Read(session.OpenRead(changes), changes.Url), VexRows.Read(session.OpenRead(deletions), deletions.Url));

    /// <summary>The archive to build on: the one at hand while that costs less, else the newest. Its documents' paths are left in place.</summary>
    private async Task<SnapshotFile> ChooseArchiveAsync(Uri newest, VexLists lists, CancellationToken cancellationToken)
    {
        if (_previous is { } previous)
        {
            Dictionary<string, DateTimeOffset> before = VexRows.Read(session.OpenRead(previous.Changes), previous.Changes.Url);
            await ReadArchiveAsync(previous.Archive, cancellationToken).ConfigureAwait(false);
            foreach ((string path, SnapshotFile file) in previous.Documents)
            {
                // A document that left the lists without a deletion has not been withdrawn: it stays, as it does in a connected Clair.
                _singles[path] = (file, before.GetValueOrDefault(path));
            }

            foreach ((string path, DateTimeOffset stamp) in lists.Changes)
            {
                if (!before.TryGetValue(path, out DateTimeOffset known) || known != stamp)
                {
                    _changed.Add(path);
                }
            }

            int fetches = Wanted(lists, previous.Archive).Count;
            if ((fetches <= MaxSingleFetches && _singles.Count + fetches <= MaxSingleDocuments)
                || !await IsNewerAsync(newest, previous.Archive, cancellationToken).ConfigureAwait(false))
            {
                return previous.Archive;
            }
        }

        session.Report("Collecting", newest.AbsoluteUri);
        SnapshotFile archive = await session.GetAsync(newest, cancellationToken).ConfigureAwait(false);
        if (archive.PackedFrom is not null)
        {
            return archive; // upstream still has the very one that is at hand
        }

        if (archive.LastModified is null)
        {
            throw Refuse(archive.Url, "upstream does not say how old it is (Last-Modified), which Clair needs to know too");
        }

        await CheckSumAsync(archive, cancellationToken).ConfigureAwait(false);
        _changed.Clear();
        await ReadArchiveAsync(archive, cancellationToken).ConfigureAwait(false);
        foreach (string path in _singles.Keys)
        {
            // What the new archive has need not travel twice; what neither it nor a list knows any more is not upstream's any more.
            if (!lists.Changes.TryGetValue(path, out DateTimeOffset stamp) || !NeedsSingle(path, stamp, archive))
            {
                _singles.TryRemove(path, out _);
            }
        }

        return archive;
    }

    private async Task<bool> IsNewerAsync(Uri newest, SnapshotFile archive, CancellationToken cancellationToken)
    {
        UpstreamHead? head = await session.HeadAsync(newest, cancellationToken).ConfigureAwait(false);
        return head?.LastModified > archive.LastModified;
    }

    /// <summary>Takes note of the archive's documents. Upstream's own is read to its end, so that a broken one is never carried.</summary>
    private Task ReadArchiveAsync(SnapshotFile file, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            session.Report("Checking", file.Url);
            _archived.Clear();
            if (file.PackedFrom is not null)
            {
                _archived.UnionWith(PackedDocuments(file).Select(d => d.Path));
                return;
            }

            using var archive = new VexArchive(session.OpenRead(file), file.Url);
            while (archive.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (VexPath.IsRead(archive.Path))
                {
                    _archived.Add(archive.Path);
                }
            }
        },
        cancellationToken);

    private List<SeekableArchiveDocument> PackedDocuments(SnapshotFile file)
    {
        try
        {
            using Stream packed = session.OpenRead(file);
            return SeekableArchiveTable.Read(packed)?.Documents ?? throw new InvalidDataException("it has no table of its documents");
        }
        catch (InvalidDataException e)
        {
            throw new FeedException(
                ErrorIds.BlobDamaged, $"The store's copy of '{file.Url}' is not what the last capture packed: {e.Message}.", file.Url,
                "Run Repair-ClairFeedStore on the collecting site, then Save-ClairFeed again.", e);
        }
    }

    /// <summary>
    /// The archive as it travels: its documents but for those that travel singly, or were withdrawn, so that a site can put it in place as
    /// it is.
    /// </summary>
    private async Task<SnapshotFile> PackAsync(SnapshotFile archive, VexLists lists, CancellationToken cancellationToken)
    {
        if (archive.PackedFrom is not null)
        {
            return archive;
        }

        session.Report("Packing", archive.Url);
        return await session.RepackAsync(
            archive,
            output =>
            {
                using var upstream = new VexArchive(session.OpenRead(archive), archive.Url);
                VexPacker.Pack(upstream, path => !_singles.ContainsKey(path) && !lists.IsDeleted(path), output, cancellationToken);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether what the archive has of a listed document is not enough.</summary>
    private bool NeedsSingle(string path, DateTimeOffset stamp, SnapshotFile archive) =>
        stamp >= archive.LastModified - s_archiveTakes || _changed.Contains(path) || !_archived.Contains(path);

    private List<KeyValuePair<string, DateTimeOffset>> Wanted(VexLists lists, SnapshotFile archive) =>
    [
        .. lists.Changes.Where(row =>
            VexPath.IsRead(row.Key) && !lists.IsDeleted(row.Key) && NeedsSingle(row.Key, row.Value, archive)
            && !(_singles.TryGetValue(row.Key, out (SnapshotFile File, DateTimeOffset Stamp) held) && held.Stamp == row.Value)),
    ];

    /// <summary>Fetches documents; returns the paths that upstream does not have.</summary>
    private async Task<List<string>> FetchAsync(List<KeyValuePair<string, DateTimeOffset>> rows, CancellationToken cancellationToken)
    {
        var missing = new ConcurrentBag<string>();
        int done = 0;
        await Parallel.ForEachAsync(
            rows, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (row, token) =>
            {
                var url = new Uri(_base, row.Key);
                SnapshotFile? file = await session.TryGetAsync(url, token).ConfigureAwait(false);
                if (file is null)
                {
                    missing.Add(row.Key);
                    return;
                }

                Inspect(row.Key, file);
                _singles[row.Key] = (file, row.Value);
                int count = Interlocked.Increment(ref done);
                if (count % 100 == 0)
                {
                    session.Report("Collecting", string.Create(CultureInfo.InvariantCulture, $"{count} of {rows.Count} documents"));
                }
            }).ConfigureAwait(false);
        return [.. missing.Order(StringComparer.Ordinal)];
    }

    private void Inspect(string path, SnapshotFile file)
    {
        if (file.Size > SeekableArchive.MaxDocumentSize)
        {
            throw Refuse(file.Url, $"it has {file.Size} bytes, more than the {SeekableArchive.MaxDocumentSize} that are allowed");
        }

        try
        {
            using Stream content = session.OpenRead(file);
            string? id = VexDocument.ReadTrackingId(content);
            if (!string.Equals(id, VexPath.TrackingId(path), StringComparison.OrdinalIgnoreCase))
            {
                throw Refuse(file.Url, $"it calls itself '{id}'");
            }
        }
        catch (JsonException e)
        {
            throw Refuse(file.Url, "it is not JSON", e);
        }
    }

    private CollectedContent Result(SnapshotFile latest, SnapshotFile changes, SnapshotFile deletions, VexLists lists, SnapshotFile archive)
    {
        var files = new List<SnapshotFile> { latest, changes, deletions, archive };

        // Documents that have not changed are not opened again, but each capture knows all their paths: a path stands for its advisory.
        var census = new AdvisoryCensus();
        foreach (string path in _archived.Union(_singles.Keys).Where(path => !lists.IsDeleted(path)))
        {
            census.Add(path, lists.Changes.TryGetValue(path, out DateTimeOffset changed) ? changed : null);
        }

        foreach ((string path, (SnapshotFile file, _)) in _singles)
        {
            if (!lists.IsDeleted(path))
            {
                files.Add(file);
            }
        }

        DateTimeOffset modified = lists.Changes.Values.Concat(lists.Deletions.Values).Append(archive.LastModified!.Value).Max();
        return new CollectedContent
        {
            Files = files,
            Updaters = ["rhel-vex"],
            AdvisoryCount = census.Count,
            Census = census,
            UpstreamModified = DateTimeOffset.FromUnixTimeSeconds(modified.ToUnixTimeSeconds()),
        };
    }

    private Task<SnapshotFile> GetAsync(string name, CancellationToken cancellationToken) =>
        session.GetAsync(new Uri(_base, name), cancellationToken);

    private static FeedException Refuse(string url, string what, Exception? cause = null) => new(
        ErrorIds.UpstreamContent, $"'{url}' is not what it should be: {what}.", url,
        "The upstream, or a cache before it, delivers something else; try again later.", cause);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.tar\.zst\z", RegexOptions.CultureInvariant)]
    private static partial Regex ArchiveName();
}

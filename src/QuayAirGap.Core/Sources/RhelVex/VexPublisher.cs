using System.Globalization;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Sources.RhelVex;

/// <summary>
/// Publishes the tree (the archive's documents, overlaid by those that travelled singly, without the deleted ones) so that a Clair that
/// polls at any rhythm ends with exactly this tree. What it relies on is how claircore's rhel/vex/fetcher.go reads the four files; the
/// rules are in <see cref="VexStamps"/> and <see cref="VexLedger"/>.
/// </summary>
internal sealed class VexPublisher
{
    private const string LedgerName = "stamps.txt";

    private readonly IPublication _publication;
    private readonly Uri _base;
    private readonly string _prefix;
    private readonly VexFiles _files;
    private readonly VexLists _lists;
    private readonly VexLedger? _ledger;
    private readonly VexBase _archive;

    private VexPublisher(IPublication publication, CancellationToken cancellationToken)
    {
        _publication = publication;
        _base = publication.Definition.Uri;
        _prefix = MirrorPath.Of(_base);
        _files = VexFiles.Of(publication.Source.Files, _base) ?? throw Fail("the bundle does not hold one archive, changes.csv and deletions.csv");
        _lists = new VexLists(
            VexRows.Read(publication.OpenRead(_files.Changes), _files.Changes.Url),
            VexRows.Read(publication.OpenRead(_files.Deletions), _files.Deletions.Url));
        _ledger = publication.OpenPreviousState(LedgerName) is { } state ? Parse(() => VexLedger.Load(state)) : null;
        _archive = VexBase.Open(publication, _files.Archive, cancellationToken);
    }

    public static Task PublishAsync(IPublication publication, CancellationToken cancellationToken) =>
        Task.Run(() => new VexPublisher(publication, cancellationToken).RunAsync(cancellationToken), cancellationToken);

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        List<SeekableArchiveDocument> tree = ReadTree();
        if (IsUnchanged(tree) && _publication is { PreviousEntries: { } entries, PreviousArchiveMembers: { } members })
        {
            // Byte for byte what it was, so that Clair is answered 304.
            foreach (GenerationEntry entry in entries)
            {
                _publication.Keep(entry);
            }

            _publication.AddArchiveMembers(members);
            SaveState(_ledger!);
            return;
        }

        VexStamps stamps = VexStamps.Of(Now, Math.Max(tree.Count, _ledger?.Entries.Count ?? 0), _ledger?.LastStamp);
        StampTree(tree, stamps.Changed);

        string archiveName = string.Create(
            CultureInfo.InvariantCulture, $"csaf_vex_{_publication.PublishedAt:yyyy-MM-dd}_g{_publication.Generation}{VexFiles.ArchiveSuffix}");
        await using IDerivedWriter output = _publication.CreateDerived();
        IReadOnlyList<ArchiveMember> packed = Pack(tree, output.Stream, cancellationToken);
        GenerationEntry served = await output.CompleteAsync(
            _prefix + archiveName, "application/zstd", stamps.Archive, Derivation("archive"), cancellationToken).ConfigureAwait(false);
        _publication.AddArchiveMembers(new ArchiveMembers
        {
            Source = _publication.Definition.Name,
            PathPrefix = _prefix,
            ArchiveSha256 = served.Sha256,
            ContentType = "application/json",
            Members = packed,
        });
        VexLedger ledger = NextLedger(tree, stamps);
        KeepPreviousArchive();

        // Without a newline: claircore up to v1.5.49 takes it into the URL.
        using (var latest = new MemoryStream(Encoding.ASCII.GetBytes(archiveName)))
        {
            await _publication.AddDerivedAsync(
                _prefix + VexFiles.LatestName, latest, "text/plain", stamps.Archive, Derivation("latest"), true, cancellationToken)
                .ConfigureAwait(false);
        }

        await WriteRowsAsync(
            VexFiles.ChangesName, "changes", tree.OrderByDescending(d => d.LastModified).ThenBy(d => d.Path, StringComparer.Ordinal)
                .Select(d => (d.Path, d.LastModified!.Value)), stamps.Archive, cancellationToken).ConfigureAwait(false);
        await WriteRowsAsync(
            VexFiles.DeletionsName, "deletions", ledger.Entries.Where(e => e.Value.Digest is null).Select(e => (Path: e.Key, e.Value.Stamp))
                .OrderBy(e => e.Path, StringComparer.Ordinal), stamps.Archive, cancellationToken).ConfigureAwait(false);
        SaveState(ledger);
    }

    /// <summary>
    /// The isolated side's clock, unless it is behind the time at which the content was collected: then it is wrong for certain, and
    /// Clair's may be right.
    /// </summary>
    private DateTimeOffset Now
    {
        get
        {
            DateTimeOffset captured = _publication.Source.CapturedAt ?? DateTimeOffset.MinValue;
            DateTimeOffset now = captured > _publication.PublishedAt ? captured : _publication.PublishedAt;
            return DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        }
    }

    /// <summary>What is to be published.</summary>
    private List<SeekableArchiveDocument> ReadTree()
    {
        var tree = new VexTree(
            _files, _lists, path => _publication.HoldBack(path, "Clair cannot be told to delete a document of that name again, so it is not published."));
        foreach (SeekableArchiveDocument document in _archive.Documents)
        {
            tree.Place(document);
        }

        tree.PlaceRest();
        return tree.Missing == 0 ? tree.Documents : throw Fail($"changes.csv lists {tree.Missing} documents that the bundle does not hold");
    }

    private bool IsUnchanged(List<SeekableArchiveDocument> tree)
    {
        if (_ledger is null)
        {
            return false;
        }

        foreach (SeekableArchiveDocument document in tree)
        {
            if (!_ledger.Entries.TryGetValue(document.Path, out VexEntry entry) || entry.Digest != document.Digest)
            {
                return false;
            }
        }

        return tree.Count == _ledger.Entries.Values.Count(e => e.Digest is not null)
            && WithdrawnUpstream().All(_ledger.Entries.ContainsKey);
    }

    private void StampTree(List<SeekableArchiveDocument> tree, DateTimeOffset changed)
    {
        DateTimeOffset archive = _files.Archive.LastModified ?? throw Fail("the bundle does not say how old its archive is");
        foreach (SeekableArchiveDocument document in tree)
        {
            if (_ledger is not null)
            {
                document.LastModified =
                    _ledger.Entries.TryGetValue(document.Path, out VexEntry entry) && entry.Digest == document.Digest ? entry.Stamp : changed;
            }
            else if (_lists.Changes.TryGetValue(document.Path, out DateTimeOffset stamp))
            {
                document.LastModified = VexStamps.KeepsUpstreamStamp(stamp, archive, Now)
                    ? DateTimeOffset.FromUnixTimeSeconds(stamp.ToUnixTimeSeconds())
                    : changed;
            }
            else
            {
                // In the archive only: upstream has said nothing of it for as long as its list goes back.
                document.LastModified = DateTimeOffset.FromUnixTimeSeconds(VexStamps.FirstCutoff(archive, Now).ToUnixTimeSeconds() - 1);
            }
        }
    }

    private VexLedger NextLedger(List<SeekableArchiveDocument> tree, VexStamps stamps)
    {
        var entries = new Dictionary<string, VexEntry>(tree.Count + 1024, StringComparer.Ordinal);
        foreach (SeekableArchiveDocument document in tree)
        {
            entries.Add(document.Path, new VexEntry(document.Digest, document.LastModified!.Value));
        }

        // All deletion rows are dated anew: an older one would be before the archive, and skipped by a Clair that starts with it.
        var deleted = new VexEntry(null, stamps.Deleted);
        foreach (string path in WithdrawnUpstream())
        {
            entries.TryAdd(path, deleted);
        }

        if (_ledger is not null)
        {
            foreach (string path in _ledger.Entries.Keys)
            {
                entries.TryAdd(path, deleted);
            }
        }

        return new VexLedger { Entries = entries, Generation = _publication.Generation, LastStamp = stamps.Deleted };
    }

    private IEnumerable<string> WithdrawnUpstream() => _lists.Deletions.Keys.Where(p => VexPath.IsDeletable(p) && _lists.IsDeleted(p));

    /// <summary>Packs what has changed, and copies what has not out of the previous generation's archive or the bundle's.</summary>
    private IReadOnlyList<ArchiveMember> Pack(List<SeekableArchiveDocument> tree, Stream output, CancellationToken cancellationToken)
    {
        using SeekableArchiveReader? previous = OpenPrevious(cancellationToken);
        using SeekableArchiveReader carried = _archive.OpenReader(cancellationToken);
        using var archive = new SeekableArchiveWriter(output, cancellationToken);
        archive.AddAll(tree, previous is null ? [carried] : [previous, carried], d => _publication.OpenRead(_files.Documents[d.Path]));
        return archive.Complete();
    }

    /// <summary>The previous generation's archive, if its bytes are still what they were: damage must not be copied onwards.</summary>
    private SeekableArchiveReader? OpenPrevious(CancellationToken cancellationToken)
    {
        if (_publication.PreviousArchiveMembers is not { Members.Count: > 0 } members)
        {
            return null;
        }

        try
        {
            if (!VexBase.IsWhole(_publication, members.ArchiveSha256, cancellationToken))
            {
                return null;
            }
        }
        catch (FeedException e) when (e.ErrorId == ErrorIds.BlobMissing)
        {
            return null; // everything in it can be had from the bundle's own content
        }

        return new SeekableArchiveReader([.. members.Members.Select(SeekableArchivePlace.Of)], () => _publication.OpenBlob(members.ArchiveSha256));
    }

    /// <summary>A Clair that read archive_latest.txt before the switch asks for the archive that it named, at the very end of its fetch.</summary>
    private void KeepPreviousArchive()
    {
        GenerationEntry? previous = _publication.PreviousEntries?
            .Where(e => e.Path.EndsWith(VexFiles.ArchiveSuffix, StringComparison.Ordinal))
            .MaxBy(e => e.LastModified);
        if (previous is not null)
        {
            _publication.Keep(previous);
        }
    }

    private async Task WriteRowsAsync(
        string name, string rule, IEnumerable<(string Path, DateTimeOffset Stamp)> rows, DateTimeOffset lastModified,
        CancellationToken cancellationToken)
    {
        await using IDerivedWriter writer = _publication.CreateDerived();
        await using (var text = new StreamWriter(writer.Stream, Encoding.ASCII, 64 << 10, leaveOpen: true))
        {
            foreach ((string path, DateTimeOffset stamp) in rows)
            {
                VexRows.Write(text, path, stamp);
            }
        }

        await writer.CompleteAsync(_prefix + name, "text/csv", lastModified, Derivation(rule), cancellationToken).ConfigureAwait(false);
    }

    private void SaveState(VexLedger ledger)
    {
        ledger.Save(_publication.CreateState(LedgerName));
    }

    private Derivation Derivation(string rule)
    {
        // The base URL stands for the documents below it that travelled singly: there can be tens of thousands.
        List<string> inputs = [_files.Archive.Url, _files.Changes.Url, _files.Deletions.Url, _base.AbsoluteUri];
        if (_ledger is not null)
        {
            inputs.Add(string.Create(CultureInfo.InvariantCulture, $"generation {_ledger.Generation}"));
        }

        return new Derivation("rhel-vex." + rule, inputs);
    }

    private T Parse<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            throw new FeedException(
                ErrorIds.GenerationDamaged, $"What the last publication of '{_publication.Definition.Name}' left cannot be read: {e.Message}.",
                _publication.Definition.Name, "Publish from an earlier generation: Restore-ClairFeed.", e);
        }
    }

    private FeedException Fail(string what) => new(
        ErrorIds.PublicationFailed, $"'{_publication.Definition.Name}' cannot be published: {what}.", _publication.Definition.Name,
        "Run Save-ClairFeed again on the collecting side and import the new bundle.");
}

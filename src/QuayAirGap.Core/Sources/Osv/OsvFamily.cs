using System.Globalization;
using System.Text;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Sources.Osv.Zip;

namespace QuayAirGap.Core.Sources.Osv;

/// <summary>
/// OSV's export: a list of ecosystems, and for each an archive with one JSON document for each advisory. Carried are the four ecosystems
/// that Clair has matchers for. Follows claircore's updater/osv/osv.go.
/// </summary>
/// <remarks>
/// What cannot be published is a choice between two harms. One advisory that Clair cannot take stops the whole ecosystem, and up to
/// claircore v1.5.48 the whole process, so it is left out of the published archive, and said to be. But an archive that loses many is
/// no mirror any more: from ten members and more than one in twenty, or when nothing would be left, the source fails to publish, keeps
/// what it published before, and says so.
/// </remarks>
public sealed class OsvFamily : IFeedFamily
{
    private const string ListName = "ecosystems.txt";
    private const string ListRule = "osv.ecosystems";
    private static readonly string s_rules = string.Create(CultureInfo.InvariantCulture, $"osv.hazards/{OsvHazards.Version}");

    private const string ArchiveRule = "osv.archive-without-harmful-members";
    private const int FewHeldBack = 9;
    private const int HeldBackShare = 20;

    private static readonly SourceDefinition s_source = new()
    {
        Name = "osv",
        Kind = SourceKind.UpdaterSet,
        Covers = "Go modules, Maven, PyPI and RubyGems packages",
        UpdaterNames = [new UpdaterNaming("all", "osv/<ecosystem>")],
        Ecosystems = OsvEcosystems.Matched,
        PartKind = "ecosystem",
        DefaultParts = OsvEcosystems.Matched,
        Uri = new Uri("https://osv-vulnerabilities.storage.googleapis.com/"),
    };

    private readonly ZipLimits _limits;

    public OsvFamily()
        : this(ZipLimits.Default)
    {
    }

    internal OsvFamily(ZipLimits limits) => _limits = limits;

    public IReadOnlyList<SourceDefinition> Sources { get; } = [s_source];

    public async Task<CollectedContent> CollectAsync(ICollectSession session, CancellationToken cancellationToken)
    {
        Uri root = session.Source.Uri;
        var listUri = new Uri(root, ListName);
        SnapshotFile list = await session.GetAsync(listUri, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<OsvEcosystem> ecosystems = ReadList(session.OpenRead(list), list, ErrorIds.UpstreamContent);
        OsvEcosystem[] wanted = Wanted(session.Selection, ecosystems, listUri);
        var archives = new SnapshotFile[wanted.Length];
        var findings = new ContentFindings?[wanted.Length];
        var census = new AdvisoryCensus();

        // Archives are fetched side by side but read one at a time: each may need its largest member in memory.
        using var reading = new SemaphoreSlim(1);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, wanted.Length),
            new ParallelOptions { MaxDegreeOfParallelism = wanted.Length, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                Uri uri = wanted[i].ArchiveUnder(root) ?? throw Unlisted(listUri, wanted[i].Key);
                archives[i] = await session.GetAsync(uri, token).ConfigureAwait(false);
                await reading.WaitAsync(token).ConfigureAwait(false);
                try
                {
                    Inspection found = await session.Inspections.OfAsync(archives[i].Sha256, s_rules, () =>
                    {
                        session.Report("Reading", archives[i].Url);
                        return Task.Run(() => Inspect(session, archives[i], token), token);
                    }).ConfigureAwait(false);
                    census.Add(found);
                    findings[i] = found.Findings;
                }
                finally
                {
                    reading.Release();
                }
            }).ConfigureAwait(false);

        return new CollectedContent
        {
            Files = [list, .. archives],
            Updaters = [.. wanted.Select(e => e.Updater)],
            AdvisoryCount = census.Count,
            Census = census,
            Findings = [.. findings.OfType<ContentFindings>()],
            Releases = [.. wanted.Select(e => e.Key)],
            UpstreamModified = archives.Max(a => a.LastModified),
            Deselected = [.. ecosystems.Except(wanted).Select(e => e.Line)],
        };
    }

    public async Task PublishAsync(IPublication publication, CancellationToken cancellationToken)
    {
        Uri root = publication.Definition.Uri;
        Dictionary<string, SnapshotFile> files = publication.Source.Files.ToDictionary(f => f.Url, StringComparer.Ordinal);
        string listUrl = new Uri(root, ListName).AbsoluteUri;
        if (!files.Remove(listUrl, out SnapshotFile? list))
        {
            throw NotPublished($"The capture of osv holds no {listUrl}.", listUrl);
        }

        OsvPublished? before = OsvPublished.Load(publication);
        var archives = new List<OsvPublishedArchive>();
        var carried = new List<OsvEcosystem>();
        foreach (OsvEcosystem ecosystem in ReadList(publication.OpenRead(list), list, ErrorIds.PublicationFailed))
        {
            if (ecosystem.ArchiveUnder(root) is { } uri && files.Remove(uri.AbsoluteUri, out SnapshotFile? file))
            {
                carried.Add(ecosystem);
                archives.Add(await PublishArchiveAsync(publication, ecosystem, file, before, cancellationToken).ConfigureAwait(false));
            }
        }

        string[] lost = [.. files.Keys, .. publication.Source.Updaters.Except(carried.Select(e => e.Updater))];
        if (lost.Length > 0 || carried.Count == 0)
        {
            throw NotPublished($"The capture of osv does not fit its own list of ecosystems: {string.Join(", ", lost)}.", listUrl);
        }

        await PublishListAsync(publication, list, carried, cancellationToken).ConfigureAwait(false);
        var published = new OsvPublished { Hazards = OsvHazards.Version, Archives = archives };
        await published.SaveAsync(publication, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Clair makes its updaters from this list, and none at all from a 304: it goes out without validators. It asks for it at the host's
    /// root whatever base URL it is configured with.
    /// </summary>
    private static async Task PublishListAsync(
        IPublication publication, SnapshotFile list, IEnumerable<OsvEcosystem> carried, CancellationToken cancellationToken)
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(carried.Select(e => e.Line + "\n")));
        var derivation = new Derivation(ListRule, [list.Url]);
        foreach (string path in new[] { MirrorPath.Of(list.Url), "/" + ListName })
        {
            await publication.AddDerivedAsync(
                path, new MemoryStream(content), "text/plain; charset=utf-8", lastModified: null, derivation, validators: false, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private async Task<OsvPublishedArchive> PublishArchiveAsync(
        IPublication publication, OsvEcosystem ecosystem, SnapshotFile file, OsvPublished? before, CancellationToken cancellationToken)
    {
        string path = MirrorPath.Of(file.Url);
        GenerationEntry? served = publication.PreviousEntries?.FirstOrDefault(e => e.Path == path);
        if (before?.Archives.FirstOrDefault(a => a.Sha256 == file.Sha256) is { } known)
        {
            if (known.HeldBack.Count == 0)
            {
                publication.AddVerbatim(file, "application/zip");
                return known;
            }

            if (served?.Derivation is { Rule: ArchiveRule } made && made.Inputs.Contains(InputDigest(file)))
            {
                publication.Keep(served);
                Report(publication, known);
                return known;
            }
        }

        ContentFindings? found = ContentFindings.Find(publication.Source, file.Sha256, s_rules);
        if (found is { HeldBack.Count: 0 })
        {
            publication.AddVerbatim(file, "application/zip");
            return new OsvPublishedArchive(file.Sha256, []);
        }

        OsvArchive archive = await Task.Run(
            () => Read(publication.OpenRead(file), file, publication.PublishedAt, ErrorIds.PublicationFailed, cancellationToken, found: found), cancellationToken)
            .ConfigureAwait(false);
        ThrowIfTooMany(archive, ecosystem, file);
        var published = new OsvPublishedArchive(
            file.Sha256, [.. archive.Unsafe.Select(u => new OsvHeldBack(u.Item, $"{ecosystem.Line}: {u.Reason}"))]);
        if (archive.Unsafe.Count == 0)
        {
            publication.AddVerbatim(file, "application/zip");
            return published;
        }

        Stream source = publication.OpenRead(file);
        await using (source.ConfigureAwait(false))
        {
            IDerivedWriter derived = publication.CreateDerived();
            await using (derived.ConfigureAwait(false))
            {
                HashSet<int> leftOut = [.. archive.Unsafe.Select(u => u.Index)];
                await ZipSubset.WriteAsync(source, archive.Zip, leftOut, derived.Stream, cancellationToken).ConfigureAwait(false);

                // Other rules than last time's can make another archive from the same input.
                bool sameTime = served is not null && served.LastModified == file.LastModified;
                DateTimeOffset? modified = sameTime ? file.LastModified?.AddSeconds(1) : file.LastModified;
                var derivation = new Derivation(ArchiveRule, [file.Url, InputDigest(file)]);
                await derived.CompleteAsync(path, "application/zip", modified, derivation, cancellationToken).ConfigureAwait(false);
            }
        }

        Report(publication, published);
        return published;
    }

    private static void Report(IPublication publication, OsvPublishedArchive archive)
    {
        foreach (OsvHeldBack item in archive.HeldBack)
        {
            publication.HoldBack(item.Item, item.Reason);
        }
    }

    private static string InputDigest(SnapshotFile file) => "sha256:" + file.Sha256;

    private static void ThrowIfTooMany(OsvArchive archive, OsvEcosystem ecosystem, SnapshotFile file)
    {
        int harmful = archive.Unsafe.Count;
        int members = archive.Zip.Members.Count;
        if (harmful == members || (harmful > FewHeldBack && harmful > members / HeldBackShare))
        {
            string examples = string.Join("; ", archive.Unsafe.Take(3).Select(u => $"{u.Item}: {u.Reason}"));
            throw NotPublished(
                $"{harmful} of the {members} members of {file.Url} would harm Clair, too many to leave out of {ecosystem.Line} ({examples}).",
                file.Url);
        }
    }

    /// <summary>The ecosystems to take; each that is asked for by its full name must be there.</summary>
    private static OsvEcosystem[] Wanted(SourceSelection selection, IReadOnlyList<OsvEcosystem> ecosystems, Uri list)
    {
        string? missing = selection.Include.FirstOrDefault(
            name => !name.AsSpan().ContainsAny('*', '?') && !ecosystems.Any(e => e.Key.Equals(name, StringComparison.OrdinalIgnoreCase)));
        OsvEcosystem[] wanted = [.. ecosystems.Where(e => selection.Wants(e.Key))];
        return missing is not null ? throw Unlisted(list, missing)
            : wanted.Length > 0 ? wanted
            : throw new FeedException(
                ErrorIds.SelectionEmpty, $"Of the {ecosystems.Count} ecosystems that {list.AbsoluteUri} lists, none is selected.", s_source.Name,
                "Choose with Set-ClairFeedSource osv -Include, or leave the source out with -Enabled:$false.");
    }

    private Inspection Inspect(ICollectSession session, SnapshotFile file, CancellationToken cancellationToken)
    {
        var census = new AdvisoryCensus();
        OsvArchive archive = Read(session.OpenRead(file), file, session.Now, ErrorIds.UpstreamContent, cancellationToken, census);
        if (archive.AdvisoryCount == 0)
        {
            throw new FeedException(
                ErrorIds.UpstreamContent, $"{file.Url} holds no advisory at all.", file.Url,
                "Try again later: upstream's export of this ecosystem is empty.");
        }

        return Inspection.Of(census) with
        {
            Findings = ContentFindings.Make(file.Sha256, s_rules, [.. archive.Unsafe.Select(u => new HeldBackFinding(u.Item, u.Reason, u.Index))]),
            IsLasting = !archive.ChangesWithTime,
        };
    }

    private OsvArchive Read(
        Stream stream, SnapshotFile file, DateTimeOffset publishedAt, string errorId, CancellationToken cancellationToken, AdvisoryCensus? census = null, ContentFindings? found = null)
    {
        try
        {
            return found is null
                ? OsvArchive.Read(stream, publishedAt, _limits, cancellationToken, census)
                : OsvArchive.Of(stream, found, _limits);
        }
        catch (InvalidDataException e)
        {
            throw new FeedException(
                errorId, $"{file.Url} is not a sound zip file: {e.Message}.", file.Url,
                "Collect again; if it stays, see what answers at this address in upstream's place.", e);
        }
    }

    private static IReadOnlyList<OsvEcosystem> ReadList(Stream stream, SnapshotFile list, string errorId)
    {
        using (stream)
        {
            if (list.Size > OsvEcosystems.LargestList)
            {
                throw new FeedException(
                    errorId, $"{list.Url} has {list.Size} bytes: that is no list of ecosystems.", list.Url,
                    "See what answers at this address in upstream's place.");
            }

            using var reader = new StreamReader(stream, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false);
            return OsvEcosystems.Parse(reader);
        }
    }

    private static FeedException Unlisted(Uri list, string key) => new(
        ErrorIds.UpstreamContent, $"{list.AbsoluteUri} does not list the ecosystem '{key}', which is to be carried.",
        list.AbsoluteUri, "See whether upstream's list is complete, or something else answers in its place.");

    private static FeedException NotPublished(string message, string target) => new(
        ErrorIds.PublicationFailed, message, target,
        "What was published before stays in use. Collect again; if it stays, report it with this message.");
}

using System.Security.Cryptography;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Publishing;

/// <summary>A content that the store should have and has not as it should be.</summary>
/// <param name="Sha256">What it should be.</param>
/// <param name="Path">Its file.</param>
/// <param name="IsMissing">It is not there, or has another size; else its bytes have another SHA-256.</param>
/// <param name="IsServed">The mirror serves it now, or serves something out of it.</param>
/// <param name="Sources">The sources that have it; empty where nothing refers to it.</param>
/// <param name="Item">One address or path that it has.</param>
/// <param name="Removed">The damaged file was removed, so that the next bundle that has the content restores it.</param>
public sealed record StoreFault(string Sha256, string Path, bool IsMissing, bool IsServed, IReadOnlyList<string> Sources, string? Item, bool Removed);

/// <summary>What a check found.</summary>
/// <param name="Contents">Contents that were read.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Faults">What is wrong.</param>
public sealed record StoreCheck(int Contents, long Bytes, IReadOnlyList<StoreFault> Faults);

/// <summary>
/// Reads every byte of a site's store and compares it with its name. An import trusts a content that is there with the right size, as reading all of it
/// again would double its time; disks that rot are found here. What is found counts against the sources that serve it until something has brought it back.
/// </summary>
public sealed class StoreChecker(Site site, TimeProvider clock)
{
    /// <param name="repair">Removes damaged contents. They are of no use to anybody, and while they are there no import writes them anew.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.SiteBusy"/>, <see cref="ErrorIds.SiteNotWritable"/>, or what is wrong with generations or snapshots</exception>
    public StoreCheck Check(bool repair, IProgress<FeedProgress>? progress, CancellationToken cancellationToken)
    {
        using SiteLock held = site.Lock();
        Dictionary<string, Reference> expected = References();
        List<(string Sha256, long Size)> there = [.. site.Store.List()];
        var good = new HashSet<string>(StringComparer.Ordinal);
        var faults = new List<StoreFault>();
        long total = there.Sum(t => t.Size), done = 0;
        foreach ((string sha256, long size) in there)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Reference? reference = expected.GetValueOrDefault(sha256);
            if (IsWhole(sha256, cancellationToken))
            {
                good.Add(sha256);
            }
            else
            {
                faults.Add(Fault(sha256, reference, isMissing: false, removed: repair));
                if (repair)
                {
                    site.Store.Remove(sha256);
                }
            }

            done += size;
            progress?.Report(new FeedProgress("store", "Checking", reference?.Item ?? sha256, done, total));
        }

        HashSet<string> damaged = [.. faults.Select(f => f.Sha256)];
        faults.AddRange(expected.Where(e => !good.Contains(e.Key) && !damaged.Contains(e.Key)).Select(e => Fault(e.Key, e.Value, isMissing: true, removed: false)));
        site.Damage.Replace(faults.Select(f => f.Sha256));
        progress?.Report(new FeedProgress("store", "Checking", null, total, total, Completed: true));
        new Ledger(site, clock).Append(LedgerEvents.StoreChecked, new JsonObject
        {
            ["contents"] = there.Count,
            ["bytes"] = total,
            ["damaged"] = damaged.Count,
            ["missing"] = faults.Count - damaged.Count,
            ["removed"] = faults.Count(f => f.Removed),
            ["sources"] = string.Join(", ", faults.SelectMany(f => f.Sources).Distinct().Order(StringComparer.Ordinal)),
        });
        return new StoreCheck(there.Count, total, faults);
    }

    /// <summary>A generation as it must be judged: a source that serves what the store is known to have lost is not well, whatever its age.</summary>
    public static Generation Judged(Site site, Generation generation)
    {
        IReadOnlyCollection<string> lost = site.Damage.Load();
        if (lost.Count == 0)
        {
            return generation;
        }

        HashSet<string> digests = [.. lost];
        HashSet<string> sources =
        [
            .. generation.Entries.Where(e => digests.Contains(e.Sha256)).Select(e => e.Source),
            .. generation.Archives.Where(a => digests.Contains(a.ArchiveSha256)).Select(a => a.Source),
        ];
        return generation with
        {
            Sources =
            [
                .. generation.Sources.Select(s => !sources.Contains(s.Name) ? s : s with
                {
                    State = CaptureState.Failed,
                    Error = Publisher.NotPublished + "the store has lost content of it, or its disk has damaged it; Repair-ClairFeedStore and the newest full bundle bring it back.",
                }),
            ],
        };
    }

    /// <summary>Removes what the record calls damaged, and is: content of a name that is there would win over what is made anew. Needs the site's lock.</summary>
    internal void RemoveDamaged()
    {
        foreach (string sha256 in site.Damage.Load().Where(l => File.Exists(site.Store.PathOf(l)) && !IsWhole(l, CancellationToken.None)))
        {
            site.Store.Remove(sha256);
        }
    }

    /// <summary>Takes off the record what is whole again. Few contents are on it, so that this costs nothing. Needs the site's lock.</summary>
    internal void Recheck()
    {
        IReadOnlyCollection<string> lost = site.Damage.Load();
        string[] left = [.. lost.Where(l => !File.Exists(site.Store.PathOf(l)) || !IsWhole(l, CancellationToken.None))];
        if (left.Length < lost.Count)
        {
            site.Damage.Replace(left);
        }
    }

    /// <summary>Whether everything that the newest publication needs is there as far as sizes tell, and no check says otherwise.</summary>
    internal static bool IsComplete(Site site, Generation newest, Snapshot snapshot)
    {
        HashSet<string> lost = [.. site.Damage.Load()];
        return !newest.Blobs().Any(lost.Contains)
            && newest.Entries.All(e => site.Store.Contains(e.Sha256, e.Size))
            && snapshot.Sources.SelectMany(s => s.Files).All(f => !lost.Contains(f.Sha256) && site.Store.Contains(f.Sha256, f.Size));
    }

    private StoreFault Fault(string sha256, Reference? reference, bool isMissing, bool removed) => new(
        sha256, site.Store.PathOf(sha256), isMissing, reference?.IsServed ?? false, [.. reference?.Sources.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>()],
        reference?.Item, removed);

    private bool IsWhole(string sha256, CancellationToken cancellationToken)
    {
        try
        {
            using FileStream content = site.Store.OpenRead(sha256);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(1 << 20);
            try
            {
                for (int read; (read = content.Read(buffer, 0, buffer.Length)) > 0;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    hash.AppendData(buffer, 0, read);
                }
            }
            finally
            {
                System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
            }

            return Sha256Digest.ToText(hash.GetHashAndReset()) == sha256;
        }
        catch (IOException)
        {
            return false; // a disk that does not give it back has not got it
        }
    }

    private Dictionary<string, Reference> References()
    {
        var found = new Dictionary<string, Reference>(StringComparer.Ordinal);
        var generations = new GenerationStore(site);
        int? current = generations.CurrentNumber;
        foreach (int number in generations.Numbers())
        {
            Generation generation = generations.Load(number);
            foreach (GenerationEntry entry in generation.Entries)
            {
                Add(found, entry.Sha256, entry.Source, entry.Path, number == current);
            }

            foreach (ArchiveMembers archive in generation.Archives)
            {
                Add(found, archive.ArchiveSha256, archive.Source, archive.PathPrefix, number == current);
            }
        }

        var snapshots = new SnapshotStore(site);
        foreach (StoredSnapshot stored in snapshots.List())
        {
            foreach (SourceSnapshot source in snapshots.Load(stored.Sha256).Sources)
            {
                foreach (SnapshotFile file in source.Files)
                {
                    Add(found, file.Sha256, source.Name, file.Url, served: false);
                }
            }
        }

        return found;
    }

    private static void Add(Dictionary<string, Reference> found, string sha256, string source, string item, bool served)
    {
        if (!found.TryGetValue(sha256, out Reference? reference))
        {
            found[sha256] = reference = new Reference(item);
        }

        reference.Sources.Add(source);
        reference.IsServed |= served;
    }

    /// <summary>Who needs a content.</summary>
    private sealed class Reference(string item)
    {
        public string Item { get; } = item;

        public HashSet<string> Sources { get; } = new(StringComparer.Ordinal);

        public bool IsServed { get; set; }
    }
}

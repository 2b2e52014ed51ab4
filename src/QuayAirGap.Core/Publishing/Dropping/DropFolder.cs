using System.Globalization;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Publishing.Dropping;

/// <summary>
/// A folder into which bundles are put, by a courier, a diode or a synchronisation, and out of which a scheduled job imports them: only what
/// is all there, in the order of its sequence, each once. What was imported goes to done/, what is refused to refused/ with the reason beside
/// it; what may still come to be importable stays.
/// </summary>
public sealed class DropFolder
{
    /// <summary>What copying programs call a file that is not all there.</summary>
    private static readonly string[] s_unfinished = [".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".new"];

    /// <summary>A copy that pauses for longer than two looks are apart is still a copy.</summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromHours(1);

    private readonly string _path;
    private readonly FeedImporter _importer;
    private readonly TimeProvider _clock;
    private readonly DropAside _aside;

    /// <param name="site">Where the bundles are imported.</param>
    /// <param name="path">The folder, absolute.</param>
    /// <param name="clock">Tells how long a file has been as it is.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.DropFolderInvalid"/>, <see cref="ErrorIds.SettingsInvalid"/></exception>
    public DropFolder(Site site, string path, TimeProvider clock)
    {
        if (!Directory.Exists(path))
        {
            throw DropAside.Invalid(path, "There is no such folder", null);
        }

        _path = path;
        _clock = clock;
        _aside = new DropAside(path);
        _importer = new FeedImporter(site, SiteSettings.Load(site), clock);
    }

    /// <inheritdoc cref="DropAside.ThrowIfReadOnly"/>
    public void ThrowIfReadOnly() => _aside.ThrowIfReadOnly();

    /// <summary>What lies there, in the order in which it is to be imported. Writes nothing.</summary>
    /// <param name="settle">How long nothing about a file may change before it counts as finished.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.DropFolderInvalid"/></exception>
    public async Task<IReadOnlyList<DropItem>> LookAsync(TimeSpan settle, CancellationToken token)
    {
        Dictionary<string, Shape> before = Candidates();
        if (before.Count == 0)
        {
            return [];
        }

        await Task.Delay(settle, token).ConfigureAwait(false);
        Dictionary<string, Shape> after = Candidates();
        ILookup<bool, string> settled = after.ToLookup(c => before.TryGetValue(c.Key, out Shape? shape) && shape == c.Value, c => c.Key);
        return
        [
            .. settled[true].Where(p => !VolumeSet.IsPartName(p)).Select(Read)
                .Concat(ReadVolumes([.. settled[true].Where(VolumeSet.IsPartName)], moreAreComing: settled[false].Any(VolumeSet.IsPartName)))
                .Concat(settled[false].Select(p => Waiting(p, "it is still being written")))
                .OrderBy(i => i.Snapshot is null).ThenBy(i => i.Snapshot?.Sequence).ThenBy(i => i.Snapshot?.Base is not null)
                .ThenBy(i => i.Snapshot?.Created).ThenBy(i => i.Path, StringComparer.Ordinal),
        ];
    }

    /// <summary>Whether a bundle can be imported as things are now: an earlier one of the same run may have brought what it needs.</summary>
    /// <returns>The same item, with what keeps it from being imported.</returns>
    public DropItem Judge(DropItem item)
    {
        if (item.Problem is not null)
        {
            return item;
        }

        try
        {
            ImportPlan plan = _importer.Plan(item.Path);
            return plan.MissingVolumes.Count == 0 || plan.AlreadyImported
                ? item
                : item with { Problem = VolumeSet.Read(item.Path).Incomplete([]), IsWaiting = true };
        }
        catch (FeedException e) when (FeedImporter.IsRefusal(e) && e.ErrorId != ErrorIds.TrustEmpty)
        {
            return item with { Problem = e, IsWaiting = MayBecomeGood(e, item.Path) };
        }
    }

    /// <summary>Imports a bundle that <see cref="Judge"/> let pass, or puts away one that it did not.</summary>
    /// <param name="item">From <see cref="Judge"/>.</param>
    /// <param name="delete">Deletes what was imported instead of keeping it.</param>
    /// <param name="progress">For people who watch.</param>
    /// <exception cref="FeedException">What is wrong with the site itself, or with the folder: nothing more can be imported now.</exception>
    public async Task<DropOutcome> TakeAsync(DropItem item, bool delete, IProgress<FeedProgress>? progress, CancellationToken token)
    {
        if (item.IsWaiting)
        {
            return new DropOutcome(item, Result: null, item.Problem, MovedTo: null);
        }

        if (item.Problem is { } problem)
        {
            _importer.RecordRefusal(item.Path, problem);
            return new DropOutcome(item, Result: null, problem, Refuse(item, problem, progress, token));
        }

        try
        {
            ImportResult result = await _importer.ImportAsync(item.Path, progress, token).ConfigureAwait(false);
            return new DropOutcome(item, result, Error: null, delete ? _aside.Delete(item.Entries) : _aside.Keep(item.Entries));
        }
        catch (FeedException e) when (FeedImporter.IsRefusal(e) && e.ErrorId != ErrorIds.TrustEmpty)
        {
            return new DropOutcome(item, Result: null, e, Refuse(item, e, progress, token)); // the importer wrote the ledger's line
        }
    }

    private static DropItem Waiting(string path, string why) => new(
        path, Snapshot: null,
        new FeedException(
            ErrorIds.BundleTruncated, $"'{path}' is left for the next run: {why}.", path,
            "Copy it under a name that ends in .part, or into another folder of the same volume, and rename it when it is all there."),
        IsWaiting: true);

    /// <summary>
    /// What time or another bundle can mend is not refused for good: a copy that goes on, a delta ahead of its base, a clock that is put
    /// right, a file that somebody else holds.
    /// </summary>
    private bool MayBecomeGood(FeedException error, string path) => error.ErrorId switch
    {
        ErrorIds.BundleBase or ErrorIds.BundleFromFuture or ErrorIds.BundleNotFound => true,
        ErrorIds.BundleVolumeMissing or ErrorIds.BundleVolumeRepeated => true,
        ErrorIds.BundleTruncated or ErrorIds.BundleMissingContent or ErrorIds.BundleVolumeTruncated => (_clock.GetUtcNow() - Shape.Of(path).Written).Duration() < s_longestPause,
        _ => error.InnerException is IOException or UnauthorizedAccessException,
    };

    private DropItem Read(string path)
    {
        try
        {
            return new DropItem(path, VolumeSet.IsAt(path) ? SnapshotOf(VolumeSet.Read(path)) : Bundle.Open(path).Snapshot, Problem: null, IsWaiting: false);
        }
        catch (FeedException e)
        {
            return new DropItem(path, Snapshot: null, e, MayBecomeGood(e, path));
        }
    }

    /// <summary>Volumes that lie in the folder itself, put together by what they say of their set; each that cannot be read is an item of its own.</summary>
    private List<DropItem> ReadVolumes(IReadOnlyList<string> paths, bool moreAreComing)
    {
        var items = new List<DropItem>();
        var parts = new List<VolumePart>();
        foreach (string path in paths)
        {
            try
            {
                parts.Add(VolumePart.Read(path));
            }
            catch (FeedException e)
            {
                items.Add(new DropItem(path, Snapshot: null, e, MayBecomeGood(e, path)));
            }
        }

        foreach (IGrouping<string, VolumePart> set in parts.OrderBy(p => p.Number).ThenBy(p => p.Path, StringComparer.Ordinal).GroupBy(p => p.SetId))
        {
            string first = set.First().Path;
            DropItem item = moreAreComing && set.DistinctBy(p => p.Number).Count() < set.First().Count
                ? Waiting(first, "another volume is still being written")
                : Read(first);
            items.Add(item with { Entries = [.. set.Select(p => p.Path)] });
        }

        return items;
    }

    private static Snapshot SnapshotOf(VolumeSet volumes) => SnapshotDocument.Parse(volumes.Opening.Document);

    /// <summary>Bundles at the folder's top: .tar files, volumes, and folders with an image layout or with volumes. Nothing hidden, and no links.</summary>
    private Dictionary<string, Shape> Candidates()
    {
        try
        {
            return new DirectoryInfo(_path).EnumerateFileSystemInfos()
                .Where(e => !e.Name.StartsWith('.') && e.LinkTarget is null && !s_unfinished.Any(u => e.Name.EndsWith(u, StringComparison.OrdinalIgnoreCase)))
                .Where(e => e is DirectoryInfo
                    ? e.Name is not (DropAside.DoneName or DropAside.RefusedName) && (File.Exists(Path.Combine(e.FullName, "oci-layout")) || VolumeSet.IsAt(e.FullName))
                    : e.Name.EndsWith(".tar", StringComparison.OrdinalIgnoreCase) || VolumeSet.IsPartName(e.Name))
                .ToDictionary(e => e.FullName, e => Shape.Of(e.FullName), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DropAside.Invalid(_path, $"It cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private string? Refuse(DropItem item, FeedException error, IProgress<FeedProgress>? progress, CancellationToken token)
    {
        // Of volumes only what is damaged goes: the others wait for it to be carried over again.
        IReadOnlyList<string> entries = item.Snapshot is not null && error.ErrorId == ErrorIds.BundleVolumeAltered
            ? [.. VolumeSet.Read(item.Path).FindAltered(progress, token).Select(p => p.Path)]
            : item.Entries;
        return entries.Count == 0 ? null : _aside.Refuse(entries, error, _clock.GetUtcNow());
    }

    /// <summary>What changes about a bundle while it is written.</summary>
    private sealed record Shape(int Files, long Size, DateTimeOffset Written)
    {
        public static Shape Of(string path)
        {
            FileInfo[] files = Directory.Exists(path) ? new DirectoryInfo(path).GetFiles("*", SearchOption.AllDirectories) : [new FileInfo(path)];
            files = [.. files.Where(f => f.Exists)];
            return new Shape(files.Length, files.Sum(f => f.Length), files.Length == 0 ? default : files.Max(f => new DateTimeOffset(f.LastWriteTimeUtc)));
        }
    }
}

using System.Globalization;
using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Publishing.Dropping;

/// <summary>
/// A folder into which bundles are put, by a courier, a diode or a synchronisation, and out of which a scheduled job imports them: only what
/// is all there, in the order of its sequence, each once. What was imported goes to done/, what is refused to refused/ with the reason beside
/// it; what may still come to be importable stays.
/// </summary>
public sealed class DropFolder
{
    public const string DoneName = "done";
    public const string RefusedName = "refused";

    /// <summary>What copying programs call a file that is not all there.</summary>
    private static readonly string[] s_unfinished = [".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".new"];

    /// <summary>A copy that pauses for longer than two looks are apart is still a copy.</summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromHours(1);

    private readonly string _path;
    private readonly FeedImporter _importer;
    private readonly TimeProvider _clock;

    /// <param name="site">Where the bundles are imported.</param>
    /// <param name="path">The folder, absolute.</param>
    /// <param name="clock">Tells how long a file has been as it is.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.DropFolderInvalid"/>, <see cref="ErrorIds.SettingsInvalid"/></exception>
    public DropFolder(Site site, string path, TimeProvider clock)
    {
        if (!Directory.Exists(path))
        {
            throw Invalid(path, "There is no such folder", null);
        }

        _path = path;
        _clock = clock;
        _importer = new FeedImporter(site, SiteSettings.Load(site), clock);
    }

    /// <summary>Makes sure that what is taken can be put away: else every run would take it again.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.DropFolderInvalid"/></exception>
    public void ThrowIfReadOnly()
    {
        foreach (string name in new[] { DoneName, RefusedName })
        {
            string folder = Path.Combine(_path, name);
            try
            {
                Directory.CreateDirectory(folder);
                string probe = Path.Combine(folder, $".{Guid.NewGuid():N}");
                File.WriteAllBytes(probe, []);
                File.Delete(probe);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Invalid(_path, $"This account cannot write to '{folder}', where bundles go that were dealt with ({e.Message.TrimEnd('.')})", e);
            }
        }
    }

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
        return
        [
            .. after.Select(c => before.TryGetValue(c.Key, out Shape? shape) && shape == c.Value
                    ? Read(c.Key) : Waiting(c.Key, "it is still being written"))
                .OrderBy(i => i.Snapshot is null).ThenBy(i => i.Snapshot?.Sequence).ThenBy(i => i.Snapshot?.Base is not null)
                .ThenBy(i => i.Snapshot?.Created).ThenBy(i => i.Name, StringComparer.Ordinal),
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
            _importer.Plan(item.Path);
            return item;
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
            return new DropOutcome(item, Result: null, problem, Refuse(item, problem));
        }

        try
        {
            ImportResult result = await _importer.ImportAsync(item.Path, progress, token).ConfigureAwait(false);
            return new DropOutcome(item, result, Error: null, delete ? Delete(item) : Move(item, DoneName));
        }
        catch (FeedException e) when (FeedImporter.IsRefusal(e) && e.ErrorId != ErrorIds.TrustEmpty)
        {
            return new DropOutcome(item, Result: null, e, Refuse(item, e)); // the importer wrote the ledger's line
        }
    }

    private static DropItem Waiting(string path, string why) => new(
        path, Snapshot: null,
        new FeedException(
            ErrorIds.BundleTruncated, $"'{path}' is left for the next run: {why}.", path,
            "Copy it under a name that ends in .part, or into another folder of the same volume, and rename it when it is all there."),
        IsWaiting: true);

    private static FeedException Invalid(string path, string what, Exception? cause) => new(
        ErrorIds.DropFolderInvalid, $"{what}: '{path}' is no folder to take bundles from.", path,
        "Name a folder that exists and that this account may write to.", cause);

    /// <summary>
    /// What time or another bundle can mend is not refused for good: a copy that goes on, a delta ahead of its base, a clock that is put
    /// right, a file that somebody else holds.
    /// </summary>
    private bool MayBecomeGood(FeedException error, string path) => error.ErrorId switch
    {
        ErrorIds.BundleBase or ErrorIds.BundleFromFuture or ErrorIds.BundleNotFound => true,
        ErrorIds.BundleTruncated or ErrorIds.BundleMissingContent => (_clock.GetUtcNow() - Shape.Of(path).Written).Duration() < s_longestPause,
        _ => error.InnerException is IOException or UnauthorizedAccessException,
    };

    private DropItem Read(string path)
    {
        try
        {
            return new DropItem(path, Bundle.Open(path).Snapshot, Problem: null, IsWaiting: false);
        }
        catch (FeedException e)
        {
            return new DropItem(path, Snapshot: null, e, MayBecomeGood(e, path));
        }
    }

    /// <summary>Bundles at the folder's top: .tar files and folders with an image layout. Nothing hidden, and no links.</summary>
    private Dictionary<string, Shape> Candidates()
    {
        try
        {
            return new DirectoryInfo(_path).EnumerateFileSystemInfos()
                .Where(e => !e.Name.StartsWith('.') && e.LinkTarget is null && !s_unfinished.Any(u => e.Name.EndsWith(u, StringComparison.OrdinalIgnoreCase)))
                .Where(e => e is DirectoryInfo
                    ? e.Name is not (DoneName or RefusedName) && File.Exists(Path.Combine(e.FullName, "oci-layout"))
                    : e.Name.EndsWith(".tar", StringComparison.OrdinalIgnoreCase))
                .ToDictionary(e => e.FullName, e => Shape.Of(e.FullName), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(_path, $"It cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private string Refuse(DropItem item, FeedException error)
    {
        string moved = Move(item, RefusedName);
        string reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{_clock.GetUtcNow().UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC\n{error.ErrorId}\n{error.Message}\n{error.Remedy}\n\nTo have it tried again, move it back.\n");
        try
        {
            File.WriteAllText(moved + ".reason.txt", reason, new UTF8Encoding(false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(_path, $"The reason for a refusal cannot be written ({e.Message.TrimEnd('.')})", e);
        }

        return moved;
    }

    private string Move(DropItem item, string folder)
    {
        try
        {
            for (int i = 1; ; i++)
            {
                // Two bundles of one name are two bundles.
                string name = i == 1 ? item.Name : string.Create(
                    CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(item.Name)}.{i}{Path.GetExtension(item.Name)}");
                string target = Path.Combine(_path, folder, name);
                if (Path.Exists(target))
                {
                    continue;
                }

                Directory.Move(item.Path, target);
                return target;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(_path, $"'{item.Path}' was dealt with, and cannot be moved to '{folder}' ({e.Message.TrimEnd('.')})", e);
        }
    }

    private string? Delete(DropItem item)
    {
        try
        {
            if (Directory.Exists(item.Path))
            {
                Directory.Delete(item.Path, recursive: true);
            }
            else
            {
                File.Delete(item.Path);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(_path, $"'{item.Path}' was imported, and cannot be deleted ({e.Message.TrimEnd('.')})", e);
        }
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

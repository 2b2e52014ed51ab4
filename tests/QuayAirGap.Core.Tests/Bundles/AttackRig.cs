using System.Text;
using QuayAirGap.Core.Bundles;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.Core.Tests.Trust;
using Xunit;

namespace QuayAirGap.Core.Tests.Bundles;

/// <summary>
/// A site that has imported a good bundle (number 7), and somebody who brings another one. What the site has is compared before and
/// after, file by file.
/// </summary>
internal sealed class AttackRig : IDisposable
{
    private int _written;

    private AttackRig(BundleKit kit) => Kit = kit;

    public BundleKit Kit { get; }

    public Pki Pki { get; } = new();

    /// <summary>The bundle that the site has imported.</summary>
    public string Imported => Kit.PathOf("imported.tar");

    private FeedImporter Importer => new(Kit.Inside, SiteSettings.Load(Kit.Inside), Kit.Clock);

    public static async Task<AttackRig> StartAsync()
    {
        var rig = new AttackRig(await BundleKit.SmallAsync());
        await rig.Kit.WriteAsync("imported.tar");
        await rig.ImportAsync(rig.Imported);
        return rig;
    }

    public Task<ImportResult> ImportAsync(string path, bool resetSequence = false) =>
        Importer.ImportAsync(path, null, TestContext.Current.CancellationToken, resetSequence);

    /// <summary>The next bundle, number 8, which the site would take if nothing in it lied.</summary>
    public HandMadeBundle Next(Func<Snapshot, Snapshot>? change = null) => new(Kit)
    {
        ChangeSnapshot = s =>
        {
            Snapshot next = s with { Sequence = 8, Created = Pki.Now.AddHours(-1) };
            return change is null ? next : change(next);
        },
    };

    public string Write(byte[] bundle) => Kit.Write($"brought-{++_written}.tar", bundle);

    public string Write(HandMadeBundle bundle) => Write(bundle.Build());

    /// <summary>A new folder on the medium.</summary>
    public string NewFolder()
    {
        string folder = Kit.PathOf($"brought-{++_written}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Tries to import it, and holds that it is refused by this id, that the ledger says so, and that nothing else has changed.</summary>
    /// <param name="keepsParts">Parts of volumes may be kept in their place, and there only.</param>
    public async Task<FeedException> RefusedAsync(string errorId, string path, bool keepsParts = false)
    {
        var ledger = new Ledger(Kit.Inside, Kit.Clock);
        int lines = ledger.Read().Count();
        SortedDictionary<string, string> before = Tree(!keepsParts);

        FeedException e = await Assert.ThrowsAsync<FeedException>(() => ImportAsync(path));

        Assert.True(errorId == e.ErrorId, $"{errorId} expected, and it was {e.ErrorId}: {e.Message}");
        Assert.False(string.IsNullOrWhiteSpace(e.Remedy));
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.Equal(before, Tree(!keepsParts));
        LedgerEntry told = Assert.Single(ledger.Read().Skip(lines));
        Assert.Equal(LedgerEvents.BundleRefused, told.Event);
        Assert.Equal(e.ErrorId, (string?)told.Details["error"]);
        Assert.Equal(Path.GetFileName(path), (string?)told.Details["bundle"]);
        Assert.Null(ledger.VerifyChain());
        return e;
    }

    public void Dispose()
    {
        Pki.Dispose();
        Kit.Dispose();
    }

    /// <summary>Every file and folder of the site with its content's digest; only the ledger may change, and the lock has no content.</summary>
    private SortedDictionary<string, string> Tree(bool withKeptParts)
    {
        var tree = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (FileSystemInfo item in new DirectoryInfo(Kit.Inside.Root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            if (item.FullName != Kit.Inside.LedgerFile && item.Name != ".lock"
                && (withKeptParts || !(item.FullName + Path.DirectorySeparatorChar).StartsWith(Kit.Inside.VolumesFolder + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            {
                tree[Path.GetRelativePath(Kit.Inside.Root, item.FullName)] = item is FileInfo ? Sha256Digest.Of(File.ReadAllBytes(item.FullName)) : "folder";
            }
        }

        return tree;
    }

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}

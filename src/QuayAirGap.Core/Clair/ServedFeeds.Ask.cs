using System.Net;
using System.Text;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Core.Clair;

public sealed partial record ServedFeeds
{
    private const int AtOnce = 8;

    /// <summary>One file of each source without which nothing of it can be used.</summary>
    private static readonly (string Source, string Path)[] s_marks =
    [
        ("alpine", "/secdb.alpinelinux.org/last-update"),
        ("aws", "/cdn.amazonlinux.com/2/core/latest/x86_64/mirror.list"),
        ("clair.cvss", CvssPath + "nvdcve-2.0-2002.meta"),
        ("debian", "/security-tracker.debian.org/tracker/data/json"),
        ("osv", "/osv-vulnerabilities.storage.googleapis.com/ecosystems.txt"),
        ("rhel-vex", "/security.access.redhat.com/data/csaf/v2/vex/archive_latest.txt"),
        ("suse", SusePath),
        ("ubuntu", SeriesPath),
    ];

    /// <summary>What a mirror on another machine has, found by asking it: some seventy small requests, no feed is transferred.</summary>
    /// <param name="mirror">Its address; paths are below it.</param>
    /// <param name="year">Today's year.</param>
    /// <param name="cancellationToken">Stops at once.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.UpstreamUnreachable"/> or <see cref="ErrorIds.UpstreamStalled"/></exception>
    public static async Task<ServedFeeds> AskAsync(Uri mirror, int year, CancellationToken cancellationToken)
    {
        using var client = new MirrorClient();
        string root = mirror.AbsoluteUri.TrimEnd('/');
        List<string> paths =
        [
            .. s_marks.Select(m => m.Path),
            .. SourceCatalog.All.Where(s => s.Kind == SourceKind.IndexerMapping).Select(s => MirrorPath.Of(s.Uri)),
            .. Enumerable.Range(2007, year + 2 - 2007).Select(y => $"{OraclePath}com.oracle.elsa-{y}.xml.bz2"),
            .. Enumerable.Range(1, 9).Select(r => $"{PhotonPath}com.vmware.phsa-photon{r}.xml"),
        ];
        HashSet<string> there = await HeadAllAsync(client, root, paths, cancellationToken).ConfigureAwait(false);

        IReadOnlyDictionary<string, string> versions = new Dictionary<string, string>();
        if (there.Contains(SeriesPath))
        {
            MirrorAnswer series = await client.GetAsync(new Uri(root + SeriesPath), null, cancellationToken).ConfigureAwait(false);
            versions = ReadSeries(new MemoryStream(Encoding.UTF8.GetBytes(series.Text)), SeriesPath);
            there.UnionWith(await HeadAllAsync(
                client, root, [.. versions.Keys.SelectMany(n => (string[])[$"{UbuntuOvalPath}com.ubuntu.{n}.cve.oval.xml.bz2", $"{UbuntuOvalPath}com.ubuntu.{n}.cve.oval.xml"])],
                cancellationToken).ConfigureAwait(false));
        }

        string osv = "/osv-vulnerabilities.storage.googleapis.com/";
        if (there.Contains(osv + "ecosystems.txt"))
        {
            MirrorAnswer list = await client.GetAsync(new Uri($"{root}{osv}ecosystems.txt"), null, cancellationToken).ConfigureAwait(false);
            there.UnionWith(OsvLines(list.Text).Select(line => $"{osv}{line}/all.zip"));
        }

        IEnumerable<string> sources = SourceCatalog.All.Where(s => there.Any(p => Belongs(s, p))).Select(s => s.Name);
        return Of(sources, there, versions);
    }

    private static IEnumerable<string> OsvLines(string list) =>
        Core.Sources.Osv.OsvEcosystems.Parse(new StringReader(list)).Select(e => e.Line);

    private static bool Belongs(SourceDefinition source, string path) => source.Kind == SourceKind.IndexerMapping
        ? path == MirrorPath.Of(source.Uri)
        : s_marks.Any(m => m.Source == source.Name && m.Path == path)
            || (source.Name == "oracle" && path.StartsWith(OraclePath, StringComparison.Ordinal))
            || (source.Name == "photon" && path.StartsWith(PhotonPath, StringComparison.Ordinal));

    private static async Task<HashSet<string>> HeadAllAsync(
        MirrorClient client, string root, IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var found = new bool[paths.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, paths.Count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (i, token) => found[i] = await client.HeadAsync(new Uri(root + Uri.EscapeDataString(paths[i]).Replace("%2F", "/", StringComparison.Ordinal)), token)
                .ConfigureAwait(false) == HttpStatusCode.OK).ConfigureAwait(false);
        return [.. paths.Where((_, i) => found[i])];
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sources;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Clair;

/// <summary>A release of Ubuntu that the mirror serves.</summary>
/// <param name="Name">"jammy".</param>
/// <param name="Version">"22.04", as the published series document gives it.</param>
/// <param name="Path">The OVAL file's path on the mirror.</param>
public sealed record ServedUbuntu(string Name, string Version, string Path);

/// <summary>What a mirror has that Clair's configuration must name: nothing is configured that is not there.</summary>
public sealed partial record ServedFeeds
{
    public const string SeriesPath = "/api.launchpad.net/1.0/ubuntu/series";
    public const string UbuntuOvalPath = "/security-metadata.canonical.com/oval/";
    public const string OraclePath = "/linux.oracle.com/security/oval/";
    public const string PhotonPath = "/packages.vmware.com/photon/photon_oval_definitions/";
    public const string SusePath = "/ftp.suse.com/pub/projects/security/oval/";
    public const string CvssPath = "/nvd.nist.gov/feeds/json/cve/2.0/";

    /// <summary>The number of the generation; null where a mirror was asked over HTTP.</summary>
    public int? Generation { get; init; }

    /// <summary>The sources of the catalogue that are there, in its order.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>The years of Oracle's advisories, rising.</summary>
    public IReadOnlyList<int> OracleYears { get; init; } = [];

    /// <summary>The releases of Photon, rising.</summary>
    public IReadOnlyList<int> PhotonReleases { get; init; } = [];

    /// <summary>By version.</summary>
    public IReadOnlyList<ServedUbuntu> Ubuntu { get; init; } = [];

    /// <summary>Ubuntu's files without an entry in the series document: forcing one of them would end the whole of Clair.</summary>
    public IReadOnlyList<string> UnnamedUbuntu { get; init; } = [];

    /// <summary>The updaters' ecosystems, lower case.</summary>
    public IReadOnlyList<string> Ecosystems { get; init; } = [];

    public bool Has(string source) => Sources.Contains(source, StringComparer.Ordinal);

    /// <param name="generation">A published generation.</param>
    /// <param name="store">The site's store, for the documents that name things.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobMissing"/>, <see cref="ErrorIds.BlobDamaged"/> or <see cref="ErrorIds.GenerationDamaged"/></exception>
    public static ServedFeeds Of(Generation generation, BlobStore store)
    {
        string[] paths = [.. generation.Entries.Select(e => e.Path)];
        HashSet<string> sources = [.. generation.Entries.Select(e => e.Source)];
        GenerationEntry? series = generation.Entries.FirstOrDefault(e => e.Path == SeriesPath);
        IReadOnlyDictionary<string, string> versions = ReadSeries(series is null ? null : store.OpenRead(series.Sha256), SeriesPath);
        return Of(SourceCatalog.All.Select(s => s.Name).Where(sources.Contains), paths, versions) with { Generation = generation.Number };
    }

    /// <param name="sources">The sources that are there.</param>
    /// <param name="paths">The mirror's paths, as far as they matter here.</param>
    /// <param name="ubuntuVersions">The series document: version by name.</param>
    internal static ServedFeeds Of(IEnumerable<string> sources, IReadOnlyCollection<string> paths, IReadOnlyDictionary<string, string> ubuntuVersions)
    {
        Dictionary<string, string> ubuntu = [];
        foreach (string path in paths)
        {
            if (UbuntuFile().Match(path) is { Success: true } match)
            {
                // Where both forms are there, the smaller one; Clair guesses it for forced releases, too.
                string name = match.Groups[1].Value;
                ubuntu[name] = ubuntu.TryGetValue(name, out string? known) && known.EndsWith(".bz2", StringComparison.Ordinal) ? known : path;
            }
        }

        return new ServedFeeds
        {
            Sources = [.. sources],
            OracleYears = Numbers(paths, OracleFile()),
            PhotonReleases = Numbers(paths, PhotonFile()),
            Ubuntu =
            [
                .. ubuntu.Where(u => ubuntuVersions.ContainsKey(u.Key)).Select(u => new ServedUbuntu(u.Key, ubuntuVersions[u.Key], u.Value))
                    .OrderBy(u => u.Version, StringComparer.Ordinal),
            ],
            UnnamedUbuntu = [.. ubuntu.Keys.Where(n => !ubuntuVersions.ContainsKey(n)).Order(StringComparer.Ordinal)],
            Ecosystems =
            [
                .. paths.Select(p => OsvFile().Match(p)).Where(m => m.Success)
                    .Select(m => m.Groups[1].Value.Split(':')[0].ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal),
            ],
        };
    }

    /// <summary>Versions by name from Launchpad's series document; empty where there is none.</summary>
    internal static IReadOnlyDictionary<string, string> ReadSeries(Stream? document, string path)
    {
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        if (document is null)
        {
            return versions;
        }

        using (document)
        {
            try
            {
                using var json = JsonDocument.Parse(document);
                foreach (JsonElement entry in json.RootElement.GetProperty("entries").EnumerateArray())
                {
                    versions[entry.GetProperty("name").GetString()!] = entry.GetProperty("version").GetString()!;
                }
            }
            catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentNullException)
            {
                throw new FeedException(
                    ErrorIds.GenerationDamaged, $"The mirror's list of Ubuntu's releases is no series document: {e.Message}", path,
                    "Import the newest bundle again.", e);
            }
        }

        return versions;
    }

    private static IReadOnlyList<int> Numbers(IEnumerable<string> paths, Regex pattern) =>
        [.. paths.Select(p => pattern.Match(p)).Where(m => m.Success).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct().Order()];

    [GeneratedRegex(@"\A/security-metadata\.canonical\.com/oval/com\.ubuntu\.([a-z]+)\.cve\.oval\.xml(?:\.bz2)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex UbuntuFile();

    [GeneratedRegex(@"\A/linux\.oracle\.com/security/oval/com\.oracle\.elsa-([0-9]{4})\.xml\.bz2\z", RegexOptions.CultureInvariant)]
    private static partial Regex OracleFile();

    [GeneratedRegex(@"\A/packages\.vmware\.com/photon/photon_oval_definitions/com\.vmware\.phsa-photon([0-9]{1,3})\.xml\z", RegexOptions.CultureInvariant)]
    private static partial Regex PhotonFile();

    [GeneratedRegex(@"\A/osv-vulnerabilities\.storage\.googleapis\.com/([^/]+)/all\.zip\z", RegexOptions.CultureInvariant)]
    private static partial Regex OsvFile();
}

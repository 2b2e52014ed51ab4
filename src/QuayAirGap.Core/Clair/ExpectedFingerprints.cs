using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Clair;

/// <summary>
/// What the updaters of a Clair remember once they have read a generation. The mirror's ETags are content hashes, so an equal fingerprint
/// proves that exactly this content was read (each claircore updater's Fetch).
/// </summary>
public sealed partial class ExpectedFingerprints
{
    private const string VexPath = "/security.access.redhat.com/data/csaf/v2/vex/";

    private readonly Dictionary<string, GenerationEntry> _entries;
    private readonly BlobStore _store;
    private Dictionary<string, string>? _cvss;

    public ExpectedFingerprints(Generation generation, BlobStore store)
    {
        Generation = generation.Number;
        _entries = generation.Entries.ToDictionary(e => e.Path, StringComparer.Ordinal);
        _store = store;
    }

    public int Generation { get; }

    /// <summary>Whether an updater's fingerprint is that of this generation's content; null where the generation has nothing for it.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.BlobMissing"/> or <see cref="ErrorIds.BlobDamaged"/></exception>
    public bool? Proves(string updater, string fingerprint)
    {
        if (Alpine().Match(updater) is { Success: true } alpine)
        {
            return HasTag($"/secdb.alpinelinux.org/{alpine.Groups[2].Value}/{alpine.Groups[1].Value}.json", fingerprint);
        }

        if (updater.StartsWith("osv/", StringComparison.Ordinal))
        {
            return HasTag(Osv(updater[4..]), fingerprint);
        }

        if (updater.StartsWith("ubuntu/updater/", StringComparison.Ordinal))
        {
            string path = $"{ServedFeeds.UbuntuOvalPath}com.ubuntu.{updater[15..]}.cve.oval.xml";
            return Either(HasTag(path + ".bz2", fingerprint), HasTag(path, fingerprint));
        }

        if (Oval(updater) is { } oval)
        {
            return HasTag(oval, OvalTag(fingerprint));
        }

        return updater switch
        {
            "debian/updater" => HasDate("/security-tracker.debian.org/tracker/data/json", fingerprint),
            "rhel-vex" => RhelVex(fingerprint),
            "clair.cvss" => Cvss(fingerprint),
            _ when updater.StartsWith("aws-", StringComparison.Ordinal) => Aws(updater, fingerprint),
            _ => null,
        };
    }

    private static bool? Either(bool? a, bool? b) => a is null ? b : b is null ? a : a.Value || b.Value;

    private bool? HasTag(string? path, string? tag) =>
        path is not null && _entries.TryGetValue(path, out GenerationEntry? entry) ? tag == Tag(entry) : null;

    private static string Tag(GenerationEntry entry) => entry.Validators ? $"\"{entry.Sha256}\"" : "";

    private bool? HasDate(string path, string date) =>
        _entries.TryGetValue(path, out GenerationEntry? entry)
            ? entry.LastModified is { } modified && date == modified.UtcDateTime.ToString("R", CultureInfo.InvariantCulture)
            : null;

    private string? Osv(string ecosystem) => _entries.Keys.FirstOrDefault(p => OsvArchive().Match(p) is { Success: true } m
        && string.Equals(m.Groups[1].Value.Split(':')[0], ecosystem, StringComparison.OrdinalIgnoreCase));

    /// <summary>The file of an updater that reads OVAL through the shared fetcher (claircore pkg/ovalutil/fetcher.go).</summary>
    private static string? Oval(string updater) =>
        Oracle().Match(updater) is { Success: true } oracle ? $"{ServedFeeds.OraclePath}com.oracle.elsa-{oracle.Groups[1].Value}.xml.bz2"
        : Photon().Match(updater) is { Success: true } photon ? $"{ServedFeeds.PhotonPath}com.vmware.phsa-photon{photon.Groups[1].Value}.xml"
        : updater.StartsWith("suse-updater-", StringComparison.Ordinal) ? $"{ServedFeeds.SusePath}{updater[13..]}.xml.gz"
        : null;

    private static string? OvalTag(string fingerprint)
    {
        try
        {
            using var json = JsonDocument.Parse(fingerprint);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("Etag", out JsonElement tag) ? tag.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>changes' ETag \ deletions' ETag \ time of the run \ version.</summary>
    private bool? RhelVex(string fingerprint)
    {
        if (!_entries.TryGetValue(VexPath + "changes.csv", out GenerationEntry? changes) || !_entries.TryGetValue(VexPath + "deletions.csv", out GenerationEntry? deletions))
        {
            return null;
        }

        return fingerprint.Split('\\') is [var changesTag, var deletionsTag, _, _] && changesTag == Tag(changes) && deletionsTag == Tag(deletions);
    }

    /// <summary>A digest for each year; Clair has the years up to its own, the mirror may have prepared the next.</summary>
    private bool? Cvss(string fingerprint)
    {
        Dictionary<string, string> expected = _cvss ??= ReadMeta();
        if (expected.Count == 0)
        {
            return null;
        }

        try
        {
            Dictionary<string, string>? years = JsonSerializer.Deserialize<Dictionary<string, string>>(fingerprint);
            return years is { Count: > 0 } && years.All(y => expected.TryGetValue(y.Key, out string? digest) && string.Equals(digest, y.Value, StringComparison.OrdinalIgnoreCase));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private Dictionary<string, string> ReadMeta()
    {
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string path, GenerationEntry entry) in _entries)
        {
            if (Meta().Match(path) is { Success: true } match)
            {
                using var reader = new StreamReader(_store.OpenRead(entry.Sha256));
                while (reader.ReadLine() is { } line)
                {
                    if (line.StartsWith("sha256:", StringComparison.Ordinal))
                    {
                        digests[match.Groups[1].Value] = line[7..].Trim();
                    }
                }
            }
        }

        return digests;
    }

    /// <summary>The checksum of updateinfo in repomd.xml.</summary>
    private bool? Aws(string updater, string fingerprint)
    {
        string part = updater switch { "aws-AL1-updater" => "/2018.03/", "aws-AL2-updater" => "/2/core/", "aws-AL2023-updater" => "/al2023/", _ => "" };
        GenerationEntry? list = part.Length == 0 ? null
            : _entries.Values.FirstOrDefault(e => e.Path.Contains(part, StringComparison.Ordinal) && e.Path.EndsWith("/repodata/repomd.xml", StringComparison.Ordinal));
        if (list is null)
        {
            return null;
        }

        using var reader = XmlReader.Create(
            _store.OpenRead(list.Sha256), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, CloseInput = true, MaxCharactersInDocument = 16 << 20 });
        try
        {
            return XDocument.Load(reader).Descendants()
                .Where(e => e.Name.LocalName == "data" && (string?)e.Attribute("type") == "updateinfo")
                .SelectMany(e => e.Elements().Where(c => c.Name.LocalName == "checksum"))
                .Any(c => string.Equals(c.Value.Trim(), fingerprint, StringComparison.OrdinalIgnoreCase));
        }
        catch (XmlException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\Aalpine-(main|community)-(v[0-9]+\.[0-9]+|edge)-updater\z", RegexOptions.CultureInvariant)]
    private static partial Regex Alpine();

    [GeneratedRegex(@"\Aoracle-([0-9]{4})-updater\z", RegexOptions.CultureInvariant)]
    private static partial Regex Oracle();

    [GeneratedRegex(@"\Aphoton-updater-(?:photon)?([0-9]+)(?:\.0)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Photon();

    [GeneratedRegex(@"\A/osv-vulnerabilities\.storage\.googleapis\.com/([^/]+)/all\.zip\z", RegexOptions.CultureInvariant)]
    private static partial Regex OsvArchive();

    [GeneratedRegex(@"\A/nvd\.nist\.gov/feeds/json/cve/2\.0/nvdcve-2\.0-([0-9]{4})\.meta\z", RegexOptions.CultureInvariant)]
    private static partial Regex Meta();
}

using System.Text;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;
using QuayAirGap.Core.Sources;
using QuayAirGap.TestKit.Samples;

namespace QuayAirGap.Core.Tests.Clair;

/// <summary>Configurations as people have them, and a mirror that serves everything.</summary>
internal static class ClairKit
{
    public static readonly Uri Mirror = new("http://mirror.example:8080/");

    public static readonly string[] OperatorVersions = ["3.15", "3.16", "3.17", "3.18"];

    private static readonly Dictionary<string, string> s_ubuntu = new() { ["focal"] = "20.04", ["jammy"] = "22.04", ["noble"] = "24.04" };

    public static string Fixture(string name) => File.ReadAllText(Path.Combine(RepositoryFolders.Root, "tests", "fixtures", "clair", name));

    /// <summary>All sources but those named, all files of each.</summary>
    public static ServedFeeds Served(params string[] without)
    {
        IEnumerable<string> paths =
        [
            .. Enumerable.Range(2007, 20).Select(y => $"{ServedFeeds.OraclePath}com.oracle.elsa-{y}.xml.bz2"),
            .. Enumerable.Range(1, 5).Select(r => $"{ServedFeeds.PhotonPath}com.vmware.phsa-photon{r}.xml"),
            .. s_ubuntu.Keys.Append("oracular").Select(n => $"{ServedFeeds.UbuntuOvalPath}com.ubuntu.{n}.cve.oval.xml.bz2"),
            .. ((string[])["Go", "Maven", "PyPI", "RubyGems"]).Select(e => $"/osv-vulnerabilities.storage.googleapis.com/{e}/all.zip"),
        ];
        return ServedFeeds.Of(SourceCatalog.All.Select(s => s.Name).Except(without), [.. paths], s_ubuntu);
    }

    public static AirGapRequest Request(AirGapMode mode, params string[] without) => new()
    {
        Mode = mode,
        MirrorUri = Mirror,
        Served = Served(without),
        Year = 2026,
        MappingFolder = mode == AirGapMode.Offline ? "/data" : null,
    };

    /// <summary>The operator's own configuration with the person's on top, as its pod has them.</summary>
    public static ClairConfiguration Operator(string version, string? user) => ClairConfiguration.Of(
        [("config.yaml", Fixture($"operator-{version}.yaml")), .. user is null ? ((string, string)[])[] : [("01_user_config.yaml", user)]]);

    public static string Secret(string? clairConfig, string? quayConfig = null)
    {
        static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        return "# made by the platform team\napiVersion: v1\nkind: Secret\nmetadata:\n  name: config-bundle-secret\n  namespace: quay\ndata:\n"
            + $"  config.yaml: {Encode(quayConfig ?? "SERVER_HOSTNAME: quay.example\n")}\n"
            + (clairConfig is null ? "" : $"  clair-config.yaml: {Encode(clairConfig)}  # Clair's part\n")
            + "  ssl.cert: bm90IGEgY2VydGlmaWNhdGU=\ntype: Opaque\n";
    }

    public static string? ClairConfigOf(string manifest) =>
        ClairYaml.Parse(manifest).Root!["data"]?["clair-config.yaml"] is JsonValue value
            ? Encoding.UTF8.GetString(Convert.FromBase64String(value.GetValue<string>()))
            : null;
}

using System.Text.Json.Nodes;
using QuayAirGap.Core.Clair;

namespace QuayAirGap.Core.Quay;

/// <summary>
/// The proxy variables of a Clair whose feeds come from a mirror that answers as upstream. They carry the indexer's requests too: Quay, its
/// object storage and the webhooks' targets stay out of the proxy, or every scan fails.
/// </summary>
/// <param name="Proxy">The mirror's address as a proxy.</param>
/// <param name="NoProxy">Names and networks that are asked directly, in NO_PROXY's form.</param>
public sealed record ProxySettings(Uri Proxy, IReadOnlyList<string> NoProxy)
{
    private static readonly string[] s_always = ["localhost", "127.0.0.1", "::1"];
    private static readonly string[] s_cluster = [".svc", ".cluster.local"];
    private static readonly string[] s_storageKeys = ["hostname", "host", "endpoint_url"];

    /// <param name="proxy">The mirror's address.</param>
    /// <param name="noProxy">What the person named: at least Quay and its storage.</param>
    /// <param name="inCluster">Whether the names of a cluster's services stay out, too.</param>
    /// <param name="clair">Clair's configuration, for the addresses in it; or null.</param>
    /// <param name="quay">Quay's config.yaml, for its own name and its storage's; or null.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ClairModeIncomplete"/>: nobody says where Quay is.</exception>
    public static ProxySettings For(Uri? proxy, IReadOnlyList<string> noProxy, bool inCluster, JsonNode? clair, JsonNode? quay)
    {
        if (proxy is null)
        {
            throw new FeedException(
                ErrorIds.ClairModeIncomplete, "Mode Upstream needs the mirror's address as a proxy.", nameof(AirGapMode.Upstream), "Name it with -ProxyUri.");
        }

        string? own = JsonPatches.Find(quay, "SERVER_HOSTNAME") is JsonValue name && name.TryGetValue(out string? text) ? text.Split(':')[0] : null;
        if (noProxy.Count == 0 && own is null)
        {
            throw new FeedException(
                ErrorIds.ClairModeIncomplete,
                "Mode Upstream needs to know which hosts are not behind the proxy: Clair fetches images by the same variables, and every scan fails where Quay or its storage are asked through the mirror.",
                nameof(AirGapMode.Upstream), "Name Quay, its object storage and the targets of webhooks with -NoProxy.");
        }

        IEnumerable<string> found = Addresses(clair).Concat(Storage(JsonPatches.Find(quay, "DISTRIBUTED_STORAGE_CONFIG")));
        return new ProxySettings(
            proxy, [.. s_always.Concat(inCluster ? s_cluster : []).Concat(own is null ? [] : [own]).Concat(noProxy).Concat(found).Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    /// <summary>Name and value; Go takes the upper-case names first.</summary>
    public IReadOnlyList<(string Name, string Value)> Variables =>
    [
        ("HTTP_PROXY", Proxy.AbsoluteUri.TrimEnd('/')), ("HTTPS_PROXY", Proxy.AbsoluteUri.TrimEnd('/')), ("NO_PROXY", string.Join(',', NoProxy)),
    ];

    private static IEnumerable<string> Addresses(JsonNode? clair)
    {
        string[][] places =
        [
            ["matcher", "indexer_addr"], ["notifier", "indexer_addr"], ["notifier", "matcher_addr"], ["notifier", "webhook", "target"],
            ["notifier", "webhook", "callback"],
        ];
        return places.Select(p => Host(JsonPatches.Find(clair, p))).OfType<string>();
    }

    private static IEnumerable<string> Storage(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(m => s_storageKeys.Contains(m.Key) && Host(m.Value) is { } host ? [host] : Storage(m.Value)),
        JsonArray list => list.SelectMany(Storage),
        _ => [],
    };

    private static string? Host(JsonNode? node)
    {
        if (node is not JsonValue value || !value.TryGetValue(out string? text) || text.Length == 0)
        {
            return null;
        }

        return Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out Uri? uri) ? uri.Host : null;
    }
}

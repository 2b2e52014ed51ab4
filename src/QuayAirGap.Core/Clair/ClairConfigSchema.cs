using System.Text.Json.Nodes;

namespace QuayAirGap.Core.Clair;

/// <summary>
/// The keys outside Clair's free-form maps: one that it does not know stops it from starting (clair config/*.go, decoded with
/// DisallowUnknownFields). Upper and lower case are the same.
/// </summary>
internal static class ClairConfigSchema
{
    /// <summary>What may be anything: updaters' and scanners' own settings, and the brokers' and tracers', which this product never touches.</summary>
    private static readonly Dictionary<string, object?> s_free = [];

    private static readonly Dictionary<string, object?> s_root = Map(
        ("http_listen_addr", null), ("introspection_addr", null), ("log_level", null),
        ("tls", Map(("cert", null), ("key", null), ("root_ca", null))),
        ("indexer", Map(
            ("connstring", null), ("scanlock_retry", null), ("layer_scan_concurrency", null), ("index_report_request_concurrency", null),
            ("migrations", null), ("airgap", null), ("scanner", Map(("package", s_free), ("dist", s_free), ("repo", s_free))))),
        ("matcher", Map(
            ("connstring", null), ("indexer_addr", null), ("period", null), ("update_retention", null), ("cache_age", null), ("max_conn_pool", null),
            ("migrations", null), ("disable_updaters", null), ("disable_enrichment", null))),
        ("matchers", Map(("names", null), ("config", s_free))),
        ("updaters", Map(("sets", null), ("config", s_free), ("filter", null))),
        ("notifier", Map(
            ("connstring", null), ("migrations", null), ("indexer_addr", null), ("matcher_addr", null), ("poll_interval", null),
            ("delivery_interval", null), ("disable_summary", null),
            ("webhook", Map(("target", null), ("callback", null), ("headers", s_free), ("signed", null))), ("amqp", s_free), ("stomp", s_free))),
        ("auth", Map(("psk", Map(("key", null), ("iss", null))))),
        ("trace", s_free), ("metrics", s_free));

    /// <summary>Every key that Clair refuses, with the names that it would have understood in its place.</summary>
    public static IEnumerable<(string[] Path, IReadOnlyCollection<string> Known)> Unknown(JsonObject configuration) => Unknown(configuration, s_root, []);

    private static IEnumerable<(string[] Path, IReadOnlyCollection<string> Known)> Unknown(
        JsonObject map, Dictionary<string, object?> schema, string[] at)
    {
        foreach ((string key, JsonNode? value) in map)
        {
            string[] path = [.. at, key];
            if (!schema.TryGetValue(key, out object? inner))
            {
                yield return (path, schema.Keys);
            }
            else if (inner is Dictionary<string, object?> { Count: > 0 } deeper && value is JsonObject child)
            {
                foreach ((string[] Path, IReadOnlyCollection<string> Known) found in Unknown(child, deeper, path))
                {
                    yield return found;
                }
            }
        }
    }

    private static Dictionary<string, object?> Map(params (string Key, object? Inner)[] entries) =>
        entries.ToDictionary(e => e.Key, e => e.Inner, StringComparer.OrdinalIgnoreCase);
}

using System.Text.Json.Nodes;
using QuayAirGap.Core.Sites;

namespace QuayAirGap.Commands;

/// <summary>Adds to the site's ledger what a person decided. The caller holds the site's lock.</summary>
internal static class LedgerLine
{
    public static void Append(Site site, string happened, params (string Key, string Value)[] details) =>
        new Ledger(site, TimeProvider.System).Append(happened, new JsonObject(details.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)JsonValue.Create(d.Value)))));
}

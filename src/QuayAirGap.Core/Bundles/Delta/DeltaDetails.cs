using System.Text.Json.Nodes;
using QuayAirGap.Core.Snapshots;

namespace QuayAirGap.Core.Bundles.Delta;

/// <summary>What a ledger's line says of a bundle's kind.</summary>
internal static class DeltaDetails
{
    public static void Add(JsonObject details, Snapshot snapshot)
    {
        details["kind"] = snapshot.Base is null ? "full" : "delta";
        if (snapshot.Base is not null)
        {
            details["base"] = snapshot.Base;
            details["baseSequence"] = snapshot.BaseSequence;
        }
    }
}

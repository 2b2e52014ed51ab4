using System.Text;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Sources;

namespace QuayAirGap.Docs.Tests;

/// <summary>The catalogue of sources as the page shows it.</summary>
internal static class SourceTable
{
    public const string Begin = "<!-- catalogue: written by Docs.Tests/ReferenceTests -->";
    public const string End = "<!-- end of the catalogue -->";

    public static string Write()
    {
        var text = new StringBuilder();
        foreach (SourceDefinition source in SourceCatalog.All)
        {
            text.Append($"## {source.Name}\n\n{source.Covers}\n\n| | |\n|---|---|\n");
            Row(text, "is", source.Kind switch
            {
                SourceKind.UpdaterSet => "an updater set: vulnerabilities",
                SourceKind.Enrichment => "an updater set: enrichments",
                _ => "a mapping that the indexer needs",
            });
            Row(text, "by default", source.EnabledByDefault ? "collected" : "off");
            Row(text, "upstream", $"`{source.Uri.AbsoluteUri}`{(source.MirrorUri is { } second ? $", `{second.AbsoluteUri}`" : "")}");
            Row(text, "hosts for the firewall", List(source.Hosts));
            Row(text, "updaters in Clair", string.Join("<br>", source.UpdaterNames.Select(u => $"`{u.Pattern}`{(u.Clair == "all" ? "" : $" ({u.Clair})")}")));
            Row(text, "distributions", List(source.Distributions));
            Row(text, "ecosystems", List(source.Ecosystems));
            Row(text, "parts", source.PartKind is { } kind ? kind + (source.DefaultParts.Count > 0 ? $"; by default {List(source.DefaultParts)}" : "; by default all") : "");
            Row(text, "changes about every", FeedDuration.Format(source.Cadence));
            text.Append('\n');
        }

        return text.ToString();
    }

    private static void Row(StringBuilder text, string name, string value)
    {
        if (value.Length > 0)
        {
            text.Append($"| {name} | {value} |\n");
        }
    }

    private static string List(IEnumerable<string> items) => string.Join(", ", items.Select(i => $"`{i}`"));
}

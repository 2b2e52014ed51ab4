using QuayAirGap.Core.Sites;

namespace QuayAirGap.Core.Pages;

/// <summary>What was done to the site last, from its ledger.</summary>
internal static class StatusEvents
{
    public static void Write(HtmlWriter html, StatusFacts facts)
    {
        html.Open("section", ("aria-labelledby", "events-title")).Element("h2", "Last imports and captures", ("id", "events-title"));
        if (facts.LedgerTrouble is { } trouble)
        {
            html.Open("p", ("class", "notice notice-critical")).Element("strong", "The ledger cannot be read. ").Text(trouble).Close();
        }
        else if (facts.Events.Count == 0)
        {
            html.Element("p", "The ledger tells of none.");
        }

        if (facts.Events.Count > 0)
        {
            html.Open("table", ("class", "events")).Open("thead").Open("tr");
            foreach (string head in new[] { "When (UTC)", "What", "Bundle", "By", "Remarks" })
            {
                html.Element("th", head, ("scope", "col"));
            }

            html.Close(2).Open("tbody").Line();
            foreach (LedgerEntry entry in facts.Events)
            {
                html.Open("tr", ("class", entry.Event == LedgerEvents.BundleRefused ? "refused" : null))
                    .Open("td", ("data-head", "When")).Moment(entry.Time, utc: false).Close()
                    .Element("td", What(entry), ("data-head", "What"))
                    .Element("td", Of(entry, "bundle") is { Length: > 0 } bundle ? bundle : "–", ("data-head", "Bundle"), ("class", "file"))
                    .Element("td", entry.Actor, ("data-head", "By"), ("class", "file"))
                    .Element("td", Remarks(entry), ("data-head", "Remarks")).Close().Line();
            }

            html.Close(2);
        }

        html.Close().Line();
    }

    private static string What(LedgerEntry entry) => entry.Event switch
    {
        LedgerEvents.FeedSaved => $"Captured as bundle {Of(entry, "sequence")}",
        LedgerEvents.FeedImported => $"Imported bundle {Of(entry, "sequence")} as generation {Of(entry, "generation")}",
        LedgerEvents.FeedRestored => $"Restored generation {Of(entry, "restored")} as {Of(entry, "generation")}",
        LedgerEvents.BundleRefused => $"✕ Refused: {Of(entry, "error")}",
        _ => entry.Event,
    };

    private static string Remarks(LedgerEntry entry) => entry.Event switch
    {
        LedgerEvents.BundleRefused => Of(entry, "reason"),
        LedgerEvents.FeedSaved when Of(entry, "failed") is { Length: > 0 } failed => $"Failed: {failed}",
        LedgerEvents.FeedImported or LedgerEvents.FeedRestored when Of(entry, "heldBack") is { Length: > 0 } held && held != "0" => $"{held} held back",
        _ => "–",
    };

    private static string Of(LedgerEntry entry, string name) => entry.Details[name]?.ToString() ?? "";
}

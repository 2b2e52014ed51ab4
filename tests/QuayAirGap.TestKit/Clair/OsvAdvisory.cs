using System.Text.Json;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>What Clair makes of one member of an OSV archive (claircore:updater/osv/schema.go and osv.go).</summary>
internal static class OsvAdvisory
{
    /// <summary>Reads an advisory; returns its id where Clair would store something of it, else null.</summary>
    /// <param name="json">The member.</param>
    /// <param name="release">Which Clair.</param>
    /// <param name="now">Clair's clock, for withdrawals.</param>
    /// <exception cref="ClairException">The ecosystem fails, or the process crashes.</exception>
    /// <exception cref="JsonException">The member is no JSON; the ecosystem fails.</exception>
    public static string? Ingest(ReadOnlySpan<byte> json, ClairRelease release, DateTimeOffset now)
    {
        using var document = GoJson.Decode(json);
        var advisory = document.RootElement;
        CheckTypes(advisory);
        var id = GoJson.Text(advisory, "id");
        var affected = GoJson.Items(advisory, "affected").ToArray();
        var ranges = affected.SelectMany(a => GoJson.Items(a, "ranges").Select(range => (Affected: a, Range: range))).ToArray();
        var fromSource = ranges.Where(r => GoJson.Text(r.Range, "type") != "GIT").ToArray();

        // An advisory without any range counts as one of git ranges only.
        if (now > GoJson.Time(advisory, "withdrawn") || fromSource.Length == 0)
        {
            return null;
        }

        foreach (var severity in GoJson.Items(advisory, "severity"))
        {
            if (release == ClairRelease.V490 && CvssVector.Panics(GoJson.Text(severity, "type"), GoJson.Text(severity, "score")))
            {
                throw ClairException.Crashed($"panic: programmer error: invalid vector constructed ({id}: {GoJson.Text(severity, "score")})");
            }
        }

        var stored = false;
        foreach (var (package, range) in fromSource)
        {
            var ecosystem = GoJson.Member(package, "package") is { } named ? GoJson.Text(named, "ecosystem") : string.Empty;
            var hasEvents = GoJson.Items(range, "events").Any();
            if (hasEvents && ecosystem is "Go" or "npm" && GoJson.Text(range, "type") == "ECOSYSTEM")
            {
                throw ClairException.Failed($"unexpected \"ECOSYSTEM\" entry for \"{ecosystem}\" ecosystem: {id}");
            }

            stored |= hasEvents;
        }

        return stored ? id : null;
    }

    private static void CheckTypes(JsonElement advisory)
    {
        foreach (var text in new[] { "schema_version", "id", "summary", "details" })
        {
            _ = GoJson.Text(advisory, text);
        }

        foreach (var time in new[] { "modified", "published", "withdrawn" })
        {
            _ = GoJson.Time(advisory, time);
        }

        foreach (var texts in new[] { "aliases", "related" })
        {
            CheckTexts(advisory, texts);
        }

        foreach (var affected in GoJson.Items(advisory, "affected"))
        {
            CheckTexts(affected, "versions");
            CheckMembers(GoJson.Member(affected, "package"), "ecosystem", "name", "purl");
            foreach (var range in GoJson.Items(affected, "ranges"))
            {
                CheckMembers(range, "type", "repo");
                CheckAll(range, "events", "introduced", "fixed", "last_affected", "limit");
            }
        }

        CheckAll(advisory, "severity", "type", "score");
        CheckAll(advisory, "references", "type", "url");
        foreach (var credit in GoJson.Items(advisory, "credits"))
        {
            CheckMembers(credit, "name");
            CheckTexts(credit, "contact");
        }
    }

    private static void CheckAll(JsonElement parent, string list, params string[] members)
    {
        foreach (var item in GoJson.Items(parent, list))
        {
            CheckMembers(item, members);
        }
    }

    private static void CheckMembers(JsonElement? value, params string[] members)
    {
        foreach (var member in members)
        {
            _ = value is { } present ? GoJson.Text(present, member) : null;
        }
    }

    private static void CheckTexts(JsonElement parent, string list)
    {
        foreach (var item in GoJson.Items(parent, list))
        {
            if (item.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
            {
                throw ClairException.Failed($"json: cannot unmarshal {item.ValueKind} into Go struct field .{list} of type string");
            }
        }
    }
}

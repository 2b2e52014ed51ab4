using System.Text.Json;
using QuayAirGap.TestKit.Clair.Go;

namespace QuayAirGap.TestKit.Clair;

/// <summary>What Clair reads of a CSAF document before it looks at products (claircore:toolkit/types/csaf, rhel/vex/parser.go).</summary>
/// <param name="Id">The document's tracking id.</param>
/// <param name="IsDeleted">Its status says that it is deleted.</param>
/// <param name="HasVulnerabilities">It lists at least one; Clair passes over a document that lists none.</param>
internal sealed record CsafDocument(string Id, bool IsDeleted, bool HasVulnerabilities)
{
    public static CsafDocument Read(byte[] json)
    {
        // Clair compacts each document first, which refuses anything after the JSON value.
        using var parsed = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 10_000 });
        var root = parsed.RootElement;
        var id = string.Empty;
        var status = string.Empty;
        if (GoJson.Member(root, "document") is { } document && GoJson.Member(document, "tracking") is { } tracking)
        {
            id = GoJson.Text(tracking, "id");
            status = GoJson.Text(tracking, "status");
            _ = GoJson.Time(tracking, "current_release_date");
            _ = GoJson.Time(tracking, "initial_release_date");
        }

        var vulnerabilities = 0;
        foreach (var vulnerability in GoJson.Items(root, "vulnerabilities"))
        {
            _ = GoJson.Time(vulnerability, "release_date");
            vulnerabilities++;
        }

        return new CsafDocument(id, status == "deleted", vulnerabilities > 0);
    }
}

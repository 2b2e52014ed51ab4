namespace QuayAirGap.Core.Tests.Osv;

/// <summary>Documents in OSV's format.</summary>
internal static class Advisories
{
    public const string GoodVector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

    /// <summary>No impact metrics: claircore up to v1.5.48 panics.</summary>
    public const string BadVector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U";

    public static string Sound(string id, string ecosystem = "PyPI") => With(id, GoodVector, ecosystem);

    public static string Crashing(string id, string ecosystem = "PyPI") => With(id, BadVector, ecosystem);

    public static string With(string id, string vector, string ecosystem = "PyPI", string more = "") => $$"""
        {
          "schema_version": "1.6.0",
          "id": "{{id}}",
          "modified": "2025-02-06T12:06:10.123456Z",
          "published": "2025-01-01T00:00:00Z",{{more}}
          "aliases": ["CVE-2025-0001"],
          "summary": "Something in {{id}} is wrong",
          "details": "{{string.Concat(Enumerable.Repeat("It goes on and on. ", 20))}}",
          "severity": [{"type": "CVSS_V3", "score": "{{vector}}"}],
          "affected": [{
            "package": {"ecosystem": "{{ecosystem}}", "name": "example", "purl": "pkg:{{ecosystem}}/example"},
            "ranges": [{"type": "{{(ecosystem is "Go" or "npm" ? "SEMVER" : "ECOSYSTEM")}}", "events": [{"introduced": "0"}, {"fixed": "1.2.3"}]}],
            "versions": ["1.0.0"]
          }],
          "references": [{"type": "WEB", "url": "https://example.invalid/{{id}}"}],
          "database_specific": {"severity": "HIGH"}
        }
        """;

    public static (string Name, string Content)[] Many(int count, string ecosystem = "PyPI") =>
        [.. Enumerable.Range(1, count).Select(i => ($"GHSA-{i:d4}.json", Sound($"GHSA-{i:d4}", ecosystem)))];
}

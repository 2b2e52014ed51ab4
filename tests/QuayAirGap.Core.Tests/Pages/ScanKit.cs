using System.Text;
using System.Text.Json.Nodes;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Scanning;
using QuayAirGap.Core.Tests.Coverage;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>Vulnerability reports in Clair's form, made of the index reports of the fixtures and findings of a test's choice.</summary>
internal static class ScanKit
{
    public const string Cvss = "message/vnd.clair.map.vulnerability; enricher=clair.cvss schema=https://csrc.nist.gov/schema/nvd/api/2.0/cve_api_json_2.0.schema";

    /// <summary>A report on the image of a fixture.</summary>
    /// <param name="fixture">Whose index report.</param>
    /// <param name="findings">Name, severity, fixed in, updater, CVSS; of the image's packages in turn.</param>
    public static JsonObject Report(string fixture, params (string Name, string Severity, string Fixed, string Updater, double? Cvss)[] findings)
    {
        var report = (JsonObject)JsonNode.Parse(File.ReadAllText(CoverageSite.FixturePath(fixture)))!;
        foreach (string member in new[] { "state", "success", "err" })
        {
            report.Remove(member);
        }

        string[] packages = [.. ((JsonObject)report["packages"]!).Select(p => p.Key)];
        var vulnerabilities = new JsonObject();
        var of = new JsonObject();
        var scores = new JsonObject();
        for (int i = 0; i < findings.Length; i++)
        {
            (string name, string severity, string fixedIn, string updater, double? cvss) = findings[i];
            string id = FormattableString.Invariant($"{900 + i}");
            vulnerabilities[id] = new JsonObject
            {
                ["id"] = id,
                ["updater"] = updater,
                ["name"] = name,
                ["description"] = $"Something is wrong with {name}.",
                ["issued"] = "2026-10-01T00:00:00Z",
                ["links"] = $"https://security-tracker.debian.org/tracker/{Uri.EscapeDataString(name)} https://other.example/",
                ["severity"] = "important",
                ["normalized_severity"] = severity,
                ["package"] = new JsonObject { ["id"] = "", ["name"] = "affected", ["version"] = "" },
                ["fixed_in_version"] = fixedIn,
            };
            string package = packages[i % packages.Length];
            of[package] ??= new JsonArray();
            ((JsonArray)of[package]!).Add(id);
            if (cvss is { } score)
            {
                scores[id] = new JsonArray(
                    new JsonObject { ["version"] = "2.0", ["vectorString"] = "AV:N/AC:L/Au:N/C:C/I:C/A:C", ["baseScore"] = 10.0 },
                    new JsonObject { ["version"] = "3.1", ["vectorString"] = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", ["baseScore"] = score });
            }
        }

        report["vulnerabilities"] = vulnerabilities;
        report["package_vulnerabilities"] = of;
        report["enrichments"] = scores.Count == 0 ? null : new JsonObject { [Cvss] = new JsonArray(scores) };
        return report;
    }

    public static VulnerabilityReport Read(JsonNode report) => VulnerabilityReport.Read(new MemoryStream(Encoding.UTF8.GetBytes(report.ToJsonString())));

    public static JsonObject Debian() => Report(
        "debian-12",
        ("CVE-2026-0001", "Medium", "", "debian/updater", 5.3), ("CVE-2026-0002", "Critical", "2.36-9+deb12u9", "debian/updater", 9.8), ("CVE-2026-0003", "Unknown", "", "debian/updater", null));

    public static StoredReport Stored(string name, JsonObject report, DateTimeOffset? takenAt = null)
    {
        VulnerabilityReport read = Read(report);
        return new StoredReport { Name = name, ManifestDigest = read.Index.ManifestDigest, Index = read.Index, Findings = read.Findings, TakenAt = takenAt ?? CoverageSite.Now.AddMinutes(-10) };
    }

    /// <summary>What the site says of some images now.</summary>
    public static ScanReport Judge(CoverageSite site, params StoredReport[] reports)
    {
        SiteFeeds feeds = site.Feeds;
        CoverageEvaluator evaluator = site.Evaluator();
        return ScanReport.Of("lab", feeds, evaluator, reports.Select(r => r.Judge(evaluator, feeds)));
    }

    /// <summary>As many images as are asked for, of all the fixtures' kinds in turn.</summary>
    public static ScanReport Fleet(CoverageSite site, int count)
    {
        string[] kinds = ["debian-12", "alpine-3.22", "ubi-8", "rocky-9", "debian-10", "python-on-alpine", "go-scratch", "wolfi", "photon-5", "debian-13"];
        VulnerabilityReport[] reports =
        [
            .. kinds.Select((k, i) => Read(Report(
                k,
                [
                    .. Enumerable.Range(0, i % 4).Select(n => (
                        FormattableString.Invariant($"CVE-2026-1{i}{n}"), n == 0 ? "High" : "Low", n == 1 ? "1.2.3" : "", "debian/updater", (double?)(4.5 + n))),
                ]))),
        ];
        return Judge(site, [.. Enumerable.Range(0, count).Select(i => new StoredReport
        {
            Name = FormattableString.Invariant($"registry.lab.example/{(i % 3 == 0 ? "shop" : "platform")}/service-{i:D4}:2026.{i % 12 + 1}"),
            ManifestDigest = reports[i % reports.Length].Index.ManifestDigest,
            Index = reports[i % reports.Length].Index,
            Findings = reports[i % reports.Length].Findings,
            TakenAt = CoverageSite.Now.AddMinutes(-10),
        })]);
    }
}

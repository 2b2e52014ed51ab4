using System.Text.Json;
using QuayAirGap.Core.Collecting;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Core.Scanning;

/// <summary>
/// A scan report as SARIF 2.1.0: a run for each image. A verdict other than Covered makes the run one that did not succeed, with each gap
/// as a notification of the tool's configuration: a consumer that looks only at results must not take few of them for a good sign.
/// </summary>
public static class ScanSarif
{
    public static void Write(Stream output, ScanReport report) => ScanDocument.Write(output, report, Head, "runs", (json, image) => Run(json, report, image));

    private static void Head(Utf8JsonWriter json)
    {
        json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        json.WriteString("version", "2.1.0");
    }

    private static void Run(Utf8JsonWriter json, ScanReport report, ScannedImage image)
    {
        ImageCoverage coverage = image.Coverage;
        ScanFinding[] rules = [.. image.Findings.DistinctBy(f => f.Name)];
        Dictionary<string, int> index = rules.Select((f, i) => (f.Name, i)).ToDictionary(r => r.Name, r => r.i, StringComparer.Ordinal);
        string[] codes = [.. coverage.Gaps.Select(g => g.Code).Concat(coverage.Notes.Select(n => n.Code)).Append(Code(coverage)).Distinct()];

        json.WriteStartObject();
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "QuayAirGap");
        json.WriteString("version", UpstreamClient.ProductVersion);
        json.WriteStartArray("rules");
        foreach (ScanFinding rule in rules)
        {
            Rule(json, rule);
        }

        json.WriteEndArray();
        json.WriteStartArray("notifications");
        foreach (string code in codes)
        {
            json.WriteStartObject();
            json.WriteString("id", code);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();

        json.WriteStartObject("automationDetails");
        json.WriteString("id", $"{image.Name}/{coverage.ManifestDigest}");
        json.WriteEndObject();
        Invocation(json, report, image);

        json.WriteStartArray("results");
        foreach (ScanFinding finding in image.Findings)
        {
            Result(json, report, image, finding, index[finding.Name]);
        }

        json.WriteEndArray();
        json.WriteStartObject("properties");
        json.WriteString("verdict", coverage.Verdict.ToString());
        json.WriteString("clairRelease", report.ClairRelease);
        json.WriteString("clairAsked", report.ClairAsked.ToString());
        json.WriteString("reportTakenAt", ScanText.Time(image.TakenAt));
        json.WriteString("goodUntil", ScanText.Time(image.GoodUntil));
        json.WriteNumber("packages", coverage.PackageCount);
        json.WriteNumber("packagesSpokenFor", coverage.PackagesSpokenFor);
        json.WriteStartArray("restsOn");
        foreach (CoverageNeed need in coverage.Needs)
        {
            json.WriteStringValue($"{need.Source}{(need.Part is null ? "" : "/" + need.Part)} {ScanText.Time(need.CapturedAt) ?? "no content"}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Invocation(Utf8JsonWriter json, ScanReport report, ScannedImage image)
    {
        ImageCoverage coverage = image.Coverage;
        json.WriteStartArray("invocations");
        json.WriteStartObject();
        json.WriteBoolean("executionSuccessful", coverage.Verdict == CoverageVerdict.Covered);
        json.WriteString("endTimeUtc", ScanText.Time(report.MadeAt));
        json.WriteStartArray("toolConfigurationNotifications");

        // The verdict first, whatever else there is to say.
        Notification(json, Code(coverage), Level(coverage.Verdict), $"{coverage.Summary}. {ScanText.Findings(image)}. {ScanText.Basis(report)}");
        foreach (CoverageGap gap in coverage.Gaps)
        {
            Notification(json, gap.Code, Level(gap.Verdict), $"{gap.Message} {gap.Remedy}");
        }

        foreach (CoverageNote note in coverage.Notes)
        {
            Notification(json, note.Code, "note", note.Message);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Notification(Utf8JsonWriter json, string code, string level, string text)
    {
        json.WriteStartObject();
        json.WriteStartObject("descriptor");
        json.WriteString("id", code);
        json.WriteEndObject();
        json.WriteString("level", level);
        Message(json, "message", text);
        json.WriteEndObject();
    }

    private static void Rule(Utf8JsonWriter json, ScanFinding rule)
    {
        json.WriteStartObject();
        json.WriteString("id", rule.Name);
        Message(json, "shortDescription", $"{rule.Name} ({rule.Severity})");
        if (rule.Description.Length > 0)
        {
            Message(json, "fullDescription", rule.Description);
        }

        if (rule.Link.Length > 0)
        {
            json.WriteString("helpUri", new Uri(rule.Link).AbsoluteUri);
        }

        json.WriteStartObject("properties");
        if (rule.Cvss is not null)
        {
            json.WriteString("security-severity", ScanText.Score(rule.Cvss)); // what code hosts sort by
        }

        json.WriteStartArray("tags");
        json.WriteStringValue("security");
        json.WriteStringValue("vulnerability");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Result(Utf8JsonWriter json, ScanReport report, ScannedImage image, ScanFinding f, int rule)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", f.Name);
        json.WriteNumber("ruleIndex", rule);
        json.WriteString("level", f.Severity switch { ScanSeverity.Critical or ScanSeverity.High => "error", ScanSeverity.Medium => "warning", _ => "note" });
        string fix = f.FixedIn.Length > 0 ? $"fixed in {f.FixedIn}" : "no fix known";
        string source = f.Source ?? f.Updater;
        string date = ScanText.Time(report.CapturedAt(f.Source)) is { } captured ? $", captured {captured}" : "";
        Message(json, "message", $"{f.Name} ({f.Severity}) in {f.Package} {f.PackageVersion}: {fix}. From {source}{date}. Verdict of the image: {image.Coverage.Verdict}.");
        json.WriteStartArray("locations");
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        json.WriteStartObject("artifactLocation");
        json.WriteString("uri", string.Join('/', image.Name.Split('/', '\\').Select(Uri.EscapeDataString)));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("logicalLocations");
        json.WriteStartObject();
        json.WriteString("fullyQualifiedName", $"{image.Coverage.ManifestDigest}/{f.Package}@{f.PackageVersion}");
        json.WriteString("name", f.Package);
        json.WriteString("kind", "module");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("partialFingerprints");
        json.WriteString("finding/v1", $"{f.Name}/{f.Package}@{f.PackageVersion}");
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteString("severity", f.Severity.ToString());
        json.WriteString("fixedIn", f.FixedIn);
        json.WriteString("source", f.Source);
        json.WriteString("updater", f.Updater);
        json.WriteString("capturedAt", ScanText.Time(report.CapturedAt(f.Source)));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Code(ImageCoverage coverage) => "VERDICT-" + coverage.Verdict.ToString().ToUpperInvariant();

    private static string Level(CoverageVerdict verdict) => verdict switch
    {
        CoverageVerdict.Covered => "note",
        CoverageVerdict.Stale => "warning",
        _ => "error",
    };

    private static void Message(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        json.WriteString("text", text);
        json.WriteEndObject();
    }
}

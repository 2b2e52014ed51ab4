using System.Text.Json;
using QuayAirGap.Core.Coverage;
using QuayAirGap.Core.Freshness;

namespace QuayAirGap.Core.Scanning;

/// <summary>A scan report for programs. In every object the verdict comes first.</summary>
public static class ScanJson
{
    public const string FormatName = "quayairgap.scan-report";

    public static void Write(Stream output, ScanReport report) =>
        ScanDocument.Write(output, report, json => Head(json, report), "images", (json, image) => Write(json, report, image));

    private static void Head(Utf8JsonWriter json, ScanReport report)
    {
        json.WriteString("format", FormatName);
        json.WriteNumber("version", 1);
        json.WriteString("verdict", report.Worst.ToString());
        json.WriteString("site", report.Site);
        json.WriteString("madeAt", ScanText.Time(report.MadeAt));
        json.WriteString("clairRelease", report.ClairRelease);
        json.WriteString("clairAsked", report.ClairAsked.ToString());
        json.WriteString("clairAnsweredAt", ScanText.Time(report.ClairAnsweredAt));
        if (report.Generation is { } generation)
        {
            json.WriteNumber("generation", generation);
        }

        json.WriteStartArray("feeds");
        foreach (SourceFreshness source in report.Sources)
        {
            json.WriteStartObject();
            json.WriteString("name", source.Name);
            json.WriteString("state", source.State.ToString());
            json.WriteString("level", source.Required ? source.Level.ToString() : "None");
            json.WriteString("capturedAt", ScanText.Time(source.CapturedAt));
            json.WriteString("upstreamModified", ScanText.Time(source.UpstreamModified));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ScanReport report, ScannedImage image)
    {
        ImageCoverage coverage = image.Coverage;
        json.WriteStartObject();
        json.WriteString("verdict", coverage.Verdict.ToString());
        json.WriteString("name", image.Name);
        json.WriteString("manifestDigest", coverage.ManifestDigest);
        json.WriteString("summary", coverage.Summary);
        json.WriteString("evaluatedAt", ScanText.Time(coverage.EvaluatedAt));
        json.WriteString("goodUntil", ScanText.Time(image.GoodUntil));
        json.WriteString("imageCreatedAt", ScanText.Time(coverage.ImageCreatedAt));
        json.WriteString("reportTakenAt", ScanText.Time(image.TakenAt));
        json.WriteNumber("packages", coverage.PackageCount);
        json.WriteNumber("packagesSpokenFor", coverage.PackagesSpokenFor);
        json.WriteStartArray("gaps");
        foreach (CoverageGap gap in coverage.Gaps)
        {
            json.WriteStartObject();
            json.WriteString("verdict", gap.Verdict.ToString());
            json.WriteString("code", gap.Code);
            json.WriteString("source", gap.Source);
            json.WriteString("part", gap.Part);
            json.WriteString("subject", gap.Subject);
            json.WriteNumber("packages", gap.PackageCount);
            json.WriteString("since", ScanText.Time(gap.Since));
            json.WriteString("message", gap.Message);
            json.WriteString("remedy", gap.Remedy);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (CoverageNote note in coverage.Notes)
        {
            json.WriteStartObject();
            json.WriteString("code", note.Code);
            json.WriteString("source", note.Source);
            json.WriteString("part", note.Part);
            json.WriteString("message", note.Message);
            json.WriteNumber("itemCount", note.ItemCount);
            json.WriteStartArray("items");
            foreach (string item in note.Items)
            {
                json.WriteStringValue(item);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("restsOn");
        foreach (CoverageNeed need in coverage.Needs)
        {
            json.WriteStartObject();
            json.WriteString("source", need.Source);
            json.WriteString("part", need.Part);
            json.WriteString("subject", need.Subject);
            json.WriteString("state", need.State.ToString());
            json.WriteString("capturedAt", ScanText.Time(need.CapturedAt));
            json.WriteNumber("packages", need.PackageCount);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("findings");
        foreach (ScanFinding f in image.Findings)
        {
            json.WriteStartObject();
            json.WriteString("name", f.Name);
            json.WriteString("severity", f.Severity.ToString());
            if (f.Cvss is { } score)
            {
                json.WriteNumber("cvss", score);
                json.WriteString("cvssVector", f.CvssVector);
            }

            json.WriteString("package", f.Package);
            json.WriteString("packageVersion", f.PackageVersion);
            json.WriteString("fixedIn", f.FixedIn.Length > 0 ? f.FixedIn : null);
            json.WriteString("updater", f.Updater);
            json.WriteString("source", f.Source);
            json.WriteString("capturedAt", ScanText.Time(report.CapturedAt(f.Source)));
            json.WriteString("link", f.Link.Length > 0 ? f.Link : null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}

using System.Globalization;
using System.Text;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Core.Scanning;

/// <summary>
/// A scan report as a table (RFC 4180, UTF-8 with a mark, so that spreadsheets take it for that). Every image has a row with its verdict
/// before its other rows, findings or not, and every row repeats the verdict: no filter can separate the two.
/// </summary>
public static class ScanCsv
{
    private static readonly string[] s_head =
    [
        "Verdict", "Image", "ManifestDigest", "Row", "Name", "Severity", "Cvss", "Package", "PackageVersion", "FixedIn", "Source", "CapturedAt", "ReportTakenAt",
        "Message", "Link",
    ];

    public static void Write(Stream output, ScanReport report)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true) { NewLine = "\r\n" };
        Row(text, s_head);
        string basis = ScanText.Basis(report);
        foreach (ScannedImage image in report.Images)
        {
            ImageCoverage c = image.Coverage;
            string verdict = c.Verdict.ToString();
            string taken = ScanText.Time(image.TakenAt) ?? "";
            Row(text, [verdict, image.Name, c.ManifestDigest, "Verdict", verdict, "", "", "", "", "", "", "", taken, $"{c.Summary}; {ScanText.Findings(image)}. {basis}", ""]);
            foreach (CoverageGap gap in c.Gaps)
            {
                Row(text, [verdict, image.Name, c.ManifestDigest, "Gap", gap.Code, "", "", gap.Subject, "", "", gap.Source ?? "", "", taken, $"{gap.Message} {gap.Remedy}", ""]);
            }

            foreach (CoverageNote note in c.Notes)
            {
                Row(text, [verdict, image.Name, c.ManifestDigest, "Note", note.Code, "", "", "", "", "", note.Source ?? "", "", taken, note.Message, ""]);
            }

            foreach (CoverageNeed need in c.Needs)
            {
                Row(
                    text,
                    [
                        verdict, image.Name, c.ManifestDigest, "Feed", need.State.ToString(), "", "", need.Subject, "", "", need.Source, ScanText.Time(need.CapturedAt) ?? "", taken,
                        string.Create(CultureInfo.InvariantCulture, $"{need.PackageCount} packages are judged from it"), "",
                    ]);
            }

            foreach (ScanFinding f in image.Findings)
            {
                Row(
                    text,
                    [
                        verdict, image.Name, c.ManifestDigest, "Finding", f.Name, f.Severity.ToString(), ScanText.Score(f.Cvss), f.Package, f.PackageVersion, f.FixedIn,
                        f.Source ?? f.Updater, ScanText.Time(report.CapturedAt(f.Source)) ?? "", taken, f.Description, f.Link,
                    ]);
            }
        }
    }

    private static void Row(StreamWriter text, IReadOnlyList<string> cells)
    {
        for (int i = 0; i < cells.Count; i++)
        {
            text.Write(i == 0 ? "" : ",");
            text.Write(Cell(cells[i]));
        }

        text.WriteLine();
    }

    /// <summary>
    /// A spreadsheet takes a cell that begins with one of these for a formula, also behind blanks, and may run it: an apostrophe before it
    /// makes it text. Line ends and other control characters become blanks.
    /// </summary>
    private static string Cell(string value)
    {
        string line = string.Concat(value.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));
        string trimmed = line.TrimStart();
        if (trimmed.Length > 0 && trimmed[0] is '=' or '+' or '-' or '@' or '|' or '%' or '＝' or '＋' or '－' or '＠')
        {
            line = "'" + line;
        }

        return line.AsSpan().IndexOfAny(',', '"', ';') >= 0 || line.Length != line.Trim().Length || line.Contains('\'', StringComparison.Ordinal)
            ? $"\"{line.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : line;
    }
}

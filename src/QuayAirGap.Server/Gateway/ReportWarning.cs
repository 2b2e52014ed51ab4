using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core.Coverage;

namespace QuayAirGap.Server.Gateway;

/// <summary>
/// What is added to a report: a package, where it was found, and one advisory of it, with the fields that Quay requires
/// (util/secscan/v4/clair-v4.openapi.json and features_for in data/secscan_model) and those that Clair's own schema does.
/// </summary>
/// <param name="contact">Whom to ask, in words; null for "whoever runs the feed mirror".</param>
/// <param name="link">Where to read more; null where there is no such page.</param>
internal sealed class ReportWarning(string? contact, Uri? link)
{
    /// <summary>Of the package and of the advisory. Clair's own are numbers.</summary>
    public const string Id = "quayairgap-feed-status";

    private const string Package = "airgap-feed-status";
    private const string Updater = "quayairgap";
    private const int MostGaps = 12;

    /// <summary>The added member of each of <see cref="ReportScanner.Maps"/>: name and value.</summary>
    public IReadOnlyDictionary<int, byte[]> For(ImageCoverage coverage, string layer) => new Dictionary<int, byte[]>
    {
        [ReportScanner.Packages] = Member(w => WritePackage(w, coverage)),
        [ReportScanner.Environments] = Member(w =>
        {
            w.WriteStartArray();
            w.WriteStartObject();
            w.WriteString("package_db", "");
            w.WriteString("introduced_in", layer);
            w.WriteString("distribution_id", "");
            w.WriteStartArray("repository_ids");
            w.WriteEndArray();
            w.WriteEndObject();
            w.WriteEndArray();
        }),
        [ReportScanner.Vulnerabilities] = Member(w =>
        {
            w.WriteStartObject();
            w.WriteString("id", Id);
            w.WriteString("updater", Updater);
            w.WriteString("name", Title(coverage));
            w.WriteString("description", Description(coverage));
            w.WriteString("links", link?.AbsoluteUri ?? ""); // a space would end an address: there is none in it
            w.WriteString("severity", "Unknown");
            w.WriteString("normalized_severity", "Unknown");
            w.WritePropertyName("package");
            WritePackage(w, coverage);
            w.WriteString("arch_op", "equals");
            w.WriteString("fixed_in_version", "");
            w.WriteEndObject();
        }),
        [ReportScanner.PackageVulnerabilities] = Member(w =>
        {
            w.WriteStartArray();
            w.WriteStringValue(Id);
            w.WriteEndArray();
        }),
    };

    /// <summary>"FEED-STALE rhel-vex 16 days old", "FEED-MISSING debian trixie (+2 more)".</summary>
    public static string Title(ImageCoverage coverage)
    {
        if (coverage.Gaps is not [var gap, ..])
        {
            return $"FEED-STATUS {coverage.Verdict}";
        }

        var title = new StringBuilder(gap.Code).Append(' ').Append(gap.Source is null ? gap.Subject : gap.Part is null ? gap.Source : $"{gap.Source} {gap.Part}");
        if (gap is { Verdict: CoverageVerdict.Stale, Age: { } age })
        {
            title.Append(CultureInfo.InvariantCulture, $" {Days(age)} old");
        }

        return coverage.Gaps.Count == 1 ? title.ToString() : title.Append(CultureInfo.InvariantCulture, $" (+{coverage.Gaps.Count - 1} more)").ToString();
    }

    private string Description(ImageCoverage coverage)
    {
        var text = new StringBuilder("This is not a vulnerability of the image. It says how far this page can be relied on: where it lists nothing, there may still be vulnerabilities that nobody looked for. ");
        text.Append(Sentence(coverage.Summary));
        foreach (CoverageGap gap in coverage.Gaps.Take(MostGaps))
        {
            text.Append(CultureInfo.InvariantCulture, $" [{gap.Code}] {Sentence(gap.Message)} {Sentence(gap.Remedy)}");
        }

        if (coverage.Gaps.Count > MostGaps)
        {
            text.Append(CultureInfo.InvariantCulture, $" And {coverage.Gaps.Count - MostGaps} more.");
        }

        foreach (CoverageNote held in coverage.Notes.Where(n => n.Code == CoverageCodes.FeedPartial).Take(MostGaps))
        {
            text.Append(CultureInfo.InvariantCulture, $" [{held.Code}] {Sentence(held.Message)}");
        }

        text.Append(coverage.ClairAsked switch
        {
            ClairAsked.Answered => " Clair itself was asked what it has.",
            ClairAsked.Silent => " Judged by what the mirror serves; Clair does not say what it has.",
            _ => " Judged by what the mirror serves; Clair's own state was not asked.",
        });
        return text.Append(CultureInfo.InvariantCulture, $" Ask {contact ?? "whoever runs the mirror of Clair's feeds (QuayAirGap)"}.").ToString();
    }

    private static void WritePackage(Utf8JsonWriter writer, ImageCoverage coverage)
    {
        writer.WriteStartObject();
        writer.WriteString("id", Id);
        writer.WriteString("name", Package);
        writer.WriteString("version", coverage.Verdict.ToString());
        writer.WriteString("kind", "binary");
        writer.WriteEndObject();
    }

    private static string Days(TimeSpan age) => (int)age.TotalDays switch
    {
        0 => "less than a day",
        1 => "1 day",
        var days => string.Create(CultureInfo.InvariantCulture, $"{days} days"),
    };

    private static string Sentence(string text) => text.TrimEnd().TrimEnd('.') + ".";

    private static byte[] Member(Action<Utf8JsonWriter> value)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        bytes.Write("\""u8);
        bytes.Write(Encoding.ASCII.GetBytes(Id));
        bytes.Write("\":"u8);
        using (var writer = new Utf8JsonWriter(bytes))
        {
            value(writer);
        }

        return bytes.WrittenSpan.ToArray();
    }
}

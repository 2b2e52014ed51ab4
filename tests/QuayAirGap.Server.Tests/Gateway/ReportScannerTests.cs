using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using QuayAirGap.Server.Gateway;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>What is found of a report is what a reader of all of it finds, and does not depend on its pieces.</summary>
public sealed class ReportScannerTests
{
    private static readonly string[] s_names = ["manifest_hash", "packages", "distributions", "repository", "environments", "vulnerabilities", "package_vulnerabilities"];

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(4096)]
    [InlineData(int.MaxValue)]
    public void The_members_of_a_report_are_found_in_any_pieces(int piece)
    {
        byte[] report = SampleReport.Make(5, 12, 30);
        var scanner = new ReportScanner();
        Scan(scanner, report, piece);
        AreFound(scanner, report);
        Assert.False(scanner.HasDuplicates);
        string layer = IndexPart.Layer(report, scanner);
        Assert.StartsWith("sha256:", layer);
        Assert.Contains($"\"introduced_in\":\"{layer}\"", Encoding.UTF8.GetString(report));
        Assert.False(IndexPart.HasWarning(report, scanner));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Of_damaged_reports_those_that_are_JSON_are_read_right_and_no_other_is_whole_at_the_top(int seed)
    {
        var random = new Random(seed);
        (int good, int refused, int inside) = (0, 0, 0);
        for (int i = 0; i < 1500; i++)
        {
            byte[] report = AnswerFuzz.Mutate(random, SampleReport.Make(random.Next(), random.Next(0, 3), random.Next(0, 4)));
            var scanner = new ReportScanner();
            bool isJson = IsJson(report);
            try
            {
                Scan(scanner, report, random.Next(1, 600));
            }
            catch (JsonException)
            {
                Assert.False(isJson, $"seed {seed}, document {i}: {Encoding.Latin1.GetString(report)}");
                refused++;
                continue;
            }

            if (isJson && !scanner.HasDuplicates)
            {
                AreFound(scanner, report);
                good++;
            }
            else
            {
                inside++; // what is wrong is within a value, which nobody looks at
            }
        }

        Assert.True(good > 100 && refused > 100 && inside > 10, $"{good} good, {refused} refused, {inside} damaged inside");
    }

    [Theory]
    [InlineData("{\"packages\":{\"1\":{\"id\":\"quayairgap-feed-status\"}}}", false)]
    [InlineData("{\"packages\":{\"1\":{\"quayairgap-feed-status\":1}}}", false)]
    [InlineData("{\"packages\":{\"1\":{},\"quayairgap-feed-status\":{}}}", true)]
    [InlineData("{\"packages\":null}", false)]
    public void A_warning_is_one_by_its_package_s_id(string report, bool has)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(report);
        var scanner = new ReportScanner();
        Scan(scanner, bytes, int.MaxValue);
        Assert.Equal(has, IndexPart.HasWarning(bytes, scanner));
    }

    [Theory]
    [InlineData("{}", "sha256:m")]
    [InlineData("null", "sha256:m")]
    [InlineData("{\"1\":[{\"package_db\":\"introduced_in\",\"introduced_in\":null}],\"2\":[{\"introduced_in\":\"sha256:\\u0061\"}]}", "sha256:a")]
    [InlineData("{\"introduced_in\":[{\"x\":{\"introduced_in\":\"sha256:b\"}}]}", "sha256:m")]
    public void The_layer_is_one_that_a_package_names_or_else_the_manifest(string environments, string layer)
    {
        byte[] bytes = Encoding.UTF8.GetBytes($"{{\"manifest_hash\":\"sha256:m\",\"environments\":{environments}}}");
        var scanner = new ReportScanner();
        Scan(scanner, bytes, int.MaxValue);
        Assert.Equal(layer, IndexPart.Layer(bytes, scanner));
    }

    private static void AreFound(ReportScanner scanner, byte[] report)
    {
        using var json = JsonDocument.Parse(report, new JsonDocumentOptions { MaxDepth = 128 });
        for (int i = 0; i < s_names.Length; i++)
        {
            ReportMember member = scanner[i];
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty(s_names[i], out JsonElement expected))
            {
                Assert.False(member.WasSeen);
                continue;
            }

            Assert.Equal(JsonMarshal.GetRawUtf8Value(expected), report.AsSpan((int)member.Start, (int)(member.End - member.Start)));
            if (expected.ValueKind == JsonValueKind.Object)
            {
                Assert.Equal(!expected.EnumerateObject().Any(), member.IsEmpty);
            }

            Assert.True(member.IsWhole);
        }
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 128 });
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void Scan(ReportScanner scanner, byte[] report, int piece)
    {
        for (long there = piece; there < report.Length; there += piece)
        {
            scanner.Read(report.AsSpan((int)scanner.Consumed, (int)(there - scanner.Consumed)), isWhole: false);
        }

        scanner.Read(report.AsSpan((int)scanner.Consumed), isWhole: true);
    }
}

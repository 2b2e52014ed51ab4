using System.Text;
using System.Text.Json;
using QuayAirGap.Server.Gateway;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>What takes most of a report for JSON, or not, agrees with the library's reader; and what is found of a report does not depend on its pieces.</summary>
public sealed class JsonInsideTests
{
    [Theory]
    [InlineData("{}", true)]
    [InlineData(" { \"a\" : [ 1 , -0.5e+3, true , null, false, \"\\u00e9\\n\\\\\" ] , \"\" : { } }\r\n", true)]
    [InlineData("[]", true)]
    [InlineData("[[],{},[[0]],1E9]", true)]
    [InlineData("[\"a longer text, so that more than one vector of it is looked at: \\\"quoted\\\" \u00e9\u2603\"]", true)]
    [InlineData("{\"a\":1,}", false)]
    [InlineData("{,\"a\":1}", false)]
    [InlineData("{\"a\" 1}", false)]
    [InlineData("{\"a\":}", false)]
    [InlineData("{a:1}", false)]
    [InlineData("{1:1}", false)]
    [InlineData("{\"a\":1 \"b\":2}", false)]
    [InlineData("{\"a\":1]", false)]
    [InlineData("[1}", false)]
    [InlineData("[1,]", false)]
    [InlineData("[,1]", false)]
    [InlineData("[1 2]", false)]
    [InlineData("[:]", false)]
    [InlineData("[01]", false)]
    [InlineData("[-]", false)]
    [InlineData("[-01]", false)]
    [InlineData("[1.]", false)]
    [InlineData("[.5]", false)]
    [InlineData("[+1]", false)]
    [InlineData("[1e]", false)]
    [InlineData("[1e+]", false)]
    [InlineData("[1.e5]", false)]
    [InlineData("[1-2]", false)]
    [InlineData("[0x1]", false)]
    [InlineData("[tru]", false)]
    [InlineData("[truee]", false)]
    [InlineData("[NaN]", false)]
    [InlineData("[\"\\x\"]", false)]
    [InlineData("[\"\\u12g4\"]", false)]
    [InlineData("[\"\\u12\"]", false)]
    [InlineData("[\"a\tb\"]", false)]
    [InlineData("[\"a\nb, and enough after it for a vector to be filled with characters\"]", false)]
    [InlineData("[\"a]", false)]
    [InlineData("[\"a\\\"]", false)]
    [InlineData("[1", false)]
    [InlineData("[/**/]", false)]
    [InlineData("[\u00a0]", false)]
    public void Forgives_what_the_library_s_reader_forgives(string json, bool isJson)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        Assert.Equal(isJson, ByReader(bytes));
        foreach (int piece in new[] { bytes.Length, 1, 2, 7 })
        {
            Assert.Equal(isJson, Inside(bytes, piece));
        }
    }

    [Theory]
    [InlineData(126, true)]
    [InlineData(127, false)]
    public void Nests_as_deep_as_the_library_s_reader(int depth, bool isJson)
    {
        byte[] bytes = Encoding.ASCII.GetBytes($"{{\"a\":[{new string('[', depth)}{new string(']', depth)}]}}");
        var scanner = new ReportScanner("x");
        if (isJson)
        {
            scanner.Read(bytes, isWhole: true);
        }
        else
        {
            Assert.Throws<JsonException>(() => scanner.Read(bytes, isWhole: true));
        }

        Assert.Equal(isJson, ByReader(bytes));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Agrees_with_the_library_s_reader_on_damaged_reports(int seed)
    {
        var random = new Random(seed);
        (int good, int bad) = (0, 0);
        for (int i = 0; i < 1500; i++)
        {
            byte[] bytes = AnswerFuzz.Mutate(random, SampleReport.Make(random.Next(), random.Next(0, 3), random.Next(0, 4)));
            bool expected = ByReader(bytes);
            if (bytes is [(byte)'{', ..])
            {
                Assert.True(expected == Inside(bytes, random.Next(1, 600)), $"seed {seed}, document {i}: {Encoding.Latin1.GetString(bytes)}");
            }

            if (!System.Text.Unicode.Utf8.IsValid(bytes))
            {
                continue; // the layer's text, which is kept, has to be one
            }

            Assert.True(expected == Scans(bytes, random.Next(1, 600)), $"seed {seed}, document {i}, as a report: {Encoding.Latin1.GetString(bytes)}");
            (good, bad) = expected ? (good + 1, bad) : (good, bad + 1);
        }

        Assert.True(good > 100 && bad > 100, $"{good} good, {bad} bad");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(4096)]
    [InlineData(int.MaxValue)]
    public void The_members_of_a_report_are_found_in_any_pieces(int piece)
    {
        byte[] report = SampleReport.Make(5, 12, 30);
        var scanner = new ReportScanner(ReportWarning.Id);
        Scan(scanner, report, piece);
        using var json = JsonDocument.Parse(report);
        string[] names = ["manifest_hash", "packages", "distributions", "repository", "environments", "vulnerabilities", "package_vulnerabilities"];
        for (int i = 0; i < names.Length; i++)
        {
            ReportMember member = scanner[i];
            JsonElement expected = json.RootElement.GetProperty(names[i]);
            Assert.Equal(expected.GetRawText(), Encoding.UTF8.GetString(report[(int)member.Start..(int)member.End]));
            Assert.Equal(expected.ValueKind != JsonValueKind.Object || !expected.EnumerateObject().Any(), member.IsEmpty);
            Assert.True(member.IsWhole);
        }

        Assert.Contains($"\"introduced_in\":\"{scanner.Layer}\"", Encoding.UTF8.GetString(report));
        Assert.False(scanner.HasWarning || scanner.HasDuplicates);
    }

    private static bool ByReader(byte[] bytes)
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

    private static bool Scans(byte[] bytes, int piece)
    {
        try
        {
            Scan(new ReportScanner(ReportWarning.Id), bytes, piece);
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
            scanner.Read(report.AsSpan(0, (int)there), isWhole: false);
        }

        scanner.Read(report, isWhole: true);
    }

    /// <summary>Of a document that begins with a bracket, what is behind it, in pieces; then only space may follow.</summary>
    private static bool Inside(byte[] bytes, int piece)
    {
        int begin = bytes.AsSpan().IndexOfAny((byte)'{', (byte)'[') + 1;
        var inside = new JsonInside(bytes[begin - 1] == '[', 127);
        try
        {
            int at = begin;
            for (int there = begin; !inside.IsAtEnd && there < bytes.Length;)
            {
                there = Math.Min(bytes.Length, there + piece);
                at += inside.Read(bytes.AsSpan(at..there));
            }

            return inside.IsAtEnd && bytes.AsSpan(at + 1).IndexOfAnyExcept(" \r\n\t"u8) < 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

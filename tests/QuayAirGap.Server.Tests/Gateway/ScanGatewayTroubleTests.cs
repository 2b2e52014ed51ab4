using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using QuayAirGap.Core;
using QuayAirGap.Server.Gateway;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>Whatever goes wrong in the gateway, Clair's answer goes through as it is, or from there on, and somebody is told.</summary>
public sealed class ScanGatewayTroubleTests
{
    private static readonly byte[] s_report = SampleReport.Make(1, 200, 400);

    private static readonly string s_get = GatewayRig.Get(GatewayRig.ReportPath, "Accept-Encoding: gzip, deflate, zstd");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Documents() => new()
    {
        { "<html>not me</html>", "json" },
        { "", "json" },
        { "{\"manifest_hash\":\"sha256:aa\",\"packages\":{", "json" },
        { "{} {}", "json" },
        { "{\"a\":1,}", "json" },
        { "[]", "shape" },
        { "{}", "shape" },
        { "null", "shape" },
        { "{\"manifest_hash\":1,\"packages\":{},\"environments\":{},\"vulnerabilities\":{},\"package_vulnerabilities\":{}}", "shape" },
        { "{\"manifest_hash\":\"sha256:aa\",\"packages\":[],\"environments\":{},\"vulnerabilities\":{},\"package_vulnerabilities\":{}}", "shape" },
        { "{\"manifest_hash\":\"sha256:aa\",\"packages\":{},\"packages\":{},\"environments\":{},\"vulnerabilities\":{},\"package_vulnerabilities\":{}}", "shape" },
        { "{\"manifest_hash\":\"sha256:aa\",\"packages\":{},\"environments\":{},\"vulnerabilities\":{}}", "shape" },
    };

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task What_is_no_report_stays_what_it_is(string document, string reason)
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(Encoding.UTF8.GetBytes(document))));
        rig.Verdict = _ => GatewayRig.Stale;
        await IsUnchangedAsync(rig, reason);
        Assert.Empty(rig.Judged);
    }

    [Theory]
    [InlineData("gzip", "Content-Encoding: gzip\r\n", "encoding")]
    [InlineData("zstd", "Content-Encoding: zstd\r\n", "encoding")]
    [InlineData("zlib", "Content-Encoding: deflate\r\n", "encoding")]
    [InlineData("", "Content-Encoding: br\r\n", "encoding")]
    [InlineData("", "Content-Encoding: gzip, zstd\r\n", "encoding")]
    public async Task A_coding_that_is_not_what_it_says(string coding, string header, string reason)
    {
        byte[] coded = GatewayRig.Encode(s_report, coding);
        for (int i = 4; i < 2000; i += 10)
        {
            coded[i] ^= 0xAA; // before what the index found has ended
        }

        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(coded, more: header)));
        rig.Verdict = _ => GatewayRig.Stale;
        await IsUnchangedAsync(rig, reason, "json"); // damage in the content itself shows as bad JSON
    }

    [Theory]
    [InlineData("gzip", "Content-Encoding: gzip\r\n")]
    [InlineData("zstd", "Content-Encoding: zstd\r\n")]
    public async Task A_coding_that_breaks_off_after_the_verdict_is_no_whole_report_for_Quay(string coding, string header)
    {
        byte[] coded = GatewayRig.Encode(SampleReport.Make(1, 200, 4000), coding);
        coded[^1000] ^= 0x55;
        coded[^999] ^= 0xAA;
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(coded, more: header)));
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await rig.AskAsync(s_get);
        Assert.False(through.IsWhole && IsJson(through.Body));
    }

    [Fact]
    public async Task A_report_is_as_large_as_it_likes_but_for_what_the_index_found()
    {
        var limits = new ScanGatewayLimits { MostHeld = 200_000, ArrivalTime = TimeSpan.FromSeconds(20) };
        byte[] large = SampleReport.Make(1, 2000, 100); // several times what may be held, before it can be judged
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(large, chunked: false)), limits);
        rig.Verdict = _ => GatewayRig.Stale;
        await IsUnchangedAsync(rig, "size");
        rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(large, chunked: true));
        await IsUnchangedAsync(rig, "size");
        rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(large, chunked: true, coding: "gzip"));
        await IsUnchangedAsync(rig, "size");
        Assert.Empty(rig.Judged);

        byte[] judged = SampleReport.Make(1, 100, 4000); // still larger, and each one gets its warning
        foreach ((string coding, bool chunked) in new[] { ("", true), ("", false), ("gzip", true), ("zstd", false) })
        {
            rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(judged, chunked, coding));
            Assert.Equal(judged, GatewayRig.Undecorated((await rig.AskAsync(s_get)).Body, GatewayRig.Stale));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    public async Task A_text_larger_than_may_be_held_is_no_reason_to_hold(string coding)
    {
        var limits = new ScanGatewayLimits { MostHeld = 100_000, ArrivalTime = TimeSpan.FromSeconds(20) };
        byte[] report = Encoding.UTF8.GetBytes(
            Encoding.UTF8.GetString(SampleReport.Make(1, 20, 100)).Replace("\"vulnerabilities\":{", $"\"vulnerabilities\":{{\"0\":{{\"description\":\"{new string('x', 3_000_000)}\"}},", StringComparison.Ordinal));
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(report, coding: coding)), limits);
        rig.Verdict = _ => GatewayRig.Stale;
        Assert.Equal(report, GatewayRig.Undecorated((await rig.AskAsync(s_get)).Body, GatewayRig.Stale));
    }

    public static TheoryData<string, string, string> Endings() => new()
    {
        { "}", "", "shape" },
        { ",\"package_vulnerabilities\":{}}", "", "" },
        { ",\"package_vulnerabilities\":null}", "", "" },
        { ",\"package_vulnerabilities\":[]}", "", "shape" },
        { ",\"packages\":{},\"package_vulnerabilities\":{}}", "", "shape" },
        { ",,\"package_vulnerabilities\":{}}", "", "json" },
        { ",\"package_vulnerabilities\":{", "", "json" },
        { "", "", "json" },
        { "}", "gzip", "shape" },
        { "", "gzip", "json" },
    };

    /// <summary>What is wrong only behind the verdict: by then the report is on its way.</summary>
    [Theory]
    [MemberData(nameof(Endings))]
    public async Task What_turns_out_later_to_be_no_report_goes_on_as_it_is_and_somebody_is_told(string ending, string coding, string reason)
    {
        string text = Encoding.UTF8.GetString(s_report);
        byte[] report = Encoding.UTF8.GetBytes(text[..text.IndexOf(",\"package_vulnerabilities\"", StringComparison.Ordinal)] + ending);
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(report, coding: coding)));
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await rig.AskAsync(s_get);
        Assert.True(through.IsWhole);
        byte[] expected = reason.Length == 0 ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(report).Replace("_vulnerabilities\":null", "_vulnerabilities\":{}", StringComparison.Ordinal)) : report;
        Assert.Equal(expected, GatewayRig.Undecorated(through.Body, GatewayRig.Stale, partly: true));
        Assert.Equal(reason.Length == 0, GatewayRig.Undecorated(through.Body, GatewayRig.Stale) is not null);
        string metrics = await rig.MetricsAsync();
        Assert.Equal(reason.Length == 0 ? 0 : 1, metrics.Split('\n').Where(l => l.StartsWith("quayairgap_scan_gateway_failures_total{", StringComparison.Ordinal)).Sum(l => int.Parse(l.Split(' ')[1], null)));
        if (reason.Length > 0)
        {
            Assert.Contains($"quayairgap_scan_gateway_failures_total{{reason=\"{reason}\"}} 1", metrics);
            Assert.Contains(rig.Log.Warnings, w => w.Contains("without its warning", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Too_many_at_once_are_not_held_all()
    {
        using var release = new ManualResetEventSlim();
        var limits = new ScanGatewayLimits { MostHeldTogether = 512 * 1024, ArrivalTime = TimeSpan.FromSeconds(20), JudgingTime = TimeSpan.FromSeconds(20) };
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(SampleReport.Make(1, 20, 20))), limits);
        rig.Verdict = _ =>
        {
            release.Wait(Token);
            return GatewayRig.Stale;
        };
        Task<RawAnswer>[] held = [rig.AskAsync(s_get), rig.AskAsync(s_get)];
        while (rig.Judged.Count < 2)
        {
            await Task.Delay(10, Token);
        }

        await IsUnchangedAsync(rig, "size");
        release.Set();
        foreach (RawAnswer answer in await Task.WhenAll(held))
        {
            Assert.Contains(ReportWarning.Id, Encoding.UTF8.GetString(answer.Body));
        }

        Assert.Contains(ReportWarning.Id, Encoding.UTF8.GetString((await rig.AskAsync(s_get)).Body)); // and the memory is given back
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    public async Task A_report_of_which_the_first_part_comes_slowly_is_let_go_with_every_byte_and_before_it_is_whole(string coding)
    {
        byte[] answer = GatewayRig.Answer(s_report, coding: coding);
        int part = answer.Length / 20;
        using var release = new SemaphoreSlim(0);
        await using GatewayRig rig = await GatewayRig.StartAsync(
            async (_, socket) =>
            {
                await socket.SendAsync(answer.AsMemory(0, part));
                await release.WaitAsync();
                await ScanGatewayTests.Sends(answer[part..])("", socket);
            },
            new ScanGatewayLimits { ArrivalTime = TimeSpan.FromMilliseconds(300) });
        rig.Verdict = _ => GatewayRig.Stale;
        Assert.Equal(s_report, GatewayRig.Decode(await rig.ReadAroundAsync(() => release.Release(), Token), coding));
        Assert.Contains("failures_total{reason=\"time\"} 1", await rig.MetricsAsync());
        Assert.Empty(rig.Judged);
    }

    [Fact]
    public async Task A_judge_that_fails_or_never_comes_to_an_end()
    {
        var limits = new ScanGatewayLimits { ArrivalTime = TimeSpan.FromSeconds(20), JudgingTime = TimeSpan.FromMilliseconds(200) };
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(s_report, coding: "gzip")), limits);
        rig.Verdict = _ => throw new FeedException(ErrorIds.SettingsInvalid, "The settings are broken.");
        await IsUnchangedAsync(rig, "judging");
        Assert.Contains(rig.Log.Warnings, w => w.Contains("The settings are broken. It may look cleaner than it is.", StringComparison.Ordinal));

        rig.Verdict = _ => throw new FormatException("a bug of ours");
        await IsUnchangedAsync(rig, "judging");

        using var stop = new ManualResetEventSlim();
        rig.Verdict = _ =>
        {
            stop.Wait(Token);
            return GatewayRig.Stale;
        };
        var clock = Stopwatch.StartNew();
        await IsUnchangedAsync(rig, "time");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"{clock.Elapsed}");
        stop.Set();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(200, 400)]
    public async Task What_Clair_itself_says_has_failed(int packages, int vulnerabilities)
    {
        byte[] report = SampleReport.Make(1, packages, vulnerabilities);
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(report, trailer: "Clair-Error: the database is gone\r\n")));
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer through = await rig.AskAsync(s_get);
        Assert.Equal(["clair-error: the database is gone"], through.Trailers);
        Assert.True(through.IsWhole);
        if (packages == 1)
        {
            await IsUnchangedAsync(rig, "cut"); // small enough to know it before anything is on its way
        }
        else
        {
            Assert.Equal(report, GatewayRig.Undecorated(through.Body, GatewayRig.Stale));
        }
    }

    [Theory]
    [InlineData(true, "", 100)]
    [InlineData(false, "", 100)]
    [InlineData(true, "gzip", 100)]
    [InlineData(false, "gzip", 100)]
    [InlineData(true, "", -5000)]
    [InlineData(false, "", -5000)]
    [InlineData(true, "gzip", -5000)]
    [InlineData(false, "gzip", -5000)]
    public async Task A_connection_that_breaks_in_the_middle_breaks_for_Quay_too(bool chunked, string coding, int missing)
    {
        byte[] answer = GatewayRig.Answer(s_report, chunked, coding);
        bool isJudged = missing > 0;
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(answer[..(isJudged ? answer.Length - missing : -missing)]));
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer direct = await rig.AskDirectlyAsync(s_get);
        RawAnswer through = await rig.AskAsync(s_get);
        Assert.False(direct.IsWhole);
        Assert.False(through.IsWhole);
        Assert.Equal(isJudged ? 1 : 0, rig.Judged.Count);
        Assert.True((isJudged ? s_report : direct.Body).AsSpan().StartsWith(isJudged ? GatewayRig.Undecorated(through.Body, GatewayRig.Stale, partly: true) : through.Body));
        Assert.Contains($"failures_total{{reason=\"cut\"}} {(isJudged ? 0 : 1)}", await rig.MetricsAsync());
    }

    [Fact]
    public async Task Trouble_is_said_at_once_and_then_once_a_minute()
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer("[]"u8.ToArray())));
        for (int i = 0; i < 5; i++)
        {
            await rig.AskAsync(s_get);
        }

        Assert.Single(rig.Log.Warnings, w => w.Contains("unjudged or without its warning", StringComparison.Ordinal));
        Assert.Contains("failures_total{reason=\"shape\"} 5", await rig.MetricsAsync());
    }

    /// <summary>Answers are cut, lengthened, damaged and mixed up at random; the seed is in the message.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_fuzzed_Clair_never_breaks_the_passing_through(int seed)
    {
        var random = new Random(seed);
        await using GatewayRig rig = await GatewayRig.StartAsync((_, _) => Task.CompletedTask);
        rig.Verdict = _ => GatewayRig.Stale;
        (int whole, int decorated, int broken, int cut, int bad) = (0, 0, 0, 0, 0);
        for (int i = 0; i < 120; i++)
        {
            string coding = new[] { "", "", "gzip", "deflate", "zlib", "zstd" }[random.Next(6)];
            byte[] report = SampleReport.Make(random.Next(), random.Next(0, 120), random.Next(0, 120));
            byte[] mutatedReport = random.Next(3) == 0 ? AnswerFuzz.Mutate(random, report) : report;
            byte[] answer = GatewayRig.Answer(mutatedReport, random.Next(2) == 0, coding, chunk: random.Next(1, 9000));
            bool headTouched = false;
            if (random.Next(2) == 0)
            {
                (answer, headTouched) = AnswerFuzz.MutateAnswer(random, answer);
            }

            bool reset = random.Next(8) == 0;
            int pieces = random.Next(1, 5);
            rig.Clair.Answer = (_, socket) => AnswerFuzz.SendAsync(socket, answer, pieces, reset);
            RawAnswer direct = await rig.AskDirectlyAsync(s_get);
            RawAnswer through = await rig.AskAsync(s_get);
            string what = $"seed {seed}, answer {i}: {direct.StatusLine} whole {direct.IsWhole} {direct.Body.Length} bytes; through {through.StatusLine} whole {through.IsWhole} {through.Body.Length} bytes; {string.Join('|', through.Headers)}; direct {string.Join('|', direct.Headers)}; reset {reset}, head touched {headTouched}, coding {coding}";
            string applied = direct.Header("content-encoding") is not { } stated ? "" : stated == "deflate" ? coding : stated;
            if (through.Status is 502 && (headTouched || reset || direct.Status == 0))
            {
                Assert.DoesNotContain(ReportWarning.Id, Encoding.UTF8.GetString(through.Body));
                bad++;
            }
            else if (Encoding.UTF8.GetString(through.Body).Contains(ReportWarning.Id, StringComparison.Ordinal))
            {
                // Each byte is Clair's but for the warning, of which there may be less if the report is bad, and the answer ends as Clair's did.
                Assert.True(!through.IsWhole || direct.IsWhole || reset, what); // a reset may overtake what was sent, for the one and not for the other
                if (reset && headTouched && !direct.IsWhole)
                {
                    bad++; // what came before the reset is not known
                    continue;
                }

                byte[] clair = reset && !direct.IsWhole ? mutatedReport : GatewayRig.Decode(direct.Body, applied, asFarAsItGoes: !direct.IsWhole || headTouched);
                byte[]? own = GatewayRig.Undecorated(through.Body, GatewayRig.Stale);
                Assert.True(own is not null || !through.IsWhole || !IsReport(clair), what);
                own ??= GatewayRig.Undecorated(through.Body, GatewayRig.Stale, partly: true)!;
                int both = Math.Min(own.Length, clair.Length); // of what breaks off one decoder has more than another
                Assert.True(through.IsWhole ? clair.AsSpan().SequenceEqual(own) : clair.AsSpan(0, both).SequenceEqual(own.AsSpan(0, both)), what);
                if (through.IsWhole && IsReport(clair))
                {
                    Assert.Empty(QuayReportRules.Broken(through.Body));
                    decorated++;
                }
                else
                {
                    broken++;
                }
            }
            else if (direct.IsWhole && !reset)
            {
                Assert.True(through.IsWhole || headTouched, what);
                Assert.True(direct.Body.AsSpan().SequenceEqual(through.Body) || (headTouched && !through.IsWhole && direct.Body.AsSpan().StartsWith(through.Body)), what);
                whole++;
            }
            else
            {
                Assert.True(!through.IsWhole || through.Body.AsSpan().SequenceEqual(direct.Body) || reset, what);
                Assert.True(direct.Body.AsSpan().StartsWith(through.Body) || reset || (headTouched && through.Body.AsSpan().StartsWith(direct.Body)), what);
                cut++;
            }
        }

        string seen = $"unchanged {whole}, decorated {decorated}, begun to be {broken}, cut {cut}, bad gateway {bad}";
        TestContext.Current.TestOutputHelper!.WriteLine(seen);
        Assert.True(whole > 10 && decorated > 25 && broken > 3 && cut > 5, seen);
        rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(s_report));
        Assert.Equal(s_report, GatewayRig.Undecorated((await rig.AskAsync(s_get)).Body, GatewayRig.Stale)); // and it is as it was
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes);
            return System.Text.Unicode.Utf8.IsValid(bytes);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether Quay takes it.</summary>
    private static bool IsReport(byte[] bytes)
    {
        try
        {
            return IsJson(bytes) && QuayReportRules.Broken(bytes).Count == 0;
        }
        catch (InvalidOperationException)
        {
            return false; // something else where a map belongs
        }
    }

    private static async Task IsUnchangedAsync(GatewayRig rig, params string[] reasons)
    {
        long before = reasons.Sum(r => Count(r));
        RawAnswer direct = await rig.AskDirectlyAsync(s_get);
        RawAnswer through = await rig.AskAsync(s_get);
        Assert.True(through.IsWhole);
        Assert.Equal(direct.StatusLine, through.StatusLine);
        Assert.Equal(direct.Headers, through.Headers);
        Assert.Equal(direct.Body, through.Body);
        Assert.Equal(direct.Trailers, through.Trailers);
        Assert.Equal(before + 1, reasons.Sum(r => Count(r)));

        long Count(string reason)
        {
#pragma warning disable VSTHRD002, xUnit1031 // short and of this process
            string metrics = Task.Run(rig.MetricsAsync).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002, xUnit1031
            string line = metrics.Split('\n').Single(l => l.StartsWith($"quayairgap_scan_gateway_failures_total{{reason=\"{reason}\"}}", StringComparison.Ordinal));
            return long.Parse(line.Split(' ')[1], null);
        }
    }
}

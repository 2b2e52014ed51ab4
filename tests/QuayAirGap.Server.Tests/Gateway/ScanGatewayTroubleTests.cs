using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using QuayAirGap.Core;
using QuayAirGap.Server.Gateway;
using QuayAirGap.TestKit.Clair;
using Xunit;

namespace QuayAirGap.Server.Tests.Gateway;

/// <summary>Whatever goes wrong in the gateway, Clair's answer goes through as it is, and somebody is told.</summary>
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
        coded[coded.Length / 2] ^= 0x55;
        coded[coded.Length / 2 + 1] ^= 0xAA;
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(coded, more: header)));
        rig.Verdict = _ => GatewayRig.Stale;
        await IsUnchangedAsync(rig, reason, "json"); // damage in the content itself shows as bad JSON
    }

    [Fact]
    public async Task A_report_that_is_too_large_by_its_own_word_or_only_in_the_end()
    {
        var limits = new ScanGatewayLimits { LargestReport = 100_000, ArrivalTime = TimeSpan.FromSeconds(20) };
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(s_report, chunked: false)), limits);
        rig.Verdict = _ => GatewayRig.Stale;
        await IsUnchangedAsync(rig, "size");
        rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(SampleReport.Make(1, 2000, 4000), chunked: true));
        await IsUnchangedAsync(rig, "size");
        rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(SampleReport.Make(1, 2000, 4000), chunked: true, coding: "gzip"));
        await IsUnchangedAsync(rig, "size");
        Assert.Empty(rig.Judged);
    }

    [Fact]
    public async Task Too_many_at_once_are_not_held_all()
    {
        using var release = new ManualResetEventSlim();
        var limits = new ScanGatewayLimits { AllReports = 512 * 1024, ArrivalTime = TimeSpan.FromSeconds(20), JudgingTime = TimeSpan.FromSeconds(20) };
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

    [Fact]
    public async Task A_report_that_arrives_slowly_is_let_go_with_every_byte_and_before_it_is_whole()
    {
        byte[] answer = GatewayRig.Answer(s_report);
        using var release = new SemaphoreSlim(0);
        await using GatewayRig rig = await GatewayRig.StartAsync(
            async (_, socket) =>
            {
                await socket.SendAsync(answer.AsMemory(0, answer.Length / 2));
                await release.WaitAsync();
                await ScanGatewayTests.Sends(answer[(answer.Length / 2)..])("", socket);
            },
            new ScanGatewayLimits { ArrivalTime = TimeSpan.FromMilliseconds(300) });
        rig.Verdict = _ => GatewayRig.Stale;
        Assert.Equal(s_report, await rig.ReadAroundAsync(() => release.Release(), Token));
        Assert.Contains("failures_total{reason=\"time\"} 1", await rig.MetricsAsync());
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

    [Fact]
    public async Task What_Clair_itself_says_has_failed()
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer(s_report, trailer: "Clair-Error: the database is gone\r\n")));
        rig.Verdict = _ => GatewayRig.Stale;
        await IsUnchangedAsync(rig, "cut");
        Assert.Equal(["clair-error: the database is gone"], (await rig.AskAsync(s_get)).Trailers);
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "")]
    [InlineData(true, "gzip")]
    [InlineData(false, "gzip")]
    public async Task A_connection_that_breaks_in_the_middle_breaks_for_Quay_too(bool chunked, string coding)
    {
        byte[] answer = GatewayRig.Answer(s_report, chunked, coding);
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(answer[..(answer.Length - 100)]));
        rig.Verdict = _ => GatewayRig.Stale;
        RawAnswer direct = await rig.AskDirectlyAsync(s_get);
        RawAnswer through = await rig.AskAsync(s_get);
        Assert.False(direct.IsWhole);
        Assert.False(through.IsWhole);
        Assert.True(direct.Body.AsSpan().StartsWith(through.Body));
        Assert.Contains("failures_total{reason=\"cut\"} 1", await rig.MetricsAsync());
    }

    [Fact]
    public async Task Trouble_is_said_at_once_and_then_once_a_minute()
    {
        await using GatewayRig rig = await GatewayRig.StartAsync(ScanGatewayTests.Sends(GatewayRig.Answer("[]"u8.ToArray())));
        for (int i = 0; i < 5; i++)
        {
            await rig.AskAsync(s_get);
        }

        Assert.Single(rig.Log.Warnings, w => w.Contains("without being judged", StringComparison.Ordinal));
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
        (int whole, int decorated, int cut, int bad) = (0, 0, 0, 0);
        for (int i = 0; i < 120; i++)
        {
            string coding = new[] { "", "", "gzip", "deflate", "zlib", "zstd" }[random.Next(6)];
            byte[] report = SampleReport.Make(random.Next(), random.Next(0, 40), random.Next(0, 60));
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
            if (through.Status is 502 && (headTouched || reset || direct.Status == 0))
            {
                Assert.DoesNotContain(ReportWarning.Id, Encoding.UTF8.GetString(through.Body));
                bad++;
            }
            else if (through.IsWhole && Encoding.UTF8.GetString(through.Body).Contains(ReportWarning.Id, StringComparison.Ordinal))
            {
                Assert.True(direct.IsWhole || reset, what); // a reset may overtake what was sent, for the one and not for the other
                Assert.Empty(QuayReportRules.Broken(through.Body).Except(QuayReportRules.Broken(GatewayRig.Undecorated(through.Body, GatewayRig.Stale)!)));
                string applied = direct.Header("content-encoding") is not { } stated ? "" : stated == "deflate" ? coding : stated;
                byte[] expected = direct.IsWhole ? GatewayRig.Decode(direct.Body, applied) : mutatedReport;
                Assert.True(expected.AsSpan().SequenceEqual(GatewayRig.Undecorated(through.Body, GatewayRig.Stale)), what);
                decorated++;
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
                Assert.True(direct.Body.AsSpan().StartsWith(through.Body) || reset, what);
                cut++;
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"unchanged {whole}, decorated {decorated}, cut {cut}, bad gateway {bad}");
        Assert.True(whole > 10 && decorated > 25 && cut > 5, $"unchanged {whole}, decorated {decorated}, cut {cut}, bad gateway {bad}");
        rig.Clair.Answer = ScanGatewayTests.Sends(GatewayRig.Answer(s_report));
        Assert.Equal(s_report, GatewayRig.Undecorated((await rig.AskAsync(s_get)).Body, GatewayRig.Stale)); // and it is as it was
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

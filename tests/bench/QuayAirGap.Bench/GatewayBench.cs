using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.TestKit.Clair;

namespace QuayAirGap.Bench;

/// <summary>
/// What the scan gateway adds to a report of 5 MB. The same client asks the same server directly, through the gateway (a process of its own), and through the gateway for
/// something that it only hands on, which is what any reverse proxy would add; in turn, and each time it reads to the end and undoes gzip, as Quay does. The
/// server stands for Clair in three ways: one that has the report ready, which no Clair has and which shows the whole cost; one that works for a while (an
/// assumption) and then sends it at once, compressed on the way; and one whose writing takes a while and a processor too, as encoding does: a Clair 4.9.0 was seen to
/// write 5 MB in 22 ms with gzip and in 27 without.
/// </summary>
internal static class GatewayBench
{
    private const int WritingMilliseconds = 30;
    private const string Report = "/matcher/api/v1/vulnerability_report/";

    /// <summary>Rounds before anything is counted: the runtime compiles the gateway's code a second time while it is new, on the same cores.</summary>
    private const int WarmUp = 100;

    public static async Task RunAsync(string work, int runs, int clairMilliseconds, string? only)
    {
        byte[] report = SampleReport.Make(7, 1900, 2700);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"A report of {report.Length:N0} bytes, 1,900 packages, 2,700 vulnerabilities; medians of {runs * 8} rounds and their middle half; goal: at most 5 ms and 10 % more than directly"));
        using var clair = new BenchClair(report, clairMilliseconds, WritingMilliseconds);
        Uri direct = clair.Address;
        foreach (bool covered in new[] { true, false })
        {
            Site site = Publish(Path.Combine(work, covered ? "covered" : "empty"), covered);
            int port = FreePort();
            using Process gateway = Start(site, port, direct);
            var through = new Uri($"http://127.0.0.1:{port}");
            try
            {
                foreach ((string clairIs, string what) in new[] { ("ready", "has it ready"), ("working", $"works {clairMilliseconds} ms"), ("writing", $"works {clairMilliseconds}, writes {WritingMilliseconds} ms") })
                {
                    foreach (string coding in new[] { "identity", "gzip" })
                    {
                        if (only is null || $"{(covered ? "covered" : "warned")}-{clairIs}-{coding}".Contains(only, StringComparison.Ordinal))
                        {
                            var row = new Row(covered, clairIs, what, coding);
                            await MeasureAsync(gateway, row, direct, through, runs * 8);
                        }
                    }
                }
            }
            finally
            {
                gateway.Kill();
            }
        }
    }

    private static async Task MeasureAsync(Process gateway, Row row, Uri direct, Uri through, int runs)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AutomaticDecompression = row.Coding == "gzip" ? DecompressionMethods.GZip : DecompressionMethods.None });
        byte[] buffer = new byte[1 << 20];
        (Uri Address, string Path)[] ways = [(direct, Report), (through, Report), (through, "/indexer/api/v1/index_report/")];
        List<double>[] times = [[], [], []];
        TimeSpan processor = TimeSpan.Zero;
        long expected = 0;
        for (int run = -WarmUp; run < runs; run++)
        {
            for (int i = 0; i < ways.Length; i++)
            {
                // Each is as often the first of a round as the others.
                int way = (i + run + WarmUp) % ways.Length;
                bool isTimed = run >= 0;
                TimeSpan before = Processor();
                (double took, long length) = await TimeAsync(ways[way].Address, ways[way].Path + "sha256:" + (isTimed ? row.Clair : "ready"));
                expected = way == 0 ? length : expected;
                if (expected > 0 && (way == 1 && !row.Covered ? length <= expected : length != expected))
                {
                    throw new InvalidOperationException("That is not what was to be sent.");
                }

                if (isTimed)
                {
                    times[way].Add(took);
                    processor += way == 1 ? Processor() - before : TimeSpan.Zero;
                }
            }
        }

        (double added, double addedShare, string spread) = Compared(times[1], times[0]);
        (double hop, _, string hopSpread) = Compared(times[2], times[0]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(row.Covered ? "covered" : "warned"),-8}{row.Coding,-9}Clair {row.What,-26} directly {Median(times[0]),6:0.0} ms, the gateway adds {added,5:0.0} ms {spread,-14} {addedShare,6:P0}, only handing on {hop,5:0.0} ms {hopSpread,-14} {processor.TotalMilliseconds / runs,5:0.0} ms of processor time in the gateway"));

        TimeSpan Processor()
        {
            gateway.Refresh();
            return gateway.TotalProcessorTime;
        }

        async Task<(double Milliseconds, long Length)> TimeAsync(Uri address, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
            request.Headers.AcceptEncoding.ParseAdd(row.Coding);
            long begin = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await using Stream body = await response.Content.ReadAsStreamAsync();
            long length = 0;
            for (int n; (n = await body.ReadAsync(buffer)) > 0;)
            {
                length += n;
            }

            return (Stopwatch.GetElapsedTime(begin).TotalMilliseconds, length);
        }
    }

    /// <returns>The median of the differences, that of the shares, and the middle half of the differences in words.</returns>
    private static (double Added, double Share, string Spread) Compared(List<double> ones, List<double> others)
    {
        double[] differences = [.. ones.Zip(others, (a, b) => a - b).Order()];
        return (
            differences[differences.Length / 2], Median([.. ones.Zip(others, (a, b) => (a - b) / b)]),
            string.Create(CultureInfo.InvariantCulture, $"({differences[differences.Length / 4]:0.0} to {differences[differences.Length * 3 / 4]:0.0})"));
    }

    /// <summary>A site that serves Debian, fresh, or nothing.</summary>
    private static Site Publish(string folder, bool debian)
    {
        Site site = Site.OpenOrCreate(folder);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        SourceSnapshot[] sources = !debian ? [] :
        [
            new SourceSnapshot
            {
                Name = "debian",
                State = CaptureState.Captured,
                CapturedAt = now.AddHours(-1),
                UpstreamModified = now.AddHours(-1),
                Updaters = ["debian/updater"],
                Releases = ["bookworm"],
                AdvisoryCount = 1000,
            },
        ];
        new Generation
        {
            Number = 1,
            PublishedAt = now,
            Stream = Guid.NewGuid(),
            Sequence = 1,
            HighestSequence = 1,
            NewestSnapshot = now,
            SnapshotSha256 = new string('0', 64),
            Sources = sources,
            Entries = [.. sources.Select(s => new GenerationEntry { Path = "/x", Source = s.Name, Sha256 = new string('1', 64), Size = 1, ContentType = "text/plain" })],
        }.Save(new GenerationStore(site).FolderOf(1));
        Durable.ReplaceFile(site.CurrentFile, "1\n"u8);
        return site;
    }

    private static Process Start(Site site, int port, Uri clair)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string executable = Path.Combine(ModuleImport.Root(), "src", "QuayAirGap.Host", "bin", configuration, "net10.0", "quayairgap.dll");
        string[] arguments =
            [executable, "serve", "--site", site.Root, "--quiet", "--urls", "http://127.0.0.1:0", "--scan-gateway", clair.AbsoluteUri, "--scan-gateway-urls", $"http://127.0.0.1:{port}"];
        var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, e) => { if (e.Data is { Length: > 0 } line && !line.Contains("Serving generation", StringComparison.Ordinal)) { Console.WriteLine("  " + line); } };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (int i = 0; i < 200; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(IPAddress.Loopback, port);
                return process;
            }
            catch (SocketException)
            {
                Thread.Sleep(100);
            }
        }

        throw new InvalidOperationException("The gateway does not start.");
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>What is compared: whether the site covers the image, how Clair behaves, and the coding that is asked for.</summary>
    private sealed record Row(bool Covered, string Clair, string What, string Coding);
}

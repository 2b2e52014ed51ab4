using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Snapshots;
using QuayAirGap.Core.Store;
using QuayAirGap.TestKit.Clair;

namespace QuayAirGap.Bench;

/// <summary>
/// What the scan gateway adds to a report of 5 MB: the same client asks the same server directly and through the gateway (a process of its
/// own), in turn. The server writes in Clair's pieces of 4 KiB and stands for Clair twice: one that has the report ready, which no Clair has and which shows
/// the gateway's whole cost, and one that works for a while first (an assumption: no Clair was measured) and compresses while it writes.
/// </summary>
internal static class GatewayBench
{
    private const int Piece = 4096;

    /// <summary>Requests before anything is counted: the runtime compiles the gateway's code a second and a third time while it is new, on the same cores.</summary>
    private const int WarmUp = 100;

    public static async Task RunAsync(string work, int runs, int clairMilliseconds)
    {
        byte[] report = SampleReport.Make(7, 1900, 2700);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a report of {report.Length:N0} bytes, 1,900 packages, 2,700 vulnerabilities"));
        await using WebApplication clair = await StartClairAsync(report, clairMilliseconds);
        var direct = new Uri(clair.Urls.Single());
        foreach (bool covered in new[] { true, false })
        {
            Site site = Publish(Path.Combine(work, covered ? "covered" : "empty"), covered);
            int port = FreePort();
            using Process gateway = Start(site, port, direct);
            try
            {
                foreach ((string path, string coding) in new[] { ("ready", ""), ("ready", "gzip"), ("working", ""), ("working", "gzip") })
                {
                    await MeasureAsync(gateway, covered, path, coding, clairMilliseconds, direct, new Uri($"http://127.0.0.1:{port}"), runs * 8);
                }
            }
            finally
            {
                gateway.Kill();
            }
        }
    }

    private static async Task MeasureAsync(Process gateway, bool covered, string path, string coding, int clairMilliseconds, Uri direct, Uri through, int runs)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AutomaticDecompression = DecompressionMethods.None });
        byte[] buffer = new byte[1 << 20];
        List<double> ones = [];
        List<double> others = [];
        TimeSpan processor = TimeSpan.Zero;
        double first = 0;
        for (int run = -WarmUp; run < runs; run++)
        {
            if (run == 0)
            {
                gateway.Refresh();
                processor = gateway.TotalProcessorTime;
            }

            (double a, _) = await TimeAsync(direct);
            (double b, long length) = await TimeAsync(through);
            if (run == -WarmUp && length == 0)
            {
                throw new InvalidOperationException("The gateway sends nothing.");
            }

            if (run == -WarmUp)
            {
                first = b;
            }

            if (run >= 0)
            {
                ones.Add(a);
                others.Add(b);
            }
        }

        gateway.Refresh();
        double used = (gateway.TotalProcessorTime - processor).TotalMilliseconds / runs;
        double added = Median([.. others.Zip(ones, (b, a) => b - a)]);
        double ratio = Median([.. others.Zip(ones, (b, a) => b / a)]);
        string from = path == "ready" ? "a server that has it ready" : $"one that works {clairMilliseconds} ms";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(covered ? "covered" : "warned"),-8}{(coding.Length > 0 ? coding : "identity"),-9} {from,-28} direct {Median(ones),6:0.0} ms, through the gateway {Median(others),6:0.0} ms: adds {added,5:0.0} ms, {ratio - 1,5:P0} (goal 5 ms, 10 %); fastest of each {ones.Min():0.0} and {others.Min():0.0} ms; {used:0.0} ms of processor time in the gateway; the first of {WarmUp} before that {first:0} ms through it"));

        async Task<(double Milliseconds, long Length)> TimeAsync(Uri address)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/matcher/api/v1/vulnerability_report/sha256:{path}"));
            if (coding.Length > 0)
            {
                request.Headers.TryAddWithoutValidation("Accept-Encoding", coding);
            }

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

    private static async Task<WebApplication> StartClairAsync(byte[] report, int clairMilliseconds)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        byte[] zipped = Gzip(report);
        app.Run(async context =>
        {
            bool gzip = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal);
            bool works = context.Request.Path.Value!.EndsWith("working", StringComparison.Ordinal);
            context.Response.ContentType = "application/vnd.clair.index_report.v1+json";
            if (gzip)
            {
                context.Response.Headers.ContentEncoding = "gzip";
            }

            if (works)
            {
                await Task.Delay(clairMilliseconds);
            }

            byte[] ready = gzip && !works ? zipped : report;
            Stream body = gzip && works ? new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true) : context.Response.Body;
            for (int at = 0; at < ready.Length; at += Piece)
            {
                await body.WriteAsync(ready.AsMemory(at, Math.Min(Piece, ready.Length - at)));
            }

            if (body is GZipStream)
            {
                await body.DisposeAsync();
            }
        });
        await app.StartAsync();
        return app;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return zipped.ToArray();
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
}

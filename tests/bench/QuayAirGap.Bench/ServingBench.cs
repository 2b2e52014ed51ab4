using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using QuayAirGap.Core.Publishing;
using QuayAirGap.Core.Sites;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Bench;

/// <summary>
/// The mirror against nginx over the same bytes, each as a process, in turn, with wrk as the client; then a normal client's answers beside
/// idle and slow ones. nginx and wrk are taken from the PATH, or from where QUAYAIRGAP_NGINX and QUAYAIRGAP_WRK say.
/// </summary>
internal static partial class ServingBench
{
    private const int Idle = 10_000;
    private const int Slow = 200;

    private static readonly (string Name, int Size, int Connections)[] s_files =
        [("small.json", 1_000, 64), ("middle.json", 100_000, 32), ("large.zip", 10_000_000, 4)];

    public static async Task RunAsync(string work, int runs, int seconds)
    {
        string? nginx = Find("QUAYAIRGAP_NGINX", "nginx");
        string? wrk = Find("QUAYAIRGAP_WRK", "wrk");
        if (nginx is null || wrk is null)
        {
            Console.WriteLine("There is no nginx or no wrk: serving is not measured.");
            return;
        }

        Site site = Publish(Path.Combine(work, "served"), Path.Combine(work, "tree"));
        int ours = FreePort();
        int theirs = FreePort();
        using Process mirror = StartMirror(site, ours);
        using Process web = StartNginx(nginx, Path.Combine(work, "tree"), work, theirs);
        try
        {
            await AnswersAsync(ours);
            await AnswersAsync(theirs);
            foreach ((string name, int size, int connections) in s_files)
            {
                var mine = new List<(double Rate, double PerCpu)>();
                var other = new List<(double Rate, double PerCpu)>();
                for (int run = 0; run <= runs; run++)
                {
                    (double, double) m = await WrkAsync(wrk, mirror, ours, name, connections, seconds);
                    (double, double) n = await WrkAsync(wrk, web, theirs, name, connections, seconds);
                    if (run > 0)
                    {
                        mine.Add(m);
                        other.Add(n);
                    }
                }

                double ratio = Median([.. mine.Zip(other, (a, b) => a.Rate / b.Rate)]);
                double cpu = Median([.. mine.Zip(other, (a, b) => a.PerCpu / b.PerCpu)]);
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"serving {size,10:N0} bytes, {connections} connections: {Median([.. mine.Select(m => m.Rate)]),9:N1} requests/s, nginx {Median([.. other.Select(o => o.Rate)]),9:N1}: {ratio:P0} (goal 80 %); for each second of processor time {cpu:P0}"));
            }

            double alone = await LatencyAsync(ours);
            List<Socket> crowd = await CrowdAsync(ours);
            double among = await LatencyAsync(ours);
            crowd.ForEach(s => s.Dispose());
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"a normal client's slowest answer of 200: {alone:0} ms alone, {among:0} ms beside {crowd.Count - Slow:N0} idle and {Slow} slow connections"));
        }
        finally
        {
            mirror.Kill();
            web.Kill(entireProcessTree: true);
        }
    }

    private static Site Publish(string folder, string tree)
    {
        Site site = Site.OpenOrCreate(folder);
        var entries = new List<GenerationEntry>();
        Directory.CreateDirectory(Path.Combine(tree, "bench"));
        foreach ((string name, int size, int _) in s_files)
        {
            byte[] content = RandomNumberGenerator.GetBytes(size);
            string sha256 = Sha256Digest.Of(content);
            string blob = site.Store.PathOf(sha256);
            Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
            File.WriteAllBytes(blob, content);
            File.CreateSymbolicLink(Path.Combine(tree, "bench", name), blob);
            entries.Add(new GenerationEntry
            {
                Path = "/bench/" + name,
                Source = "bench",
                Sha256 = sha256,
                Size = size,
                ContentType = "application/octet-stream",
                LastModified = DateTimeOffset.UnixEpoch,
            });
        }

        new Generation
        {
            Number = 1,
            PublishedAt = DateTimeOffset.UnixEpoch,
            Stream = Guid.NewGuid(),
            Sequence = 1,
            HighestSequence = 1,
            NewestSnapshot = DateTimeOffset.UnixEpoch,
            SnapshotSha256 = new string('0', 64),
            Sources = [],
            Entries = [.. entries.OrderBy(e => e.Path, StringComparer.Ordinal)],
        }.Save(new GenerationStore(site).FolderOf(1));
        Durable.ReplaceFile(site.CurrentFile, "1\n"u8);
        return site;
    }

    private static Process StartMirror(Site site, int port)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string executable = Path.Combine(ModuleImport.Root(), "src", "QuayAirGap.Host", "bin", configuration, "net10.0", "quayairgap.dll");
        return Start("dotnet", executable, "serve", "--site", site.Root, "--urls", $"http://127.0.0.1:{port}", "--quiet");
    }

    internal static Process StartNginx(string nginx, string tree, string work, int port)
    {
        string configuration = Path.Combine(work, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            daemon off;
            user root;
            worker_processes auto;
            error_log {{work}}/error.log;
            pid {{work}}/nginx.pid;
            events { worker_connections 16384; }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              keepalive_requests 1000000;
              client_body_temp_path {{work}}/b; proxy_temp_path {{work}}/p; fastcgi_temp_path {{work}}/f; uwsgi_temp_path {{work}}/u; scgi_temp_path {{work}}/s;
              server { listen 127.0.0.1:{{port}}; root {{tree}}; }
            }
            """);
        return Start(nginx, "-c", configuration, "-p", work);
    }

    private static Process Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, e) => { if (e.Data is { Length: > 0 } line) { Console.WriteLine("  " + line); } };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task AnswersAsync(int port)
    {
        using var http = new HttpClient();
        for (int i = 0; ; i++)
        {
            try
            {
                await http.GetByteArrayAsync(new Uri($"http://127.0.0.1:{port}/bench/small.json"));
                return;
            }
            catch (HttpRequestException) when (i < 100)
            {
                await Task.Delay(100);
            }
        }
    }

    /// <returns>
    /// Requests for each second, and for each second of the server's own processor time: the latter also means something on a machine that
    /// others use.
    /// </returns>
    private static async Task<(double Rate, double PerCpu)> WrkAsync(string wrk, Process server, int port, string name, int connections, int seconds)
    {
        double before = ProcessorSeconds(server);
        string[] arguments = ["-t", "1", "-c", $"{connections}", "-d", $"{seconds}s", $"http://127.0.0.1:{port}/bench/{name}"];
        using Process process = Process.Start(new ProcessStartInfo(wrk, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (output.Contains("Non-2xx", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(output);
        }

        double used = ProcessorSeconds(server) - before;
        double requests = double.Parse(Requests().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        return (double.Parse(RequestsPerSecond().Match(output).Groups[1].Value, CultureInfo.InvariantCulture), requests / used);
    }

    /// <summary>Of a process and its children (nginx's workers). Linux only.</summary>
    private static double ProcessorSeconds(Process server)
    {
        string[] children = File.ReadAllText($"/proc/{server.Id}/task/{server.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return children.Append(server.Id.ToString(CultureInfo.InvariantCulture)).Sum(id =>
        {
            using Process process = Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture));
            return process.TotalProcessorTime.TotalSeconds;
        });
    }

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Requests();

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex RequestsPerSecond();

    private static async Task<double> LatencyAsync(int port)
    {
        using var http = new HttpClient();
        var uri = new Uri($"http://127.0.0.1:{port}/bench/middle.json");
        await http.GetByteArrayAsync(uri);
        double slowest = 0;
        for (int i = 0; i < 200; i++)
        {
            long begin = Stopwatch.GetTimestamp();
            await http.GetByteArrayAsync(uri);
            slowest = Math.Max(slowest, Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }

        return slowest;
    }

    /// <summary>Connections that say nothing, and some that ask for much and read nothing.</summary>
    private static async Task<List<Socket>> CrowdAsync(int port)
    {
        var sockets = new List<Socket>();
        for (int i = 0; i < Idle + Slow; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            sockets.Add(socket);
            if (i < Slow)
            {
                await socket.SendAsync("GET /bench/large.zip HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            }
        }

        return sockets;
    }

    internal static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    internal static string? Find(string variable, string name) => Environment.GetEnvironmentVariable(variable)
        ?? (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin").Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using QuayAirGap.TestKit.Clair;
using QuayAirGap.TestKit.Upstream;
using Xunit;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>The configuration for people who serve a generation with nginx, with the real one where it is installed.</summary>
public sealed class NginxTests
{
    private static readonly DateTimeOffset s_upstreamTime = new(2026, 11, 20, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task From_nginx_clair_ends_with_the_same_through_a_change_and_a_revert()
    {
        string? nginx = Environment.GetEnvironmentVariable("QUAYAIRGAP_NGINX") ?? new[] { "/usr/sbin/nginx", "/usr/bin/nginx" }.FirstOrDefault(File.Exists);
        Assert.SkipUnless(nginx is not null && File.Exists("/usr/bin/jq") && File.Exists("/usr/bin/zstd"), "nginx, jq or zstd is not installed.");
        await using TwoSites sites = await TwoSites.StartAsync(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
        int first = (await sites.CarryAsync()).Generation.Number;
        string tree = Path.Combine(sites.Folder, "tree");
        Directory.CreateDirectory(tree);
        Export(sites, tree);
        int port = FreePort();
        using Process web = StartNginx(nginx!, tree, sites.Folder, port);
        try
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
            await AnswersAsync(http);
            foreach ((string path, HttpStatusCode expected) in new[]
            {
                ("secdb.alpinelinux.org/v3.3/", HttpStatusCode.OK), ("secdb.alpinelinux.org/v3.99/", HttpStatusCode.NotFound),
                ("secdb.alpinelinux.org/", HttpStatusCode.NotFound), ("ecosystems.txt", HttpStatusCode.OK),
            })
            {
                using HttpResponseMessage head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), TestContext.Current.CancellationToken);
                Assert.Equal(expected, head.StatusCode);
                Assert.Equal(path == "secdb.alpinelinux.org/v3.3/", head.Headers.ETag is not null);
                Assert.Equal(path == "secdb.alpinelinux.org/v3.3/", head.Content.Headers.LastModified is not null);
            }

            using var clair = new ClairMatcher(
                ClairConfig.ByPath(http.BaseAddress) with { UbuntuForce = ConformanceRig.Forced(sites), OtherHostsUnder = http.BaseAddress }, sites.Clock);
            await PollAsync(clair);
            await ConformanceRig.SameAsUpstreamAsync(clair, sites);
            Assert.All((await PollAsync(clair)).Where(u => u.Updater != "rhel-vex"), u => Assert.Equal(ClairOutcome.Unchanged, u.Outcome));

            sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample("day2"), s_upstreamTime.AddDays(1)));
            sites.Clock.Advance(TimeSpan.FromDays(1));
            await sites.CarryAsync();
            Export(sites, tree);
            await PollAsync(clair);
            await ConformanceRig.SameAsUpstreamAsync(clair, sites);

            sites.Clock.Advance(TimeSpan.FromHours(1));
            await sites.RestoreAsync(first);
            Export(sites, tree);
            await PollAsync(clair);
            sites.Upstream.SetLayers(new UpstreamLayer(Repository.Sample("day1"), s_upstreamTime));
            await ConformanceRig.SameAsUpstreamAsync(clair, sites);
            Assert.Equal(2, Directory.GetDirectories(tree).Count(d => Path.GetFileName(d) != "current"));
        }
        finally
        {
            web.Kill(entireProcessTree: true);
            await web.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static void Export(TwoSites sites, string tree)
    {
        string path = Path.Combine(Repository.Root, "packaging", "nginx", "export-tree.sh");
        var start = new ProcessStartInfo("/bin/sh", [path, sites.Inside.Root, tree]) { RedirectStandardError = true };
        using Process script = Process.Start(start)!;
        string errors = script.StandardError.ReadToEnd();
        script.WaitForExit();
        Assert.True(script.ExitCode == 0, errors);
    }

    private static Process StartNginx(string nginx, string tree, string folder, int port)
    {
        string server = File.ReadAllText(Path.Combine(Repository.Root, "packaging", "nginx", "quayairgap.conf"))
            .Replace("/srv/quayairgap", tree, StringComparison.Ordinal).Replace("listen 8080", $"listen 127.0.0.1:{port}", StringComparison.Ordinal);
        string configuration = Path.Combine(folder, "nginx.conf");
        string temporary = string.Concat(new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(n => $"{n}_temp_path {folder}/{n};\n"));

        // The account of this test reads its own folder, whatever nginx's usual one may.
        string user = Environment.UserName == "root" ? "user root;\n" : "";
        File.WriteAllText(
            configuration, $"daemon off;\n{user}pid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\nevents {{}}\nhttp {{\naccess_log off;\ndefault_type application/octet-stream;\n{temporary}{server}}}\n");
        return Process.Start(new ProcessStartInfo(nginx, ["-c", configuration, "-p", folder]))!;
    }

    private static async Task AnswersAsync(HttpClient http)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                using HttpResponseMessage answer = await http.GetAsync("ecosystems.txt", TestContext.Current.CancellationToken);
                return;
            }
            catch (HttpRequestException) when (i < 100)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task<IReadOnlyList<ClairUpdate>> PollAsync(ClairMatcher clair)
    {
        IReadOnlyList<ClairUpdate> updates = await clair.PollAsync();
        Assert.All(updates, u => Assert.True(u.Outcome <= ClairOutcome.Updated, $"{u.Updater}: {u.Outcome} {u.Error}"));
        return updates;
    }
}

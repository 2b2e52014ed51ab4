using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using QuayAirGap.Server.Commands;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class ServeCommandTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task It_says_where_it_listens_serves_logs_each_request_and_stops_when_told()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        using var stop = new CancellationTokenSource();
        var output = new LineWriter();
        var error = new LineWriter();
        Task<int> serving = ServeCommand.RunAsync(["--site", _site.Root, "--urls", "http://127.0.0.1:0;http://[::1]:0"], output, error, stop.Token);

        string first = await output.NextAsync();
        string second = await output.NextAsync();
        Assert.StartsWith("Listening on http://127.0.0.1:", first);
        Assert.StartsWith("Listening on http://[::1]:", second);
        foreach (string line in new[] { first, second })
        {
            using HttpClient client = TestMirror.NewClient(new Uri(line["Listening on ".Length..]));
            using var request = new HttpRequestMessage(HttpMethod.Get, "/a?x=%22");
            request.Headers.TryAddWithoutValidation("User-Agent", "Go-http-client/1.1 \"\u001b[31m");
            using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal("one", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            string logged = await output.NextAsync();
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (127\.0\.0\.1|::1) ""GET /a\?x=%22"" 200 3 \d+\.\dms ""Go-http-client/1\.1 [^""]*""$", logged);
            Assert.DoesNotContain('\u001b', logged);
        }

        await stop.CancelAsync();
        Assert.Equal(0, await serving);
        Assert.Contains("Serving generation 1", await error.NextAsync());
    }

    [Fact]
    public async Task Quiet_logs_no_request()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        using var stop = new CancellationTokenSource();
        var output = new LineWriter();
        Task<int> serving = ServeCommand.RunAsync(["--quiet", $"--site={_site.Root}", "--urls=http://127.0.0.1:0"], output, TextWriter.Null, stop.Token);
        using (HttpClient client = TestMirror.NewClient(new Uri((await output.NextAsync())["Listening on ".Length..])))
        {
            Assert.Equal("one", await client.GetStringAsync("/a", TestContext.Current.CancellationToken));
        }

        await stop.CancelAsync();

        Assert.Equal(0, await serving);
        Assert.Equal(0, output.Waiting);
    }

    [Theory]
    [InlineData(new[] { "--stie", "x" }, "'--site'")]
    [InlineData(new[] { "--url", "x" }, "'--urls'")]
    [InlineData(new[] { "-quiet" }, "'--quiet'")]
    [InlineData(new[] { "somewhere" }, "no option 'somewhere'")]
    [InlineData(new[] { "--site" }, "needs a value")]
    [InlineData(new[] { "--quiet=yes" }, "takes no value")]
    [InlineData(new[] { "--site", "a", "--site", "b" }, "twice")]
    [InlineData(new[] { "--site", "a", "--folder", "b" }, "exclude")]
    [InlineData(new[] { "--last-modified", "2026-11-01" }, "needs --folder")]
    [InlineData(new[] { "--folder", "x", "--last-modified", "yesterday" }, "not a time")]
    [InlineData(new[] { "--urls", ";" }, "names no address")]
    [InlineData(new[] { "--site", "/nowhere/at-all" }, "no site at")]
    [InlineData(new[] { "--folder", "/nowhere/at-all" }, "no folder '")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "8080" }, "not an address")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "https://127.0.0.1:0" }, "no certificate for")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "ftp://127.0.0.1:0" }, "cannot listen at")]
    [InlineData(new[] { "--proxy", "http://127.0.0.1:0" }, "--proxy needs --as-upstream")]
    [InlineData(new[] { "--by-name", "https://*:0" }, "--by-name needs --as-upstream")]
    [InlineData(new[] { "--folder", "SITE", "--as-upstream" }, "needs a site")]
    [InlineData(new[] { "--as-upstream=yes" }, "takes no value")]
    [InlineData(new[] { "--site", "SITE", "--urls", "http://127.0.0.1:0", "--as-upstream" }, "New-ClairFeedMirrorCertificate")]
    [InlineData(new[] { "--tls-certificate", "x.pem" }, "--tls-certificate needs an address with https")]
    [InlineData(new[] { "--http2" }, "--http2 needs an address with https")]
    [InlineData(new[] { "--tls-key", "x.pem" }, "--tls-key needs --tls-certificate")]
    [InlineData(new[] { "--site", "SITE", "--urls", "https://127.0.0.1:0", "--tls-certificate", "/nowhere/x.pem" }, "/nowhere/x.pem")]
    [InlineData(new[] { "--site", "SITE", "--urls", "https://127.0.0.1:0", "--tls-certificate", "SITE/sources.yaml" }, "cannot be used")]
    [InlineData(new[] { "--site", "SITE", "--urls", "https://127.0.0.1:0", "--tls-certificate", "x", "--tls-password-file", "/nowhere/p" }, "/nowhere/p")]
    [InlineData(new[] { "--scan-gateway", "clair:6060" }, "not an address")]
    [InlineData(new[] { "--scan-gateway", "http://clair:6060?x=1" }, "not an address")]
    [InlineData(new[] { "--scan-gateway-urls", "http://127.0.0.1:0" }, "--scan-gateway-urls needs --scan-gateway")]
    [InlineData(new[] { "--clair-release", "4.9.0" }, "--clair-release needs --scan-gateway")]
    [InlineData(new[] { "--folder", "SITE", "--scan-gateway", "http://127.0.0.1:1" }, "needs a site")]
    [InlineData(new[] { "--site", "SITE", "--scan-gateway", "http://127.0.0.1:1", "--clair-release", "3" }, "release of Clair '3'")]
    [InlineData(new[] { "--site", "SITE", "--urls", "http://127.0.0.1:0", "--scan-gateway", "http://127.0.0.1:1", "--scan-gateway-urls", "https://127.0.0.1:0" }, "no certificate for")]
    [InlineData(new[] { "--max-connections", "many" }, "not a number of connections")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "http://127.0.0.1:0/base" }, "cannot listen at")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "http://192.0.2.1:8080" }, "cannot listen at")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "http://127.0.0.1:99999" }, "http://127.0.0.1:99999")]
    [InlineData(new[] { "--folder", "SITE", "--urls", "http://localhost:0" }, "cannot listen at")]
    public async Task A_wrong_command_line_is_an_error_that_helps(string[] args, string expected)
    {
        using var error = new StringWriter();
        int exit = await ServeCommand.RunAsync([.. args.Select(a => a.Replace("SITE", _site.Root))], TextWriter.Null, error, TestContext.Current.CancellationToken);

        Assert.Equal(2, exit);
        Assert.StartsWith("quayairgap serve: ", error.ToString());
        Assert.Contains(expected, error.ToString());
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_an_error_that_says_so()
    {
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        int port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        using var error = new StringWriter();

        int exit = await ServeCommand.RunAsync(
            ["--site", _site.Root, "--urls", $"http://127.0.0.1:{port}"], TextWriter.Null, error, TestContext.Current.CancellationToken);

        Assert.Equal(2, exit);
        Assert.Contains($"http://127.0.0.1:{port}", error.ToString());
        Assert.Contains("already in use", error.ToString());
    }

    [Fact]
    public async Task Help_lists_every_option()
    {
        using var output = new StringWriter();

        Assert.Equal(0, await ServeCommand.RunAsync(["--help"], output, TextWriter.Null, TestContext.Current.CancellationToken));

        Assert.All(["--site", "--folder", "--last-modified", "--urls", "--quiet", "--help"], o => Assert.Contains(o, output.ToString()));
    }

    [Fact]
    public async Task The_environment_of_other_programs_changes_nothing()
    {
        string taken = Environment.GetEnvironmentVariable("ASPNETCORE_URLS") ?? "";
        Environment.SetEnvironmentVariable("ASPNETCORE_URLS", "http://127.0.0.1:1");
        Environment.SetEnvironmentVariable("ASPNETCORE_ENVIRONMENT", "Development");
        try
        {
            _site.Publish(1, [_site.Entry("/a", "one")]);
            await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
            Assert.NotEqual(1, mirror.Address.Port);
            Assert.Equal("one", await mirror.Client.GetStringAsync("/a", TestContext.Current.CancellationToken));
        }
        finally
        {
            Environment.SetEnvironmentVariable("ASPNETCORE_URLS", taken.Length == 0 ? null : taken);
            Environment.SetEnvironmentVariable("ASPNETCORE_ENVIRONMENT", null);
        }
    }

    /// <summary>Hands over what is written line by line, as it is written.</summary>
    private sealed class LineWriter : TextWriter
    {
        private readonly ConcurrentQueue<string> _lines = new();
        private readonly SemaphoreSlim _written = new(0);
        private readonly StringBuilder _line = new();

        public override Encoding Encoding => Encoding.UTF8;

        public int Waiting => _lines.Count;

        public override void Write(char value)
        {
            if (value == '\n')
            {
                _lines.Enqueue(_line.ToString().TrimEnd('\r'));
                _line.Clear();
                _written.Release();
            }
            else
            {
                _line.Append(value);
            }
        }

        public async Task<string> NextAsync()
        {
            Assert.True(await _written.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), "Nothing was written.");
            Assert.True(_lines.TryDequeue(out string? line));
            return line;
        }
    }
}

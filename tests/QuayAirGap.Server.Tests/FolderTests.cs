using System.Net;
using System.Text;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class FolderTests : IAsyncLifetime
{
    private static readonly DateTime s_time = new(2026, 10, 5, 6, 7, 8, DateTimeKind.Utc);

    private readonly string _parent = Path.Combine(Path.GetTempPath(), "quayairgap-folder-" + Guid.NewGuid().ToString("N"));
    private TestMirror _mirror = null!;

    private string Root => Path.Combine(_parent, "www");

    public async ValueTask InitializeAsync()
    {
        Write("www/ftp.debian.org/debian/dists/bookworm/Release", "Version: 12.11\n");
        Write("www/ftp.debian.org/debian/dists/trixie/Release", "Version: 13.1\n");
        Write("www/ftp.debian.org/debian/dists/a \"b\" <c> & d:e/x", "x");
        Write("www/secdb.alpinelinux.org/v3.3/index.html", "<html>3.3</html>");
        Write("www/osv.example/ecosystems.txt", "Go\n");
        Write("www/osv.example/Go/all.zip", "zip");
        Write("outside/secret.txt", "secret");
        _mirror = await TestMirror.StartAsync(new MirrorOptions { Folder = Root });
    }

    public async ValueTask DisposeAsync()
    {
        await _mirror.DisposeAsync();
        Directory.Delete(_parent, recursive: true);
    }

    [Fact]
    public async Task A_file_has_its_hash_its_time_and_the_same_rules()
    {
        using HttpResponseMessage response = await _mirror.GetAsync("/osv.example/Go/all.zip");
        string etag = response.Headers.GetValues("ETag").Single();

        Assert.Equal($"\"{TestSite.Digest(TestSite.Bytes("zip"))}\"", etag);
        Assert.Equal(s_time, response.Content.Headers.LastModified);
        Assert.NotNull(response.Content.Headers.ContentType);
        Assert.Equal(HttpStatusCode.NotModified, (await _mirror.GetAsync("/osv.example/Go/all.zip", ("If-None-Match", etag))).StatusCode);
        Assert.Equal(
            HttpStatusCode.OK,
            (await _mirror.GetAsync("/osv.example/Go/all.zip", ("If-Modified-Since", "Mon, 05 Oct 2026 06:07:09 GMT"))).StatusCode);
        Assert.Equal(HttpStatusCode.PartialContent, (await _mirror.GetAsync("/osv.example/Go/all.zip", ("Range", "bytes=0-0"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _mirror.GetAsync("/osv.example/go/all.zip")).StatusCode);
    }

    [Fact]
    public async Task A_changed_file_has_another_ETag_even_with_the_same_size_within_the_same_second()
    {
        string path = Path.Combine(Root, "osv.example", "Go", "all.zip");
        var etags = new List<string>();
        foreach (string content in new[] { "zip", "zap", "zup" })
        {
            await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
            File.SetLastWriteTimeUtc(path, _mirror.Time.GetUtcNow().UtcDateTime);
            using HttpResponseMessage response = await _mirror.GetAsync("/osv.example/Go/all.zip");
            Assert.Equal(content, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            etags.Add(response.Headers.GetValues("ETag").Single());
        }

        Assert.Equal(3, etags.Distinct().Count());
    }

    [Fact]
    public async Task The_list_of_ecosystems_has_no_validators_here_either()
    {
        using HttpResponseMessage response = await _mirror.GetAsync("/osv.example/ecosystems.txt", ("If-None-Match", "*"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("ETag"));
        Assert.False(response.Content.Headers.Contains("Last-Modified"));
    }

    [Fact]
    public async Task A_directory_is_its_index_or_a_listing_that_Clair_can_read()
    {
        using HttpResponseMessage index = await _mirror.GetAsync("/secdb.alpinelinux.org/v3.3/");
        Assert.Equal("<html>3.3</html>", await index.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        using HttpResponseMessage listing = await _mirror.GetAsync("/ftp.debian.org/debian/dists/");
        string html = await listing.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        string[] links = [.. System.Text.RegularExpressions.Regex.Matches(html, "href=\"([^\"]+)\"").Select(m => m.Groups[1].Value)];
        Assert.Equal(["a%20%22b%22%20%3Cc%3E%20%26%20d%3Ae/", "bookworm/", "trixie/"], links);
        foreach (string link in links)
        {
            Assert.Equal(HttpStatusCode.OK, (await _mirror.SendAsync(HttpMethod.Head, "/ftp.debian.org/debian/dists/" + link)).StatusCode);
        }

        using HttpResponseMessage without = await _mirror.GetAsync("/ftp.debian.org/debian/dists");
        Assert.Equal("/ftp.debian.org/debian/dists/", without.Headers.GetValues("Location").Single());
        Assert.Equal(HttpStatusCode.OK, (await _mirror.GetAsync("/")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _mirror.GetAsync("/ftp.debian.org/debian/dists/forky/")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _mirror.GetAsync("/osv.example/Go/all.zip/")).StatusCode);
    }

    [Fact]
    public async Task Links_work_inside_the_folder_and_never_lead_out_of_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Creating links needs a privilege on Windows.");
        string outside = Path.Combine(_parent, "outside");
        Link("file-inside", "osv.example/Go/all.zip");
        Link("folder-inside", "osv.example");
        Link("osv.example/up-and-down", "../osv.example/Go");
        Link("absolute-inside", Path.Combine(Root, "osv.example"));
        Link("chain", "folder-inside/up-and-down/all.zip");
        Link("file-outside", Path.Combine(outside, "secret.txt"));
        Link("relative-outside", "../outside/secret.txt");
        Link("folder-outside", outside);
        Link("hidden-outside", "folder-outside/secret.txt");
        Link("in-and-out", "osv.example/../../outside/secret.txt");
        Link("round", "round");
        Link("dangling", "nowhere");

        string[] inside = ["/file-inside", "/folder-inside/Go/all.zip", "/osv.example/up-and-down/all.zip", "/absolute-inside/Go/all.zip", "/chain"];
        foreach (string path in inside)
        {
            using HttpResponseMessage response = await _mirror.GetAsync(path);
            Assert.Equal("zip", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        string[] nowhere =
        [
            "/file-outside", "/relative-outside", "/folder-outside/secret.txt", "/folder-outside/", "/folder-outside", "/hidden-outside",
            "/in-and-out", "/round", "/dangling",
        ];
        foreach (string path in nowhere)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await _mirror.GetAsync(path)).StatusCode);
        }

        string listing = await (await _mirror.GetAsync("/")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"chain\"", listing);
        Assert.DoesNotContain("outside", listing);

        void Link(string name, string target) => File.CreateSymbolicLink(Path.Combine(Root, name), target);
    }

    [Fact]
    public async Task A_thousand_hostile_targets_get_no_5xx_and_nothing_from_outside()
    {
        string secret = Path.Combine(_parent, "outside", "secret.txt");
        foreach (string target in HostileTargets.Generate(1000, [secret, "../outside/secret.txt", "outside/secret.txt", Root]))
        {
            string answer = Encoding.Latin1.GetString(await _mirror.GetRawAsync(target));
            string status = answer.Split(' ', 3).ElementAtOrDefault(1) ?? "";

            Assert.True(status is "200" or "301" or "404" or "400" or "405" or "414", $"'{target}' was answered: {answer}");
            Assert.DoesNotContain("secret", answer.Split("\r\n\r\n", 2).ElementAtOrDefault(1) ?? "");
            Assert.DoesNotContain("root:", answer);
        }

        Assert.Empty(_mirror.Log.Errors);
    }

    [Fact]
    public async Task A_file_that_may_not_be_read_is_404_and_an_error_in_the_log()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.UserName == "root", "This account may read everything.");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(Root, "osv.example", "Go", "all.zip"), UnixFileMode.None);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await _mirror.GetAsync("/osv.example/Go/all.zip")).StatusCode);
        Assert.Single(_mirror.Log.Errors);
    }

    [Fact]
    public async Task Every_file_can_be_given_one_time()
    {
        await using TestMirror mirror = await TestMirror.StartAsync(new MirrorOptions { Folder = Root, FolderLastModified = TestSite.Modified });

        using HttpResponseMessage response = await mirror.GetAsync("/osv.example/Go/all.zip");

        Assert.Equal(TestSite.Modified, response.Content.Headers.LastModified);
    }

    private void Write(string path, string content)
    {
        string file = Path.Combine(_parent, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        File.SetLastWriteTimeUtc(file, s_time);
    }
}

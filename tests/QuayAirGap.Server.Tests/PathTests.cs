using System.Net;
using System.Text;
using Xunit;

namespace QuayAirGap.Server.Tests;

public sealed class PathTests : IAsyncLifetime
{
    private const string Listing = "<html><a href=\"v3.3/\">v3.3/</a></html>";

    private readonly TestSite _site = new();
    private TestMirror _mirror = null!;

    public async ValueTask InitializeAsync()
    {
        _site.Publish(
            1,
            [
                _site.Entry("/secdb.alpinelinux.org/v3.3/", Listing, contentType: "text/html"),
                _site.Entry("/secdb.alpinelinux.org/v3.18/main.json", "{}"),
                _site.Entry("/osv/Go Modules/all.zip", "zip"),
                _site.Entry("/osv/ünï/all.zip", "zip"),
            ],
            _site.Archive("/security.access.redhat.com/data/csaf/v2/vex/", [("2024/cve-2024-1.json", TestSite.Bytes("{\"a\":1}"))], 1));
        _mirror = await TestMirror.StartAsync(_site.Site);
    }

    public async ValueTask DisposeAsync()
    {
        await _mirror.DisposeAsync();
        _site.Dispose();
    }

    [Theory]
    [InlineData("/secdb.alpinelinux.org/v3.3/", 200)]
    [InlineData("/secdb.alpinelinux.org/v3.3", 301)]
    [InlineData("/secdb.alpinelinux.org/v3.4/", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.4", 404)]
    [InlineData("/secdb.alpinelinux.org/v4.0/", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18/", 404)] // has a file below it, but was not published as a directory
    [InlineData("/secdb.alpinelinux.org/v3.18", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18/main.json", 200)]
    [InlineData("/secdb.alpinelinux.org/v3.18/main.json?now=1", 200)]
    [InlineData("/secdb.alpinelinux.org/v3.18/main%2Ejson", 200)]
    [InlineData("/secdb.alpinelinux.org/v3.18/main.json/", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18/Main.json", 404)]
    [InlineData("/SECDB.alpinelinux.org/v3.18/main.json", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18%2Fmain.json", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18%2fmain.json", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18%252Fmain.json", 404)]
    [InlineData("/secdb.alpinelinux.org/v3.18/%6dain.json", 200)]
    [InlineData("/secdb.alpinelinux.org/v3.18/%256dain.json", 404)] // decoded once, not twice
    [InlineData("/secdb.alpinelinux.org//v3.18/main.json", 404)]
    [InlineData("//secdb.alpinelinux.org/v3.18/main.json", 404)]
    [InlineData("/secdb.alpinelinux.org/./v3.18/main.json", 404)]
    [InlineData("/secdb.alpinelinux.org/x/../v3.18/main.json", 404)]
    [InlineData("/secdb.alpinelinux.org/x/%2e%2e/v3.18/main.json", 404)]
    [InlineData("/osv/Go%20Modules/all.zip", 200)]
    [InlineData("/osv/Go+Modules/all.zip", 404)]
    [InlineData("/osv/%C3%BCn%C3%AF/all.zip", 200)]
    [InlineData("/osv/%FCn%EF/all.zip", 404)]
    [InlineData("/security.access.redhat.com/data/csaf/v2/vex/2024/cve-2024-1.json", 200)]
    [InlineData("/security.access.redhat.com/data/csaf/v2/vex/2024/cve-2024-2.json", 404)]
    [InlineData("/security.access.redhat.com/data/csaf/v2/vex/2024/", 404)]
    [InlineData("/security.access.redhat.com/data/csaf/v2/vex/", 404)]
    [InlineData("/", 404)]
    [InlineData("http://mirror.example/secdb.alpinelinux.org/v3.18/main.json", 200)] // as a proxy is asked
    [InlineData("http://mirror.example", 404)]
    public async Task A_path_is_answered_exactly(string target, int expected)
    {
        foreach (string method in new[] { "GET", "HEAD" })
        {
            string host = target.StartsWith("http", StringComparison.Ordinal) ? "mirror.example" : _mirror.Address.Authority;
            byte[] answer = await _mirror.SendRawAsync(
                Encoding.ASCII.GetBytes($"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));

            Assert.StartsWith($"HTTP/1.1 {expected} ", Encoding.ASCII.GetString(answer));
            Assert.Contains("Cache-Control: no-cache\r\n", Encoding.ASCII.GetString(answer));
        }
    }

    [Fact]
    public async Task A_directory_without_its_slash_is_redirected_to_itself()
    {
        using HttpResponseMessage response = await _mirror.SendAsync(HttpMethod.Head, "/secdb.alpinelinux.org/v3.3");

        Assert.Equal(HttpStatusCode.MovedPermanently, response.StatusCode);
        Assert.Equal("/secdb.alpinelinux.org/v3.3/", response.Headers.GetValues("Location").Single());
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    [InlineData("PROPFIND")]
    [InlineData("get")]
    public async Task Only_GET_and_HEAD_are_allowed(string method)
    {
        string answer = Encoding.ASCII.GetString(await _mirror.GetRawAsync("/secdb.alpinelinux.org/v3.18/main.json", method));

        Assert.StartsWith("HTTP/1.1 405 ", answer);
        Assert.Contains("Allow: GET, HEAD\r\n", answer);
    }

    [Fact]
    public async Task A_thousand_hostile_targets_get_no_5xx_and_nothing_from_outside()
    {
        // What a traversal would reach: a file beside the site, and the site's own files.
        string secret = "secret-" + Guid.NewGuid().ToString("N");
        string outside = Path.Combine(Path.GetDirectoryName(_site.Root)!, secret + ".txt");
        await File.WriteAllTextAsync(outside, secret, TestContext.Current.CancellationToken);
        await File.AppendAllTextAsync(_site.Site.SettingsFile, "# " + secret, TestContext.Current.CancellationToken);
        try
        {
            string[] files = [_site.Root, outside, _site.Site.SettingsFile, "sources.yaml", "mirror/current", secret + ".txt"];
            foreach (string target in HostileTargets.Generate(1000, files))
            {
                string answer = Encoding.Latin1.GetString(await _mirror.GetRawAsync(target));
                string status = answer.Split(' ', 3).ElementAtOrDefault(1) ?? "";

                Assert.True(status is "404" or "400" or "405" or "414", $"'{target}' was answered: {answer}");
                Assert.DoesNotContain(secret, answer);
                Assert.DoesNotContain("root:", answer);
            }
        }
        finally
        {
            File.Delete(outside);
        }

        // and it still serves
        using HttpResponseMessage response = await _mirror.GetAsync("/secdb.alpinelinux.org/v3.18/main.json");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(_mirror.Log.Errors);
    }
}

using System.Net;
using System.Text.Json;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Scanning;
using Xunit;

namespace QuayAirGap.Server.Tests;

/// <summary>The site's pages as the mirror serves them.</summary>
public sealed class StatusTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task The_status_page_is_served_with_its_policy_and_is_never_kept()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);

        using HttpResponseMessage page = await mirror.GetAsync("/status");
        string html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "text/html; charset=utf-8"), (page.StatusCode, page.Content.Headers.ContentType!.ToString()));
        Assert.Equal(PageDocument.ContentSecurityPolicy, Assert.Single(page.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));
        Assert.True(page.Headers.CacheControl!.NoStore);
        Assert.Contains("Critical: feeds are missing or too old", html, StringComparison.Ordinal);

        using HttpResponseMessage head = await mirror.SendAsync(HttpMethod.Head, "/status");
        Assert.Equal((HttpStatusCode.OK, 0L), (head.StatusCode, (await head.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).LongLength));
        using HttpResponseMessage document = await mirror.GetAsync("/status.json");
        using var json = JsonDocument.Parse(await document.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("application/json", document.Content.Headers.ContentType!.ToString());
        Assert.Equal(1, json.RootElement.GetProperty("generation").GetProperty("number").GetInt32());

        // What Clair reads is as it was.
        Assert.Equal("one", await mirror.Client.GetStringAsync("/a", TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.NotFound, (await mirror.GetAsync("/")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await mirror.GetAsync("/status/")).StatusCode);
    }

    [Fact]
    public async Task A_new_generation_is_on_the_page_within_seconds()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        Assert.Contains("Generation 1 is served", await mirror.Client.GetStringAsync("/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        _site.Publish(2, [_site.Entry("/a", "two")]);
        mirror.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("Generation 2 is served", await mirror.Client.GetStringAsync("/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sources.yaml", "sources: [")]
    [InlineData("mirror/current", "seven\n")]
    public async Task A_site_that_cannot_be_judged_is_red_and_not_200(string file, string content)
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        await File.WriteAllTextAsync(Path.Combine(_site.Root, file), content, TestContext.Current.CancellationToken);

        using HttpResponseMessage page = await mirror.GetAsync("/status");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.StatusCode);
        Assert.Contains("Unknown: this site cannot be judged", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using HttpResponseMessage document = await mirror.GetAsync("/status.json");
        using var json = JsonDocument.Parse(await document.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Critical"), (document.StatusCode, json.RootElement.GetProperty("level").GetString()));
    }

    [Fact]
    public async Task Published_reports_are_shown_with_the_verdict_of_the_day_and_linked_from_the_status()
    {
        _site.Publish(1, [_site.Entry("/a", "one")]);
        await using TestMirror mirror = await TestMirror.StartAsync(_site.Site);
        Assert.DoesNotContain("href=\"images\"", await mirror.Client.GetStringAsync("/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains(
            "Unknown: no image has been reported", await mirror.Client.GetStringAsync("/images", TestContext.Current.CancellationToken), StringComparison.Ordinal);

        string digest = "sha256:" + new string('a', 64);
        const string Name = "registry.lab.example/<script>shop</script>:1";
        new StoredReports(_site.Site).Save(new StoredReport { Name = Name, ManifestDigest = digest });
        mirror.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("href=\"images\"", await mirror.Client.GetStringAsync("/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);

        using HttpResponseMessage list = await mirror.GetAsync("/images");
        string html = await list.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(PageDocument.ContentSecurityPolicy, Assert.Single(list.Headers.GetValues("Content-Security-Policy")));
        Assert.True(list.Headers.CacheControl!.NoStore);
        Assert.Contains("1 of 1 image: a clean result may be false", html, StringComparison.Ordinal);
        string address = $"images/{StoredReports.IdOf(Name, digest)}";
        Assert.Contains($"href=\"{address}\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>shop", html, StringComparison.Ordinal);
        Assert.Contains("Clair has no report of it", await mirror.Client.GetStringAsync("/" + address, TestContext.Current.CancellationToken), StringComparison.Ordinal);

        foreach (string wrong in new[] { "/images/", "/images/" + new string('0', 32), "/images/../sources.yaml", "/images/%2e%2e%2fsources.yaml", "/" + address + "/" })
        {
            Assert.StartsWith("HTTP/1.1 404", System.Text.Encoding.ASCII.GetString(await mirror.GetRawAsync(wrong)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_folder_has_no_status()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_site.Root, "folder")).FullName;
        await using TestMirror mirror = await TestMirror.StartAsync(new MirrorOptions { Folder = folder });
        Assert.Equal(HttpStatusCode.NotFound, (await mirror.GetAsync("/status")).StatusCode);
    }
}

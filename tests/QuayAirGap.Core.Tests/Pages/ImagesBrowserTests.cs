using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Scanning;
using QuayAirGap.Core.Tests.Coverage;
using QuayAirGap.TestKit.Browser;
using Xunit;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>The pages of images as a browser shows them.</summary>
public sealed class ImagesBrowserTests(PageBrowser browser) : IClassFixture<PageBrowser>
{
    [Fact]
    public async Task A_good_verdict_ends_by_itself()
    {
        using var site = new CoverageSite();
        ScanReport report = ScanKit.Judge(site, ScanKit.Stored("registry.lab.example/shop/web:1", ScanKit.Debian()));
        await using BrowserPage page = await browser.OpenAsync(ImagesPage.Render(report), CoverageSite.Now);
        Assert.StartsWith("Covered", await page.TextAsync("#level"), StringComparison.Ordinal);
        await PageBrowser.KeepAsync(page, "image-covered");
        Assert.Equal("", await PageBrowser.AxeAsync(page));
        Assert.Equal(["fresh", "fresh", "fresh"], (await page.EvaluateAsync<string>("Array.from(document.querySelectorAll('.need .badge')).map(b => b.innerText).join()")).Split(','));

        await page.EvaluateAsync<bool>("(window.__later(70.9 * 3600000), true)");
        Assert.StartsWith("Covered", await page.TextAsync("#level"), StringComparison.Ordinal);
        await page.EvaluateAsync<bool>("(window.__later(0.2 * 3600000), true)");
        Assert.StartsWith("Stale", await page.TextAsync("#level"), StringComparison.Ordinal);
        Assert.StartsWith("STALE", await page.EvaluateAsync<string>("document.title"), StringComparison.Ordinal);
        Assert.Contains("may be false", await page.TextAsync(".meaning"), StringComparison.Ordinal);
        Assert.Equal("stale", await page.TextAsync(".need .badge"));
        Assert.Empty(page.Complaints);
        Assert.Single(page.Requests);
    }

    [Theory]
    [InlineData(1, "light", 1280)]
    [InlineData(100, "light", 1280)]
    [InlineData(100, "dark", 390)]
    [InlineData(100, "light", 360)]
    [InlineData(5000, "light", 1280)]
    public async Task One_a_hundred_and_five_thousand_images_can_be_used_by_keyboard(int count, string scheme, int width)
    {
        using var site = new CoverageSite();
        ScanReport report = ScanKit.Fleet(site, count);
        PageDocument document = ImagesPage.Render(report, [("Feeds", "status"), ("Images", "images")], i => "images/" + StoredReports.IdOf(i.Name, i.Coverage.ManifestDigest));
        await using BrowserPage page = await browser.OpenAsync(document, CoverageSite.Now, width, scheme);
        await PageBrowser.KeepAsync(page, $"images-{count}-{scheme}-{width}");
        int bad = report.Images.Count(i => i.Coverage.Verdict != Core.Coverage.CoverageVerdict.Covered);
        Assert.StartsWith(ImagesPage.Headline(bad, count), await page.TextAsync("#level"), StringComparison.Ordinal);
        Assert.Equal(Math.Min(count, 100), await VisibleAsync(page));
        if (count <= 100)
        {
            Assert.Equal("", await PageBrowser.AxeAsync(page));
        }

        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), "It is wider than its window.");
        if (count > 1)
        {
            await page.EvaluateAsync<bool>("(document.getElementById('filter').focus(), true)");
            await page.TypeAsync("SERVICE-0042");
            Assert.Equal(1, await VisibleAsync(page));
            Assert.Equal($"1 of {count.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)} images", await page.TextAsync("#shown"));
            await page.EvaluateAsync<bool>("(document.getElementById('filter').value = '', document.getElementById('filter').dispatchEvent(new Event('input')), true)");

            // From the filter the keyboard goes on to the verdicts; a space turns the worst off.
            await page.PressAsync("Tab");
            string verdict = await page.EvaluateAsync<string>("document.activeElement.dataset.verdict");
            await page.PressAsync(" ");
            Assert.Equal("false", await page.EvaluateAsync<string>("document.activeElement.getAttribute('aria-pressed')"));
            Assert.Equal(0, await page.EvaluateAsync<int>($"document.querySelectorAll('.image.row:not([hidden])[data-verdict=\"{verdict}\"]').length"));
            await page.PressAsync(" ");
        }

        if (count == 5000)
        {
            Assert.Equal("Page 1 of 50", await page.TextAsync("#page"));
            await page.EvaluateAsync<bool>("(document.getElementById('next').focus(), true)");
            await page.PressAsync("Enter");
            Assert.Equal("Page 2 of 50", await page.TextAsync("#page"));
            Assert.Equal(100, await VisibleAsync(page));
            int tick = await page.EvaluateAsync<int>("(() => { const t = performance.now(); window.__later(100 * 3600000); return Math.round(performance.now() - t); })()");
            Assert.InRange(tick, 0, 2000);
            Assert.Equal("5,000 of 5,000 images: a clean result may be false", await page.TextAsync("#level .headline"));
        }

        Assert.Empty(page.Complaints);
        Assert.Single(page.Requests);
    }

    [Fact]
    public async Task An_incomplete_image_shows_what_is_missing_on_screen_and_on_paper()
    {
        using var site = new CoverageSite(s => s.Name is "debian" or "osv" ? null : s);
        ScanReport report = ScanKit.Judge(site, ScanKit.Stored("registry.lab.example/shop/web:1", ScanKit.Report("java-on-debian", ("CVE-2026-0001", "High", "1.2", "osv/maven", 8.1))));
        await using BrowserPage page = await browser.OpenAsync(ImagesPage.Render(report), CoverageSite.Now, width: 760, print: true);
        await PageBrowser.KeepAsync(page, "image-incomplete-print");
        Assert.StartsWith("Incomplete", await page.TextAsync("#level"), StringComparison.Ordinal);
        await using BrowserPage dark = await browser.OpenAsync(ImagesPage.Render(report), CoverageSite.Now, scheme: "dark");
        await PageBrowser.KeepAsync(dark, "image-incomplete-dark");
        Assert.Equal("", await PageBrowser.AxeAsync(dark));

        // Paper holds one page of a long list, and says so.
        await using BrowserPage many = await browser.OpenAsync(
            ImagesPage.Render(ScanKit.Fleet(site, 250), addressOf: i => "images/" + i.Name), CoverageSite.Now, width: 760, print: true);
        await PageBrowser.KeepAsync(many, "images-250-print");
        foreach (string said in new[] { "#page", "#shown" })
        {
            Assert.True(await many.EvaluateAsync<bool>($"document.querySelector('{said}').getClientRects().length > 0"), said);
        }

        Assert.Equal(("Page 1 of 3", "250 images"), (await many.TextAsync("#page"), await many.TextAsync("#shown")));
        Assert.False(await many.EvaluateAsync<bool>("document.getElementById('next').getClientRects().length > 0"));

        ScanReport some = ScanKit.Fleet(site, 4);
        await using BrowserPage file = await browser.OpenAsync(ImagesPage.Render(some), CoverageSite.Now);
        await PageBrowser.KeepAsync(file, "images-4-file");
        Assert.Equal("", await PageBrowser.AxeAsync(file));
    }

    private static Task<int> VisibleAsync(BrowserPage page) => page.EvaluateAsync<int>("document.querySelectorAll('.image.row:not([hidden])').length");
}

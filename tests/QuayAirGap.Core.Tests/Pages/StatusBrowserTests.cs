using QuayAirGap.Core.Pages;
using QuayAirGap.TestKit.Browser;
using Xunit;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>The status page as a browser shows it.</summary>
public sealed class StatusBrowserTests(PageBrowser browser) : IClassFixture<PageBrowser>
{
    [Fact]
    public async Task A_page_that_nobody_makes_anew_turns_red_by_itself()
    {
        using var site = new StatusKit();
        PageDocument page = StatusPage.Render(site.Fresh().Facts());
        await using BrowserPage shown = await browser.OpenAsync(page, StatusKit.Now);

        Assert.Equal("Fresh: all required feeds", await shown.TextAsync("#level"));
        Assert.Equal("8 of 8 required sources are fresh.", await shown.TextAsync(".tally"));
        Assert.Equal("Vulnerability feeds – lab", await shown.EvaluateAsync<string>("document.title"));
        Assert.False(await shown.IsVisibleAsync("#todo"));
        Assert.False(await shown.IsVisibleAsync("#clock"));
        Assert.Equal("7 h 0 min", await shown.TextAsync("#source-alpine .agetext"));
        string fresh = await ColourAsync(shown);
        await PageBrowser.KeepAsync(shown, "status-fresh");

        // The content was seven hours old: 65 hours later it passes three days, and so on.
        double last = 0;
        foreach ((double hours, string headline, string word, string age) in new[]
        {
            (64.9, "Fresh: all required feeds", "Fresh", "2 d 23 h"),
            (65.1, "Warning: feeds are growing old", "Warning", "3 d 0 h"),
            (113.1, "Critical: feeds are missing or too old", "Critical", "5 d 0 h"),
            (161.1, "Expired: do not rely on scan results", "Expired", "7 d 0 h"),
        })
        {
            await shown.EvaluateAsync<bool>(FormattableString.Invariant($"(window.__later({(hours - last) * 3600000}), true)"));
            last = hours;
            Assert.Equal(headline, await shown.TextAsync("#level"));
            Assert.Equal(word, await shown.TextAsync("#source-alpine .badge"));
            Assert.Equal(age, await shown.TextAsync("#source-alpine .agetext"));
            Assert.Equal(word == "Fresh", await ColourAsync(shown) == fresh);
        }

        Assert.Equal("EXPIRED: Vulnerability feeds – lab", await shown.EvaluateAsync<string>("document.title"));
        Assert.Equal("0 of 8 required sources are fresh.", await shown.TextAsync(".tally"));
        Assert.Contains("alpine (expired)", await shown.TextAsync("#since"), StringComparison.Ordinal);
        Assert.Contains("This page is 6 d 17 h old", await shown.TextAsync("#old"), StringComparison.Ordinal);
        Assert.False(await shown.IsVisibleAsync(".until"));
        await PageBrowser.KeepAsync(shown, "status-stale");
        Assert.Empty(shown.Complaints);
        Assert.Single(shown.Requests); // the page, and nothing else from anywhere
    }

    [Fact]
    public async Task It_never_gets_better_by_itself_and_says_when_the_readers_clock_is_wrong()
    {
        using var site = new StatusKit();
        PageDocument page = StatusPage.Render(site.Neglected().Facts());
        await using BrowserPage behind = await browser.OpenAsync(page, StatusKit.Now.AddDays(-30));

        Assert.StartsWith("Unknown", await behind.TextAsync("#level"), StringComparison.Ordinal);
        Assert.StartsWith("UNKNOWN", await behind.EvaluateAsync<string>("document.title"), StringComparison.Ordinal);
        Assert.Contains("2026-10-21 09:30 UTC", await behind.TextAsync("#clock"), StringComparison.Ordinal);
        Assert.Equal("Expired", await behind.TextAsync("#source-osv .badge"));
        Assert.Equal("Warning", await behind.TextAsync("#source-alpine .badge"));
        Assert.Equal("4 d 7 h", await behind.TextAsync("#source-alpine .agetext"));
        await PageBrowser.KeepAsync(behind, "status-clock");

        using var good = new StatusKit();
        await using BrowserPage fresh = await browser.OpenAsync(StatusPage.Render(good.Fresh().Facts()), StatusKit.Now.AddHours(-1));
        Assert.StartsWith("Unknown", await fresh.TextAsync("#level"), StringComparison.Ordinal);
        Assert.NotEqual("rgb(29, 107, 64)", await ColourAsync(fresh));

        // Two good clocks may differ a little.
        await using BrowserPage near = await browser.OpenAsync(StatusPage.Render(good.Facts()), StatusKit.Now.AddMinutes(-4));
        Assert.Equal("Fresh: all required feeds", await near.TextAsync("#level"));
    }

    [Fact]
    public async Task Without_its_script_nothing_on_it_is_green_and_it_says_of_when_it_is()
    {
        using var site = new StatusKit();
        await using BrowserPage page = await browser.OpenAsync(StatusPage.Render(site.Fresh().Facts()), script: false);

        // Evaluation by the tools still works where the page's own scripts may not run.
        Assert.Contains("as of 2026-11-20 09:30 UTC", await page.TextAsync("#level"), StringComparison.Ordinal);
        Assert.Contains("cannot tell how old it is", await page.TextAsync("main"), StringComparison.Ordinal);
        Assert.Equal("rgb(81, 92, 105)", await ColourAsync(page));
        Assert.Equal(0, await page.EvaluateAsync<int>("document.querySelectorAll('use[href=\"#s-ok\"]').length"));
        Assert.Contains("If nothing is brought in, this ends at 2026-11-23 02:30 UTC", await page.TextAsync(".until"), StringComparison.Ordinal);
        await PageBrowser.KeepAsync(page, "status-noscript");
    }

    [Theory]
    [InlineData("light", 1280)]
    [InlineData("dark", 1280)]
    [InlineData("light", 390)]
    [InlineData("dark", 390)]
    public async Task It_is_accessible_and_fits_its_window(string scheme, int width)
    {
        using var neglected = new StatusKit();
        neglected.Neglected().Refuse("clairfeed-0a1b2c3d-000099.tar", "The bundle is signed by somebody whom this site does not trust.");
        await using BrowserPage page = await browser.OpenAsync(StatusPage.Render(neglected.Facts(), [("Images", "images")]), StatusKit.Now, width, scheme);

        await PageBrowser.KeepAsync(page, $"status-missing-{scheme}-{width}");
        Assert.Equal("", await PageBrowser.AxeAsync(page));
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), "It is wider than its window.");
        Assert.Empty(page.Complaints);

        using var fresh = new StatusKit();
        await using BrowserPage good = await browser.OpenAsync(StatusPage.Render(fresh.Fresh().Facts()), StatusKit.Now, width, scheme);
        await PageBrowser.KeepAsync(good, $"status-fresh-{scheme}-{width}");
        Assert.Equal("", await PageBrowser.AxeAsync(good));
    }

    [Fact]
    public async Task A_keyboard_reaches_its_links_and_it_prints()
    {
        using var site = new StatusKit();
        await using BrowserPage page = await browser.OpenAsync(StatusPage.Render(site.Neglected().Facts(), [("Images", "images")]), StatusKit.Now);
        await page.PressAsync("Tab");
        Assert.Equal("Skip to the content", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        await page.PressAsync("Enter");
        Assert.Equal("content", await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.PressAsync("Tab");
        Assert.Equal("#source-osv", await page.EvaluateAsync<string>("document.activeElement.getAttribute('href')"));

        await using BrowserPage printed = await browser.OpenAsync(StatusPage.Render(site.Facts()), StatusKit.Now, width: 760, print: true);
        await PageBrowser.KeepAsync(printed, "status-print");
        Assert.Equal("Expired", await printed.TextAsync("#source-osv .badge"));
        byte[] pdf = await printed.PdfAsync();
        Assert.StartsWith("%PDF", System.Text.Encoding.ASCII.GetString(pdf, 0, 4), StringComparison.Ordinal);
    }

    private static Task<string> ColourAsync(BrowserPage page) => page.EvaluateAsync<string>("getComputedStyle(document.getElementById('level')).color");
}

using System.Reflection;
using Deque.AxeCore.Commons;
using QuayAirGap.Core.Pages;
using QuayAirGap.Core.Tests.Support;
using QuayAirGap.TestKit.Browser;
using Xunit;

namespace QuayAirGap.Core.Tests.Pages;

/// <summary>One browser for all tests of pages, and a folder for them.</summary>
public sealed class PageBrowser : IAsyncLifetime
{
    private static readonly string? s_pictures = Environment.GetEnvironmentVariable("QUAYAIRGAP_SCREENSHOTS");
    private static readonly Lazy<string> s_axe = new(ReadAxe);

    private readonly TempFolder _folder = new();
    private HeadlessBrowser? _browser;
    private int _pages;

    public async ValueTask InitializeAsync()
    {
        if (HeadlessBrowser.Executable is not null)
        {
            _browser = await HeadlessBrowser.StartAsync();
        }
    }

    public async Task<BrowserPage> OpenAsync(
        PageDocument page, DateTimeOffset? now = null, int width = 1280, string scheme = "light", bool print = false, bool script = true)
    {
        string path = _folder.Of($"page{Interlocked.Increment(ref _pages)}.html");
        await File.WriteAllBytesAsync(path, page.ToUtf8(), TestContext.Current.CancellationToken);
        return await OpenAsync(new Uri(path), now, width, scheme, print, script);
    }

    public async Task<BrowserPage> OpenAsync(
        Uri address, DateTimeOffset? now = null, int width = 1280, string scheme = "light", bool print = false, bool script = true)
    {
        Assert.SkipWhen(_browser is null, "There is no Chromium here (Debian: apt-get install chromium).");
        return await _browser!.OpenAsync(address, now, width, scheme, print, script);
    }

    /// <summary>Keeps a picture for people, in the folder that QUAYAIRGAP_SCREENSHOTS names; nothing without it.</summary>
    public static async Task KeepAsync(BrowserPage page, string name, int maxHeight = 1700)
    {
        if (s_pictures is not null)
        {
            Directory.CreateDirectory(s_pictures);
            await File.WriteAllBytesAsync(Path.Combine(s_pictures, name + ".png"), await page.PictureAsync(maxHeight));
        }
    }

    /// <summary>axe-core's objections: rules of WCAG 2.2 A and AA, and its best practices. Empty for a page without any.</summary>
    public static async Task<string> AxeAsync(BrowserPage page)
    {
        await page.EvaluateAsync<bool>(s_axe.Value + "\n;true");
        return await page.EvaluateAsync<string>(
            """
            axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations.map(v => v.id + ': ' + v.help + ' ['
              + v.nodes.slice(0, 5).map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; ') + ']').join('\n'))
            """);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _folder.Dispose();
    }

    private static string ReadAxe()
    {
        Assembly assembly = typeof(AxeRunOptions).Assembly;
        string name = Assert.Single(assembly.GetManifestResourceNames(), n => n.EndsWith("axe.min.js", StringComparison.Ordinal));
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

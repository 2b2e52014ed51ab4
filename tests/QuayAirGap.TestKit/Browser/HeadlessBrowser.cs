using System.Diagnostics;
using System.Text.Json.Nodes;

namespace QuayAirGap.TestKit.Browser;

/// <summary>A headless Chromium with a profile of its own in a temporary folder, driven over its DevTools protocol.</summary>
public sealed class HeadlessBrowser : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _profile;
    private readonly DevTools _tools;

    private HeadlessBrowser(Process process, string profile, DevTools tools)
    {
        _process = process;
        _profile = profile;
        _tools = tools;
    }

    /// <summary>Where it is; null where there is none.</summary>
    public static string? Executable { get; } = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    public static async Task<HeadlessBrowser> StartAsync()
    {
        string profile = Directory.CreateTempSubdirectory("quayairgap-browser").FullName;
        var start = new ProcessStartInfo(Executable ?? throw new InvalidOperationException("There is no Chromium here."))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };

        // No sandbox: the tests may run as root, and only pages of their own are shown.
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--mute-audio",
            "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync", "--force-color-profile=srgb",
            "--remote-debugging-port=0", $"--user-data-dir={profile}", "about:blank",
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        Process process = Process.Start(start)!;
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            const string Mark = "DevTools listening on ";
            if (line.Data is null)
            {
                address.TrySetException(new InvalidOperationException("Chromium ended before it listened."));
            }
            else if (line.Data.StartsWith(Mark, StringComparison.Ordinal))
            {
                address.TrySetResult(new Uri(line.Data[Mark.Length..]));
            }
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var tools = new DevTools();
        try
        {
            await tools.ConnectAsync(await address.Task.WaitAsync(TimeSpan.FromSeconds(30)));
            return new HeadlessBrowser(process, profile, tools);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <param name="now">What the page's clock says when it begins, UTC; null for the machine's.</param>
    /// <param name="width">Of the window, pixels.</param>
    /// <param name="scheme">"light" or "dark".</param>
    /// <param name="print">Shows it as it would be printed.</param>
    /// <param name="script">Whether the page's own scripts may run.</param>
    public async Task<BrowserPage> OpenAsync(
        Uri address, DateTimeOffset? now = null, int width = 1280, string scheme = "light", bool print = false, bool script = true)
    {
        string target = (string)(await _tools.SendAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank" }))["targetId"]!;
        string session = (string)(await _tools.SendAsync(
            "Target.attachToTarget", new JsonObject { ["targetId"] = target, ["flatten"] = true }))["sessionId"]!;
        var page = new BrowserPage(_tools, target, session);
        await page.PrepareAsync(now, width, scheme, print, script);
        await page.GoAsync(address);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _tools.SendAsync("Browser.close");
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (Exception e) when (e is InvalidOperationException or OperationCanceledException or TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _tools.DisposeAsync();
        _process.Dispose();
        try
        {
            Directory.Delete(_profile, recursive: true);
        }
        catch (IOException)
        {
            // A process of the browser that is still ending writes into it; it is in the folder for temporary files.
        }
    }
}

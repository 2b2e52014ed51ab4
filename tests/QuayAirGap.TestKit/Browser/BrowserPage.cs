using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace QuayAirGap.TestKit.Browser;

/// <summary>One page in a <see cref="HeadlessBrowser"/>.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly DevTools _tools;
    private readonly string _target;
    private readonly string _session;
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<string> _complaints = new();
    private TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal BrowserPage(DevTools tools, string target, string session)
    {
        _tools = tools;
        _target = target;
        _session = session;
        tools.Event += OnEvent;
    }

    /// <summary>Every address that was asked for.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>What the browser complained of: refusals of the page's policy, errors of its script.</summary>
    public IReadOnlyList<string> Complaints => [.. _complaints];

    public async Task GoAsync(Uri address)
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync("Page.navigate", new JsonObject { ["url"] = address.AbsoluteUri });
        await _loaded.Task.WaitAsync(s_patience);
    }

    /// <summary>Reads a text, a number or a Boolean from the page. The page's policy does not stand in its way.</summary>
    public async Task<T> EvaluateAsync<T>(string expression)
    {
        JsonObject answer = await SendAsync(
            "Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        return answer["exceptionDetails"] is { } error
            ? throw new InvalidOperationException(error.ToJsonString())
            : answer["result"]!["value"] is { } value ? value.GetValue<T>() : throw new InvalidOperationException($"'{expression}' gives nothing.");
    }

    public Task<string> TextAsync(string selector) => EvaluateAsync<string>($"document.querySelector({Quote(selector)}).innerText");

    public Task<bool> IsVisibleAsync(string selector) => EvaluateAsync<bool>($"document.querySelector({Quote(selector)}).checkVisibility()");

    /// <summary>Types as a keyboard does; one key name ("Tab", "Enter", "ArrowDown") or one text.</summary>
    public async Task PressAsync(string key)
    {
        (int code, string? text) = key switch { "Tab" => (9, null), "Enter" => (13, "\r"), "Escape" => (27, null), " " => (32, " "), _ => (0, null) };
        await SendAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = text is null ? "rawKeyDown" : "keyDown", ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code, ["text"] = text ?? "" });
        await SendAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyUp", ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
    }

    public Task TypeAsync(string text) => SendAsync("Input.insertText", new JsonObject { ["text"] = text });

    /// <summary>A picture of the whole page, or of so much of its height, as PNG.</summary>
    public async Task<byte[]> PictureAsync(int maxHeight = 6000)
    {
        var size = (JsonObject)(await SendAsync("Page.getLayoutMetrics"))["cssContentSize"]!;
        return Convert.FromBase64String((string)(await SendAsync("Page.captureScreenshot", new JsonObject
        {
            ["format"] = "png",
            ["captureBeyondViewport"] = true,
            ["clip"] = new JsonObject
            {
                ["x"] = 0,
                ["y"] = 0,
                ["scale"] = 1,
                ["width"] = size["width"]!.GetValue<double>(),
                ["height"] = Math.Min(maxHeight, size["height"]!.GetValue<double>()),
            },
        }))["data"]!);
    }

    /// <summary>The page on paper.</summary>
    public async Task<byte[]> PdfAsync() => Convert.FromBase64String((string)(await SendAsync("Page.printToPDF"))["data"]!);

    public async ValueTask DisposeAsync()
    {
        _tools.Event -= OnEvent;
        await _tools.SendAsync("Target.closeTarget", new JsonObject { ["targetId"] = _target });
    }

    internal async Task PrepareAsync(DateTimeOffset? now, int width, string scheme, bool print, bool script)
    {
        foreach (string domain in new[] { "Page", "Runtime", "Network", "Log" })
        {
            await SendAsync(domain + ".enable");
        }

        await SendAsync("Emulation.setDeviceMetricsOverride", new JsonObject
        {
            ["width"] = width,
            ["height"] = 900,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = width < 600,
        });
        await SendAsync("Emulation.setEmulatedMedia", new JsonObject
        {
            ["media"] = print ? "print" : "",
            ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }),
        });
        if (!script)
        {
            await SendAsync("Emulation.setScriptExecutionDisabled", new JsonObject { ["value"] = true });
        }

        if (now is { } time)
        {
            // The clock goes on from there, and a test may move it: window.__later(milliseconds).
            string source = string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                (() => { const Real = Date; let shift = {{time.ToUnixTimeMilliseconds()}} - Real.now();
                  window.__later = (ms) => { shift += ms; document.dispatchEvent(new Event('visibilitychange')); };
                  window.Date = class extends Real { constructor(...a) { if (a.length) { super(...a); } else { super(Real.now() + shift); } }
                    static now() { return Real.now() + shift; } }; })();
                """);
            await SendAsync("Page.addScriptToEvaluateOnNewDocument", new JsonObject { ["source"] = source });
        }
    }

    private Task<JsonObject> SendAsync(string method, JsonObject? parameters = null) => _tools.SendAsync(method, parameters, _session);

    private void OnEvent(string session, string method, JsonObject parameters)
    {
        if (session != _session)
        {
            return;
        }

        switch (method)
        {
            case "Page.loadEventFired":
                _loaded.TrySetResult();
                break;
            case "Network.requestWillBeSent":
                _requests.Enqueue((string)parameters["request"]!["url"]!);
                break;
            case "Log.entryAdded":
                _complaints.Enqueue((string)parameters["entry"]!["text"]!);
                break;
            case "Runtime.exceptionThrown":
                _complaints.Enqueue(parameters["exceptionDetails"]!.ToJsonString());
                break;
        }
    }

    private static string Quote(string text) => JsonValue.Create(text).ToJsonString();
}

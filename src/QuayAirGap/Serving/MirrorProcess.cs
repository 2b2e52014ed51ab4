using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using QuayAirGap.Core;

namespace QuayAirGap.Serving;

/// <summary>"quayairgap serve" as a child process, from its start until it has ended. It never outlives the process that started it.</summary>
internal sealed partial class MirrorProcess : IDisposable
{
    private const string ByPathLine = "Listening on ";
    private const string ProxyLine = "Proxy on ";
    private const string ByNameLine = "By name on ";
    private const string ScanGatewayLine = "Scan gateway on ";
    private const int KeptLines = 50;
    private const int QuotedLines = 6;
    private const int Terminate = 15;

    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(10);
    private static readonly ConcurrentDictionary<int, MirrorProcess> s_running = new();

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly List<(string Line, string Url)> _urls = [];
    private readonly SemaphoreSlim _announced = new(0);
    private readonly MirrorRequest _request;

    static MirrorProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (MirrorProcess mirror in s_running.Values)
        {
            mirror.Signal();
        }
    };

    private MirrorProcess(Process process, MirrorRequest request)
    {
        _process = process;
        _request = request;
        StartedAt = TimeProvider.System.GetUtcNow();
    }

    /// <summary>Those that this process started and that have not been stopped.</summary>
    public static IReadOnlyCollection<MirrorProcess> Running => [.. s_running.Values.OrderBy(m => m.StartedAt)];

    public int Id { get; private set; }

    public string? SitePath => _request.SitePath;

    public string? Folder => _request.Folder;

    public DateTimeOffset StartedAt { get; }

    /// <summary>Where it serves by path.</summary>
    public IReadOnlyList<string> Urls => Announced(ByPathLine);

    /// <summary>Where it is a proxy for the feeds' own hosts.</summary>
    public IReadOnlyList<string> ProxyUrls => Announced(ProxyLine);

    /// <summary>Where it answers for the feeds' own hosts directly.</summary>
    public IReadOnlyList<string> ByNameUrls => Announced(ByNameLine);

    /// <summary>Where Quay finds the scan gateway.</summary>
    public IReadOnlyList<string> ScanGatewayUrls => Announced(ScanGatewayLine);

    public bool IsRunning => s_running.ContainsKey(Id) && !_process.HasExited;

    /// <summary>Starts a mirror and returns once it listens.</summary>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/>, with what the process said.</exception>
    public static async Task<MirrorProcess> StartAsync(string executable, MirrorRequest request, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(executable, request.Arguments())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        MirrorProcess mirror;
        try
        {
            mirror = new MirrorProcess(Process.Start(start)!, request);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new FeedException(
                ErrorIds.MirrorNotStarted, $"'{executable}' cannot be started: {e.Message}", executable, "Check that it may be executed.", e);
        }

        mirror.Id = mirror._process.Id;
        s_running[mirror.Id] = mirror;
        try
        {
            await mirror.WaitUntilListeningAsync(executable, cancellationToken);
            return mirror;
        }
        catch
        {
            await mirror.StopAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Lets it finish its answers, then ends it. Returns at once where it has ended already.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!s_running.TryRemove(Id, out _))
        {
            return;
        }

        Signal();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_stopLimit);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        _announced.Dispose();
    }

    private async Task WaitUntilListeningAsync(string executable, CancellationToken cancellationToken)
    {
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_startLimit);
        Task exited = _process.WaitForExitAsync(limit.Token);
        Task listening = _announced.WaitAsync(limit.Token);
        if (await Task.WhenAny(listening, exited) == listening && listening.IsCompletedSuccessfully)
        {
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        string how = exited.IsCompletedSuccessfully
            ? string.Create(CultureInfo.InvariantCulture, $"It ended with exit code {_process.ExitCode}.")
            : string.Create(CultureInfo.InvariantCulture, $"It was not listening after {s_startLimit.TotalSeconds} seconds.");
        string said = string.Join('\n', _lines.Take(QuotedLines)).Trim();
        throw new FeedException(
            ErrorIds.MirrorNotStarted, $"The mirror did not start. {how}{(said.Length > 0 ? " It said: " + said : "")}", executable,
            "Check that the address is free and that the site or folder can be read.");
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue(line);
        while (_lines.Count > KeptLines)
        {
            _lines.TryDequeue(out _);
        }

        if (new[] { ByPathLine, ProxyLine, ByNameLine, ScanGatewayLine }.FirstOrDefault(l => line.StartsWith(l, StringComparison.Ordinal)) is { } announcement)
        {
            lock (_urls)
            {
                _urls.Add((announcement, line[announcement.Length..].Trim()));
                if (_urls.Count == _request.Addresses)
                {
                    _announced.Release();
                }
            }
        }
    }

    private IReadOnlyList<string> Announced(string announcement)
    {
        lock (_urls)
        {
            return [.. _urls.Where(u => u.Line == announcement).Select(u => u.Url)];
        }
    }

    /// <summary>Asks the process to end: it answers what it has begun to answer, where the system has a way to ask.</summary>
    private void Signal()
    {
        try
        {
            if (_process.HasExited)
            {
                return;
            }

            if (OperatingSystem.IsWindows() || SendSignal(_process.Id, Terminate) != 0)
            {
                _process.Kill();
            }
        }
        catch (InvalidOperationException)
        {
            // It ended in this very moment.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}

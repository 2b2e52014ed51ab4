using QuayAirGap.Core.Notifying;

namespace QuayAirGap.Server.Commands;

/// <summary>
/// "serve" for a manager that starts and stops it by calls that return when it is done: running means that it answers, stopped that its
/// downloads have ended. The manager itself is Windows' and is not needed here.
/// </summary>
/// <param name="args">The command line after "serve".</param>
/// <param name="write">Writes an event: how it is marked, its id, its text.</param>
/// <param name="needsTime">Told regularly, while a call takes long, for how long to be patient from then on.</param>
/// <param name="ended">Called when it serves no more, for whatever reason.</param>
internal sealed class ServiceRun(string[] args, Action<EventLogType, uint, string> write, Action<TimeSpan> needsTime, Action ended) : IDisposable
{
    public const uint Informed = 300;
    public const uint Warned = 310;
    public const uint Failed = 320;

    private const int Crashed = 3;

    private static readonly TimeSpan s_tellEvery = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly ManualResetEvent _listening = new(false);
    private readonly ManualResetEvent _ended = new(false);

    /// <summary>Once it has ended: serve's own exit code, or 3 for what nobody foresaw. An event says why.</summary>
    public int ExitCode { get; private set; }

    /// <summary>Returns when it answers. A site that has published nothing answers too, and an event says so: its first import comes later.</summary>
    /// <returns>False where it could not start; it has ended then.</returns>
    public bool Start()
    {
        _ = Task.Run(ServeAsync);
        Wait(_listening, _ended);
        return _listening.WaitOne(0);
    }

    /// <summary>Returns when the last download has ended, or was cut off after its time. Not before <see cref="Start"/>.</summary>
    public void Stop()
    {
        _stop.Cancel();
        Wait(_ended);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _listening.Dispose();
        _ended.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            using var log = new EventLogger(write);

            // There is nowhere for access lines to go; /metrics counts the requests.
            ExitCode = await ServeCommand.RunAsync(
                args.Contains("--quiet") ? args : [.. args, "--quiet"], TextWriter.Null,
                trouble => write(EventLogType.Error, Failed, $"quayairgap serve: {trouble}"), log, () => _listening.Set(), _stop.Token);
        }
        catch (Exception e)
        {
            // Nobody else would hear of it: the process ends, and the manager knows a number.
            write(EventLogType.Error, Failed, $"quayairgap serve: {e}");
            ExitCode = Crashed;
        }

        _ended.Set();
        ended();
    }

    private void Wait(params WaitHandle[] handles)
    {
        do
        {
            needsTime(s_tellEvery * 3);
        }
        while (WaitHandle.WaitAny(handles, s_tellEvery) == WaitHandle.WaitTimeout);
    }
}

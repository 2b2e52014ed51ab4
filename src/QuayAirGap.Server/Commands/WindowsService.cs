using System.Runtime.Versioning;
using System.ServiceProcess;
using QuayAirGap.Core.Notifying;

namespace QuayAirGap.Server.Commands;

/// <summary>"serve" as a service of Windows.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsService : ServiceBase
{
    private const string EventSource = "QuayAirGap";

    /// <summary>ERROR_EXCEPTION_IN_SERVICE. Any number but 0 makes the service's recovery actions apply; the event log says why.</summary>
    private const int Failed = 1064;

    private readonly ServiceRun _run;
    private volatile bool _running;
    private volatile bool _shutdown;

    private WindowsService(string[] args)
    {
        // Its own events say more than "started" and "stopped".
        AutoLog = false;
        CanShutdown = true;
        _run = new ServiceRun(args, (type, id, text) => WindowsEventLog.Write(EventSource, type, id, text), AskForPatience, EndedByItself);
    }

    /// <returns>Serve's exit code, after the service control manager has stopped it, or it could not start.</returns>
    public static int Run(string[] args)
    {
        using var service = new WindowsService(args);
        try
        {
            Run(service);
        }
        catch (NotStartedException)
        {
            // The manager has been told by then.
        }

        return service._run.ExitCode;
    }

    /// <param name="args">What somebody typed for this one start; the command line of the service counts alone.</param>
    protected override void OnStart(string[] args)
    {
        if (!_run.Start())
        {
            ExitCode = Failed;
            throw new NotStartedException();
        }

        _running = true;
    }

    protected override void OnStop()
    {
        _running = false;
        _run.Stop();
    }

    protected override void OnShutdown()
    {
        _shutdown = true;
        OnStop();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _run.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>A computer that shuts down has the patience that it has.</summary>
    private void AskForPatience(TimeSpan time)
    {
        if (!_shutdown)
        {
            RequestAdditionalTime(time);
        }
    }

    /// <summary>Without this the manager would believe it to run for ever.</summary>
    private void EndedByItself()
    {
        if (_running)
        {
            ExitCode = Failed;
            Stop();
        }
    }

    private sealed class NotStartedException() : Exception("The mirror did not start.");
}

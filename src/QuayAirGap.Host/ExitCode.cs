namespace QuayAirGap.Host;

/// <summary>What the executable tells the script or scheduler that called it.</summary>
internal static class ExitCode
{
    public const int Good = 0;

    /// <summary>Something is stale, incomplete or refused; nothing is broken.</summary>
    public const int StaleOrIncomplete = 1;

    public const int Error = 2;

    /// <summary>Stopped by Ctrl+C, as shells count it (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>Stopped by a service manager (128 + SIGTERM).</summary>
    public const int Terminated = 143;
}

using System.Diagnostics;
using QuayAirGap.Core.Scheduling;

namespace QuayAirGap.Core.Tests.Scheduling;

/// <summary>Jobs as people register them, and one with everything in it that means something to a scheduler or a shell.</summary>
internal static class ScheduleKit
{
    public const string Nasty = """Import-ClairFeed -DropFolder '/srv/it''s 100% "new" $HOME \ %d ; `id` | & <x> {}' -Verbose""";

    public static ScheduleRequest Request(ScheduledJob job = ScheduledJob.Import, string command = "Import-ClairFeed -DropFolder '/srv/drop'") => new()
    {
        Job = job,
        Executable = "/usr/bin/env",
        Command = command,
        Times = ScheduleTimes.Repeated(TimeSpan.FromMinutes(15)),
        WritablePaths = ["/var/lib/quayairgap", "/srv/drop"],
    };

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int Code, string Text)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_RUNTIME_DIR"] = Path.GetTempPath(); // a user's systemd asks for it, though it keeps nothing there
        using var process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + error);
    }

    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, program)));
}

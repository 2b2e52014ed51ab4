using System.Diagnostics;
using System.Globalization;

namespace QuayAirGap.Bench;

/// <summary>
/// The memory of a command, run as a process, and how long it took with everything that a process takes to start. Private (anonymous) memory, in which mapped files do not count, is looked at every few
/// milliseconds, so a peak between two looks is missed; the kernel's own high-water mark of what was resident (mapped files and all) misses
/// none, and is the bound that the true private peak lies below. Linux only.
/// </summary>
internal static class PeakMemory
{
    public static Task<string> OfAsync(string command)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string host = Path.Combine(ModuleImport.Root(), "src", "QuayAirGap.Host", "bin", configuration, "net10.0", "quayairgap.dll");
        return OfProcessAsync(["dotnet", host, "-Command", command]);
    }

    /// <param name="command">The program and its arguments.</param>
    public static async Task<string> OfProcessAsync(string[] command)
    {
        if (!OperatingSystem.IsLinux())
        {
            return "?";
        }

        var info = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(info)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        (long Private, long Resident, int Looks) peak = await Task.Factory.StartNew(
            () => Watch(process), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await process.WaitForExitAsync();
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return process.ExitCode != 0 ? $"(exit {process.ExitCode}: {await output}{await errors})"
            : string.Create(CultureInfo.InvariantCulture, $"{peak.Private / 1024} MB private in {peak.Looks} looks, {peak.Resident / 1024} MB resident at the most, {seconds:0.00} s");
    }

    /// <summary>On a thread of its own: one of the pool's would be starved by the upstream that this process plays meanwhile.</summary>
    private static (long Private, long Resident, int Looks) Watch(Process process)
    {
        long anonymous = 0;
        long highest = 0;
        int looks = 0;
        string status = $"/proc/{process.Id}/status";
        while (!process.HasExited)
        {
            string text;
            try
            {
                text = File.ReadAllText(status);
            }
            catch (IOException)
            {
                break; // it ended between the two looks
            }

            anonymous = Math.Max(anonymous, Kilobytes(text, "RssAnon:"));
            highest = Math.Max(highest, Kilobytes(text, "VmHWM:"));
            looks++;
            Thread.Sleep(2);
        }

        return (anonymous, highest, looks);
    }

    /// <returns>0 where the line is absent: a process that has ended and is not yet waited for has none.</returns>
    private static long Kilobytes(string status, string name)
    {
        int at = status.IndexOf(name, StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(status.AsSpan(at + name.Length, status.IndexOf(" kB", at, StringComparison.Ordinal) - at - name.Length), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite | NumberStyles.Integer, CultureInfo.InvariantCulture);
    }
}

using System.Diagnostics;
using System.Globalization;

namespace QuayAirGap.Bench;

/// <summary>The largest private (anonymous) memory of a command, run as a process; mapped files do not count. Linux only.</summary>
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
        using Process process = Process.Start(info)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        long peak = 0;
        while (!process.HasExited)
        {
            try
            {
                foreach (string line in File.ReadLines($"/proc/{process.Id}/status"))
                {
                    if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
                    {
                        peak = Math.Max(peak, long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
                    }
                }
            }
            catch (IOException)
            {
                break; // it ended between the two looks
            }

            await Task.Delay(10);
        }

        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? (peak / 1024).ToString(CultureInfo.InvariantCulture) : $"(exit {process.ExitCode}: {await output}{await errors})";
    }
}

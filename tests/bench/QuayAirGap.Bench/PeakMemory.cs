using System.Diagnostics;
using System.Globalization;

namespace QuayAirGap.Bench;

/// <summary>The largest private (anonymous) memory of a command, run as a process; mapped files do not count. Linux only.</summary>
internal static class PeakMemory
{
    public static async Task<string> OfAsync(string command)
    {
        if (!OperatingSystem.IsLinux())
        {
            return "?";
        }

        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        info.ArgumentList.Add(Path.Combine(ModuleImport.Root(), "src", "QuayAirGap.Host", "bin", configuration, "net10.0", "quayairgap.dll"));
        info.ArgumentList.Add("-Command");
        info.ArgumentList.Add(command);
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

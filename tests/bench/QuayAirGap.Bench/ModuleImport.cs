using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace QuayAirGap.Bench;

/// <summary>What Import-Module costs in a session that is empty and warm, in a process of its own each time.</summary>
internal static class ModuleImport
{
    public static void RunChild()
    {
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        Invoke(runspace, "Get-Command -Name Get-Module");
        string manifest = Directory.GetFiles(Path.Combine(Root(), "out", "module", "QuayAirGap"), "QuayAirGap.psd1", SearchOption.AllDirectories)
            .MaxBy(File.GetLastWriteTimeUtc)!;
        long begin = Stopwatch.GetTimestamp();
        Invoke(runspace, $"Import-Module -Name '{manifest}'");
        Console.WriteLine(Stopwatch.GetElapsedTime(begin).TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
    }

    public static List<double> Measure(int runs)
    {
        var times = new List<double>();
        for (int i = 0; i <= runs; i++)
        {
            var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
            info.ArgumentList.Add(typeof(ModuleImport).Assembly.Location);
            info.ArgumentList.Add("module");
            using Process child = Process.Start(info)!;
            string output = child.StandardOutput.ReadToEnd();
            child.WaitForExit();
            if (i > 0)
            {
                times.Add(double.Parse(output, CultureInfo.InvariantCulture));
            }
        }

        return times;
    }

    public static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "QuayAirGap.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("The bench runs from within the repository.");
    }

    private static void Invoke(Runspace runspace, string script)
    {
        using PowerShell shell = PowerShell.Create(runspace);
        shell.AddScript(script).Invoke();
        if (shell.Streams.Error is [var error, ..])
        {
            throw new InvalidOperationException(error.ToString());
        }
    }
}

using System.Diagnostics;
using System.Text;

namespace QuayAirGap.EndToEnd.Tests;

/// <summary>The built `quayairgap` executable, run as a process of its own.</summary>
internal sealed class Executable : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private Executable(Process process)
    {
        _process = process;
        DataReceivedEventHandler keep = (_, line) =>
        {
            lock (_output)
            {
                _output.AppendLine(line.Data);
            }
        };
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
    }

    /// <summary>Standard output and error so far, in the order in which they came.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Where the build of the tests' own configuration put it.</summary>
    public static string Path { get; } = Find();

    public static Executable Start(params string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        info.ArgumentList.Add(Path);
        foreach (string argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        var executable = new Executable(new Process { StartInfo = info });
        executable._process.Start();
        executable._process.BeginOutputReadLine();
        executable._process.BeginErrorReadLine();
        executable._process.StandardInput.Close();
        return executable;
    }

    /// <summary>Runs to the end; kills and fails after the time limit.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(TimeSpan limit, params string[] arguments)
    {
        using Executable executable = Start(arguments);
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await executable._process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            executable.Kill();
            throw new TimeoutException($"quayairgap {string.Join(' ', arguments)} took longer than {limit}.\n{executable.Output}");
        }

        return (executable._process.ExitCode, executable.Output);
    }

    /// <summary>Ends it as a power cut would: no handler runs. Returns false where it had ended by itself.</summary>
    public bool Kill()
    {
        bool running = !_process.HasExited;
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        return running;
    }

    public void Dispose() => _process.Dispose();

    private static string Find()
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string path = System.IO.Path.Combine(Repository.Root, "src", "QuayAirGap.Host", "bin", configuration, "net10.0", "quayairgap.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException("The executable is not built.", path);
    }
}

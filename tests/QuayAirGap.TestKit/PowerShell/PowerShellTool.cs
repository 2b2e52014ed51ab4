using System.Diagnostics;
using System.Text;

namespace QuayAirGap.TestKit.PowerShell;

/// <summary>
/// A whole PowerShell: the tool that `.config/dotnet-tools.json` names, restored once in a process. `dotnet tool run` starts it as a child of its own; so that a test can
/// stop and signal the very process, it asks there for the assembly, and then starts that.
/// </summary>
public sealed class PowerShellTool
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
    private static readonly Lock s_gate = new();
    private static Task<PowerShellTool>? s_restored;

    private readonly string? _assembly;

    private PowerShellTool(string? assembly, string? missing)
    {
        _assembly = assembly;
        Missing = missing;
    }

    /// <summary>Why there is none, for a test to say that it was skipped; null where there is one.</summary>
    public string? Missing { get; }

    /// <param name="root">The checkout.</param>
    public static Task<PowerShellTool> RestoreAsync(string root)
    {
        lock (s_gate)
        {
            return s_restored ??= Task.Run(() => RestoreOnceAsync(root));
        }
    }

    /// <summary>A process to be started, without profile and questions, and with its streams redirected as plain text.</summary>
    public ProcessStartInfo Prepare(params string[] arguments)
    {
        ProcessStartInfo start = Redirected("dotnet", [_assembly ?? throw new InvalidOperationException(Missing), "-NoProfile", "-NonInteractive", .. arguments]);
        start.Environment["NO_COLOR"] = "1";
        return start;
    }

    /// <summary>Runs to the end; kills and fails after the time limit.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(ProcessStartInfo start, TimeSpan limit)
    {
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using var ends = new CancellationTokenSource(limit);
        Task<string> output = process.StandardOutput.ReadToEndAsync(ends.Token);
        Task<string> error = process.StandardError.ReadToEndAsync(ends.Token);
        try
        {
            await process.WaitForExitAsync(ends.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{start.FileName} {string.Join(' ', start.ArgumentList)} took longer than {limit}.");
        }
    }

    private static async Task<PowerShellTool> RestoreOnceAsync(string root)
    {
        (int exitCode, string output, string error) = await RunAsync(Redirected("dotnet", ["tool", "restore"], root), s_limit);
        if (exitCode != 0)
        {
            return new PowerShellTool(null, $"PowerShell could not be restored: {(output + error).Trim()}");
        }

        (exitCode, output, error) = await RunAsync(
            Redirected("dotnet", ["tool", "run", "pwsh", "--", "-NoProfile", "-NonInteractive", "-Command", "[Environment]::GetCommandLineArgs()[0]"], root), s_limit);
        string assembly = output.Trim();
        return File.Exists(assembly) ? new PowerShellTool(assembly, null) : throw new InvalidOperationException($"PowerShell does not start ({exitCode}): {output}{error}");
    }

    private static ProcessStartInfo Redirected(string program, string[] arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["POWERSHELL_UPDATECHECK"] = "Off";
        return start;
    }
}

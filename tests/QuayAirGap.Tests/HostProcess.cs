using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace QuayAirGap.Tests;

/// <summary>How a process of the executable ended.</summary>
internal sealed record HostResult(int ExitCode, string Output, string Error);

/// <summary>The executable as a process of its own.</summary>
internal static class HostProcess
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    public static Task<HostResult> RunAsync(params string[] arguments) => RunAsync(new Dictionary<string, string?>(), "", arguments);

    public static async Task<HostResult> RunAsync(IReadOnlyDictionary<string, string?> environment, string input, params string[] arguments)
    {
        using Process process = Start(environment, arguments);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        return await EndAsync(process);
    }

    public static Process Start(IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Built.Executable, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public static async Task<HostResult> EndAsync(Process process)
    {
        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new HostResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"The executable did not end within {s_limit}."));
        }
    }
}

using System.ComponentModel;
using System.Diagnostics;

namespace QuayAirGap.Package;

/// <summary>Other programs.</summary>
internal static class Tool
{
    /// <summary>Runs it in sight.</summary>
    /// <exception cref="PackageException">It is not there, or failed.</exception>
    public static void Run(string name, params string[] arguments)
    {
        using Process process = Start(name, arguments, redirect: false);
        process.WaitForExit();
        ThrowIfFailed(process, name, arguments);
    }

    /// <summary>What it writes to standard output.</summary>
    /// <exception cref="PackageException">It is not there, or failed.</exception>
    public static string Read(string name, params string[] arguments)
    {
        using Process process = Start(name, arguments, redirect: true);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        ThrowIfFailed(process, name, arguments);
        return output;
    }

    private static Process Start(string name, string[] arguments, bool redirect)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = redirect })!;
        }
        catch (Win32Exception e)
        {
            throw new PackageException($"'{name}' cannot be run: {e.Message}");
        }
    }

    private static void ThrowIfFailed(Process process, string name, string[] arguments)
    {
        if (process.ExitCode != 0)
        {
            throw new PackageException($"{name} {string.Join(' ', arguments)} ended with exit code {process.ExitCode}.");
        }
    }
}

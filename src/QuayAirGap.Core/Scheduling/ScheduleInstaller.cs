using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using QuayAirGap.Core.Store;

namespace QuayAirGap.Core.Scheduling;

/// <summary>A command that makes a schedule real, or undoes it.</summary>
/// <param name="Program">Looked for on the PATH.</param>
/// <param name="Input">What it reads; null for nothing.</param>
public sealed record ScheduleStep(string Program, IReadOnlyList<string> Arguments, string? Input = null)
{
    public override string ToString() => string.Join(' ', [Program, .. Arguments.Select(a => a.Contains(' ', StringComparison.Ordinal) ? $"\"{a}\"" : a)]);
}

/// <summary>Writes the files of a schedule, takes them away, and tells the scheduler.</summary>
public static class ScheduleInstaller
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    /// <summary>What a fresh machine would start jobs with.</summary>
    public static FeedScheduler Default => OperatingSystem.IsWindows() ? FeedScheduler.TaskScheduler
        : Directory.Exists("/run/systemd/system") ? FeedScheduler.Systemd : FeedScheduler.Cron;

    /// <param name="overwrite">Also files that others wrote.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleForeign"/> or <see cref="ErrorIds.SchedulerFailed"/></exception>
    public static void Write(IReadOnlyList<ScheduleFile> files, bool overwrite)
    {
        if (!overwrite)
        {
            foreach (ScheduleFile file in files)
            {
                ThrowIfForeign(file.Path);
            }
        }

        foreach (ScheduleFile file in files)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file.Path)!);
                Durable.ReplaceFile(file.Path, EncodingOf(file.Path).GetPreamble().Concat(EncodingOf(file.Path).GetBytes(file.Text)).ToArray());
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Failed($"'{file.Path}' cannot be written: {e.Message}", file.Path, e);
            }
        }
    }

    /// <returns>The files that were there.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.ScheduleForeign"/> or <see cref="ErrorIds.SchedulerFailed"/></exception>
    public static IReadOnlyList<string> Delete(IReadOnlyList<string> paths)
    {
        string[] there = [.. paths.Where(File.Exists)];
        foreach (string path in there)
        {
            ThrowIfForeign(path);
        }

        foreach (string path in there)
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Failed($"'{path}' cannot be deleted: {e.Message}", path, e);
            }
        }

        return there;
    }

    /// <returns>What the program wrote.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.SchedulerFailed"/></exception>
    public static async Task<string> RunAsync(ScheduleStep step, bool mayFail, CancellationToken token)
    {
        var start = new ProcessStartInfo(step.Program, step.Arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
            limit.CancelAfter(s_patience);
            try
            {
                Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
                Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
                await process.StandardInput.WriteAsync((step.Input ?? "").AsMemory(), limit.Token).ConfigureAwait(false);
                process.StandardInput.Close();
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                string text = await output.ConfigureAwait(false);
                return process.ExitCode == 0 || mayFail
                    ? text : throw Failed($"'{step}' ended with {process.ExitCode}: {(await error.ConfigureAwait(false)).Trim().TrimEnd('.')}", step.Program, null);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                process.Kill(entireProcessTree: true);
                throw Failed($"'{step}' did not end within {s_patience.TotalSeconds:0} seconds", step.Program, null);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw Failed($"'{step}' could not be run: {e.Message.TrimEnd('.')}", step.Program, e);
        }
    }

    /// <summary>Task Scheduler reads UTF-16; everybody else UTF-8 without a mark.</summary>
    private static Encoding EncodingOf(string path) => path.EndsWith(".xml", StringComparison.Ordinal) ? Encoding.Unicode : new UTF8Encoding(false);

    private static void ThrowIfForeign(string path)
    {
        if (File.Exists(path) && !File.ReadAllText(path).Contains(ScheduleFile.Mark, StringComparison.Ordinal))
        {
            throw new FeedException(
                ErrorIds.ScheduleForeign, $"'{path}' was not made by Register-ClairFeedSchedule, or was edited since.", path,
                "Look at it. Give the schedule another -Name, or replace the file with -Force.");
        }
    }

    private static FeedException Failed(string what, string target, Exception? cause) => new(
        ErrorIds.SchedulerFailed, $"{what}.", target,
        "Run it with the rights that the scheduler asks for (root, or an administrator), as the user's own with -User, or write the files elsewhere with -UnitPath.", cause);
}

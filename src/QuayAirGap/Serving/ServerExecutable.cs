using QuayAirGap.Core;

namespace QuayAirGap.Serving;

/// <summary>Finds the executable "quayairgap", whose serve command is the web server: this module carries none.</summary>
internal static class ServerExecutable
{
    public const string EnvironmentVariable = "QUAYAIRGAP_EXECUTABLE";

    private static readonly string s_fileName = OperatingSystem.IsWindows() ? "quayairgap.exe" : "quayairgap";

    /// <param name="named">What the user named, absolute, or null to look for it.</param>
    /// <exception cref="FeedException"><see cref="ErrorIds.MirrorNotStarted"/></exception>
    public static string Find(string? named)
    {
        if ((named ?? Environment.GetEnvironmentVariable(EnvironmentVariable)) is { Length: > 0 } path)
        {
            return File.Exists(path) ? path : throw NotFound($"There is no executable '{path}'.", path);
        }

        return Candidates().FirstOrDefault(File.Exists) ?? throw NotFound($"The executable '{s_fileName}' was not found.", s_fileName);
    }

    private static IEnumerable<string> Candidates()
    {
        if (Environment.ProcessPath is { } running && string.Equals(Path.GetFileName(running), s_fileName, StringComparison.OrdinalIgnoreCase))
        {
            yield return running;
        }

        // The executable carries the module in module/QuayAirGap/<version>/bin below itself.
        for (DirectoryInfo? folder = new FileInfo(typeof(ServerExecutable).Assembly.Location).Directory; folder is not null; folder = folder.Parent)
        {
            yield return Path.Combine(folder.FullName, s_fileName);
            if (folder.Name == "module")
            {
                yield return Path.Combine(folder.Parent?.FullName ?? folder.FullName, s_fileName);
                break;
            }
        }

        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return Path.Combine(folder, s_fileName);
        }
    }

    private static FeedException NotFound(string message, string target) => new(
        ErrorIds.MirrorNotStarted, message, target,
        $"Name it with -ExecutablePath, set {EnvironmentVariable}, or put it on the PATH; building the solution makes it from src/QuayAirGap.Host.");
}

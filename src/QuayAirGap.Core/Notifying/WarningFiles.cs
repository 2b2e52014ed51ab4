namespace QuayAirGap.Core.Notifying;

/// <summary>Secrets and settings that stand in files of their own or in the environment.</summary>
internal static class WarningFiles
{
    private const int Largest = 1 << 20;

    /// <returns>The first line of the file, else the variable's value; null where neither is named.</returns>
    /// <exception cref="FeedException"><see cref="ErrorIds.WarningSecret"/></exception>
    public static string? Secret(WarningChannel channel, string? file, string? variable)
    {
        if (file is not null)
        {
            string line = Text(channel, file).Split('\n')[0].Trim();
            return line.Length > 0 ? line : throw WarningErrors.Secret(channel, $"the first line of '{file}' is empty");
        }

        return variable is null ? null
            : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value.Trim()
            : throw WarningErrors.Secret(channel, $"the environment variable '{variable}' is not set");
    }

    /// <exception cref="FeedException"><see cref="ErrorIds.WarningSecret"/></exception>
    public static string Text(WarningChannel channel, string file)
    {
        try
        {
            return new FileInfo(file).Length <= Largest
                ? File.ReadAllText(file)
                : throw WarningErrors.Secret(channel, $"'{file}' has more than {Largest >> 20} MiB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WarningErrors.Secret(channel, $"'{file}' cannot be read: {e.Message}", e);
        }
    }
}

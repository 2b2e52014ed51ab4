using System.Reflection;

namespace QuayAirGap.Host;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        // Before the first call into the engine: it decides once, and an air gap has nobody to send telemetry to.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");

        using var terminal = new Terminal();
        CommandLine commandLine;
        try
        {
            commandLine = CommandLine.Parse(args);
        }
        catch (UsageException e)
        {
            terminal.WriteError(e.Message + "\n\n" + CommandLine.Usage + "\n");
            return ExitCode.Error;
        }

        switch (commandLine.Verb)
        {
            case Verb.Help:
                terminal.WriteOutput(CommandLine.Usage + "\n");
                return ExitCode.Good;
            case Verb.Version:
                terminal.WriteOutput(ProductVersion + "\n");
                return ExitCode.Good;
            case Verb.Serve:
                return await ServeVerb.RunAsync(commandLine.Arguments);
            default:
                return RunEngine(commandLine, terminal);
        }
    }

    private static int RunEngine(CommandLine commandLine, Terminal terminal)
    {
        if (!OperatingSystem.IsWindows() || !commandLine.EventLog)
        {
            return new EngineRun(commandLine, terminal).Execute();
        }

        terminal.Copy = new RunLog();
        int code = new EngineRun(commandLine, terminal).Execute();
        terminal.Copy.Write(commandLine.Text, code);
        return code;
    }

    internal static string ProductVersion =>
        typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}

namespace QuayAirGap.Host;

internal enum Verb
{
    Help,
    Version,
    File,
    Command,
    Serve,
}

internal enum OutputFormat
{
    Text,
    Json,
}

/// <summary>A command line that cannot be understood.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What the executable was asked to do. The options are pwsh's where it has them; their case does not matter.</summary>
internal sealed record CommandLine
{
    public const string Usage = """
        quayairgap: Clair's vulnerability feeds over an air gap.

        quayairgap [-OutputFormat Text|Json] [-NonInteractive] [-EventLog] -File <script.ps1> [arguments]
        quayairgap [-OutputFormat Text|Json] [-NonInteractive] [-EventLog] -Command <text>      ("-" reads the text from standard input)
        quayairgap serve --site <folder> --urls <url>                               (quayairgap serve --help tells more)
        quayairgap -Version
        quayairgap -Help

        -File and -Command run in an embedded PowerShell engine that has the QuayAirGap module loaded:
            quayairgap -Command "Get-Command -Module QuayAirGap"
            quayairgap -Command "Get-Help Import-ClairFeed -Full"

        -EventLog, on Windows, writes what was said to the event log "Application" too: ids 200, 210 and 220 for exit codes 0, 1 and the others.

        Exit codes: 0 good; 1 stale or incomplete, or a test that ended in False; 2 error; 130 interrupted; a script's own "exit N" stands.
        """;

    public required Verb Verb { get; init; }

    public OutputFormat Format { get; init; } = OutputFormat.Text;

    public bool NonInteractive { get; init; }

    /// <summary>What is said goes to Windows' event log as well.</summary>
    public bool EventLog { get; init; }

    /// <summary>The script's path, or the command's text.</summary>
    public string Text { get; init; } = "";

    /// <summary>What stands after the script's path, or after "serve".</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <exception cref="UsageException">The arguments cannot be understood.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var format = OutputFormat.Text;
        bool nonInteractive = false;
        bool eventLog = false;
        for (int i = 0; i < args.Count; i++)
        {
            string option = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][1..] : args[i];
            switch (option.ToLowerInvariant())
            {
                case "serve" when i == 0:
                    return new CommandLine { Verb = Verb.Serve, Arguments = [.. args.Skip(1)] };
                case "-help" or "-h" or "-?" or "/?":
                    return new CommandLine { Verb = Verb.Help };
                case "-version" or "-v":
                    return new CommandLine { Verb = Verb.Version };
                case "-noprofile" or "-nologo":
                    break; // there are none; scripts and schedulers that call pwsh pass them by habit
                case "-noninteractive":
                    nonInteractive = true;
                    break;
                case "-eventlog":
                    eventLog = OperatingSystem.IsWindows() ? true : throw new UsageException("-EventLog is for Windows; elsewhere, redirect the output.");
                    break;
                case "-outputformat" or "-o":
                    string name = i + 1 < args.Count ? args[++i] : "";
                    format = name.ToLowerInvariant() switch
                    {
                        "text" => OutputFormat.Text,
                        "json" => OutputFormat.Json,
                        _ => throw new UsageException($"-OutputFormat is Text or Json, not '{name}'."),
                    };
                    break;
                case "-file" or "-f":
                    if (i + 1 >= args.Count)
                    {
                        throw new UsageException("-File needs the path of a script.");
                    }

                    return new CommandLine
                    {
                        Verb = Verb.File,
                        Format = format,
                        NonInteractive = nonInteractive,
                        EventLog = eventLog,
                        Text = args[i + 1],
                        Arguments = [.. args.Skip(i + 2)],
                    };
                case "-command" or "-c":
                    if (i + 1 >= args.Count)
                    {
                        throw new UsageException("-Command needs the text to run.");
                    }

                    return new CommandLine
                    {
                        Verb = Verb.Command,
                        Format = format,
                        NonInteractive = nonInteractive,
                        EventLog = eventLog,
                        Text = string.Join(' ', args.Skip(i + 1)),
                    };
                default:
                    throw new UsageException($"'{args[i]}' is not an option. Did you mean -File or -Command?");
            }
        }

        throw new UsageException("Say what to run: -File, -Command or serve.");
    }
}
